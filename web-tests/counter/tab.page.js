// A tab that counts, in the storages of a browser, by this library and by others.

import kv from "../../dist/index.js";
import upstream from "../../node_modules/polystore/index.js";
import { atomicCounter, fromUnstorage, plainCounter } from "./increments.js";

/** @typedef {import("./increments.js").Counter} Counter */

/** What each library is opened with. @type {Record<string, Record<string, () => any>>} */
const clients = {
  "polystore-wasm": { IndexedDB: () => "indexeddb:counter", OPFS: () => "opfs:counter", cookies: () => "cookie" },
  polystore: { IndexedDB: () => window.localforage, cookies: () => "cookie" },
  unstorage: { IndexedDB: () => window.unstorage() },
};

/** @type {Record<string, (client: any) => Counter>} */
const libraries = {
  "polystore-wasm": (client) => atomicCounter(kv(client)),
  polystore: (client) => plainCounter(upstream(client)),
  unstorage: (storage) => plainCounter(fromUnstorage(storage)),
};

/** @param {string} library @param {string} storage */
const open = (library, storage) => libraries[library](clients[library][storage]());

/**
 * Makes so many calls, one after the other.
 * @param {{ library: string, storage: string, calls: number, waits: boolean }} given `waits`: the test hears of each call before the
 *   next one is made, so that of a tab that is killed it has heard of each but the last.
 */
window.count = async ({ library, storage, calls, waits }) => {
  const { add } = open(library, storage);
  for (let i = 0; i < calls; ++i) {
    await add();
    const heard = window.acknowledge();
    if (waits) await heard;
  }
};

/** @param {{ library: string, storage: string }} given */
window.readCount = ({ library, storage }) => open(library, storage).read();
