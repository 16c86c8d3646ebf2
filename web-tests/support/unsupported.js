// A storage whose changes cannot be atomic.

import kv from "polystore-wasm";

/** A store over a client of one's own, which can only read and write. */
export function storeWithoutChanges() {
  const records = new Map();
  return kv({
    get: (/** @type {string} */ key) => records.get(key),
    set: (/** @type {string} */ key, /** @type {any} */ record) => void records.set(key, record),
  });
}
