// Sets one key after the other in the store that its argument names, and says each time that it is done.

import kv from "polystore-wasm";

const [url, name, count] = process.argv.slice(2);
const store = kv(/** @type {`file:${string}`} */ (url));
for (let i = 0; i < Number(count); ++i) {
  await store.set(`${name}:${i}`, "x".repeat(i % 100));
  process.stdout.write(`${i}\n`);
}
