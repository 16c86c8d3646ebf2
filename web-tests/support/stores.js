// kv() for tests that have to release what is open, such as a log, whoever has made a store over it.

import polystore from "polystore-wasm";

/** The stores that were made over each log. @type {Map<unknown, import("polystore-wasm").Store[]>} */
const stores = new Map();

/** @type {(url: any, options?: import("polystore-wasm").StoreOptions) => import("polystore-wasm").Store} */
export function kv(url, options) {
  const store = polystore(url, options);
  stores.set(url, [...(stores.get(url) ?? []), store]);
  return store;
}

/** Releases a log: closes all stores that were made over it. @param {string} url */
export async function release(url) {
  for (const store of stores.get(url) ?? []) await store.close();
  stores.delete(url);
}
