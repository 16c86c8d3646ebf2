// Uses the store of each URL that it is given, and one after the other prints what it read.

import kv from "polystore-wasm";

const [, , ...urls] = process.argv;
for (const url of /** @type {`file:${string}`[]} */ (urls)) {
  const store = kv(url, url.endsWith("strict.kv") ? { durability: "strict" } : {});
  await store.set("a", 1);
  await store.set("b", 2);
  await store.del("b");
  console.log(JSON.stringify(await store.all()));
  await store.close();
}
