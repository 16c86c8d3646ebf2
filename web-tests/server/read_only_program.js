// Reads the log of a URL, and tries all that would change it. Prints what it read, and what was refused.

import kv, { PolystoreError } from "polystore-wasm";

const store = kv(/** @type {`file:${string}`} */ (process.argv[2]));
const read = [await store.get("a"), await store.get("expired"), await store.all(), await store.prune()];

/** @type {Record<string, () => Promise<unknown>>} */
const changes = {
  set: () => store.set("a", 3),
  add: () => store.add(3),
  del: () => store.del("a"),
  clear: () => store.clear(),
};
const refused = [];
for (const [name, change] of Object.entries(changes)) {
  try {
    await change();
  } catch (error) {
    if (
      !(error instanceof PolystoreError) ||
      error.code !== "ERR_CLIENT" ||
      !/is read-only, because/.test(error.message)
    )
      throw error;
    refused.push(name);
  }
}
await store.close();
console.log(JSON.stringify({ read, refused }));
