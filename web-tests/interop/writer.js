// The same program as native-tests/interop/writer.cpp: sets keys in the store with the URL in its first argument.

import kv from "polystore-wasm";

const [url, name, count] = process.argv.slice(2);
const store = kv(/** @type {`file:${string}`} */ (url));
for (let i = 0; i < Number(count); ++i) {
  await store.get(`shared:${i}`);
  await store.set(`shared:${i}`, name);
  await store.set(`${name}:${i}`, "x".repeat(i % 100));
  process.stdout.write(`${i}\n`);
}
