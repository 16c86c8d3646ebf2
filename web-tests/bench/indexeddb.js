// IndexedDB, which polystore does not wrap: against what wraps it and nothing else.

import * as idbKeyval from "../../node_modules/idb-keyval/dist/index.js";
import { atOnce, fill, KEYS, repeat } from "./contests.js";

/** @typedef {import("./measure.js").Contest} Contest */

const ENTRIES = /** @type {[string, string][]} */ (KEYS.map((key) => [key, "value"]));

/**
 * A peer, as something with the methods that are measured, over a database of its own.
 * @typedef {object} Peer
 * @property {string} name
 * @property {() => Record<string, (...args: any[]) => Promise<any>>} open
 */

/** @type {Peer} */
const idb = {
  name: "idb-keyval",
  open() {
    const store = idbKeyval.createStore("bench idb-keyval", "keyval");
    return {
      get: (key) => idbKeyval.get(key, store),
      set: (key, value) => idbKeyval.set(key, value, store),
      keys: () => idbKeyval.keys(store),
      entries: () => idbKeyval.entries(store),
      entriesOf: async (prefix) => (await idbKeyval.entries(store)).filter(([key]) => String(key).startsWith(prefix)),
      getMany: (keys) => idbKeyval.getMany(keys, store),
      setMany: (entries) => idbKeyval.setMany(entries, store),
    };
  },
};

/** @param {any} localForage @returns {Peer} */
const forage = (localForage) => ({
  name: "localForage",
  open() {
    const instance = localForage.createInstance({ name: "bench localForage" });
    return { get: (key) => instance.getItem(key), set: (key, value) => instance.setItem(key, value) };
  },
});

/**
 * @param {(client: any) => any} kv
 * @param {any} localForage
 * @returns {Contest[]}
 */
export function inIndexedDb(kv, localForage) {
  /**
   * @param {Peer} peer
   * @param {string} name
   * @param {number} target
   * @param {number} operations
   * @param {(store: any) => Promise<unknown>} ours
   * @param {(store: any) => Promise<unknown>} [theirs] The same work, if it is said in another way.
   * @returns {Contest}
   */
  const contest = (peer, name, target, operations, ours, theirs = ours) => {
    const side = (/** @type {() => any} */ open, /** @type {(store: any) => Promise<unknown>} */ work) => async () => {
      const store = open();
      await fill(store);
      return () => work(store);
    };
    return {
      name: `IndexedDB: ${name}`,
      against: peer.name,
      target,
      operations,
      ours: side(() => kv("indexeddb:bench"), ours),
      theirs: side(peer.open, theirs),
    };
  };
  const get = (/** @type {any} */ store, /** @type {string} */ key) => store.get(key);
  const set = (/** @type {any} */ store, /** @type {string} */ key) => store.set(key, "value");
  return [
    contest(idb, "1,000 sets at once", 5, 1000, atOnce(set)),
    contest(idb, "1,000 gets at once", 3, 1000, atOnce(get)),
    contest(idb, "1,000 sets at once, theirs with setMany", 0.8, 1000, atOnce(set), (store) => store.setMany(ENTRIES)),
    contest(idb, "1,000 gets at once, theirs with getMany", 0.8, 1000, atOnce(get), (store) => store.getMany(KEYS)),
    contest(idb, "set", 0.8, 50, repeat(50, set)),
    contest(idb, "get", 0.8, 50, repeat(50, get)),
    contest(idb, "keys() of 1,000", 0.2, 1, (store) => store.keys()),
    contest(idb, "entries() of 1,000", 0.8, 1, (store) => store.entries()),
    contest(
      idb,
      "entries() of 100 by prefix",
      2,
      1,
      (store) => store.prefix("key:9").entries(),
      (store) => store.entriesOf("key:9"),
    ),
    contest(forage(localForage), "1,000 sets at once", 5, 1000, atOnce(set)),
    contest(forage(localForage), "1,000 gets at once", 3, 1000, atOnce(get)),
    contest(forage(localForage), "set", 1, 50, repeat(50, set)),
    contest(forage(localForage), "get", 1, 50, repeat(50, get)),
  ];
}
