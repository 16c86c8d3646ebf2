// IndexedDB, which polystore does not wrap: against what wraps it and nothing else.

import * as idbKeyval from "../../node_modules/idb-keyval/dist/index.js";
import { atOnce, fill, KEYS, OBJECT, repeat } from "./contests.js";
import { all, COUNT, fillMany, listing, PREFIX, VALUE } from "./many.js";

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
      update: (key, change) => idbKeyval.update(key, change, store),
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
  const setObject = (/** @type {any} */ store, /** @type {string} */ key) => store.set(key, OBJECT);
  return [
    contest(idb, "1,000 sets at once", 5, 1000, atOnce(set)),
    contest(idb, "1,000 gets at once", 3, 1000, atOnce(get)),
    contest(idb, "1,000 sets at once, theirs with setMany", 0.8, 1000, atOnce(set), (store) => store.setMany(ENTRIES)),
    contest(idb, "1,000 gets at once, theirs with getMany", 0.8, 1000, atOnce(get), (store) => store.getMany(KEYS)),
    contest(idb, "set", 0.8, 50, repeat(50, set)),
    contest(idb, "get", 0.8, 50, repeat(50, get)),
    contest(
      idb,
      "update",
      1,
      50,
      repeat(50, (store, key) => store.update(key, changed)),
    ),
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
    contest(forage(localForage), "an object: set", 1, 50, repeat(50, setObject)),
    contest(forage(localForage), "an object: get", 1, 50, repeat(50, get)),
    ...[false, true].map((reverse) => ranging(kv, reverse)),
  ];
}

/** What update() makes of a value: another one each time, for what is not changed need not be written. @param {unknown} value */
const changed = (value) => (value === "value" ? "other" : "value");

/**
 * A range of 100 in 100,000 against a cursor with bounds and nothing else: what every library for IndexedDB wraps.
 * @param {(client: any) => any} kv
 * @param {boolean} reverse
 * @returns {Contest}
 */
function ranging(kv, reverse) {
  const first = `${PREFIX}000`;
  return {
    name: `IndexedDB: range() of 100 in 100,000${reverse ? ", the last one first" : ""}`,
    against: "a cursor",
    target: 1,
    operations: 1,
    async ours() {
      const store = kv("indexeddb:bench many");
      if ((await store.size()) < COUNT) await fillMany((keys) => store.setMany(keys.map((key) => [key, VALUE])));
      return listing(() => all(store.range({ gte: first, limit: 100, reverse })), 100);
    },
    async theirs() {
      const database = await createMany("bench a cursor");
      return listing(() => listByCursor(database, IDBKeyRange.lowerBound(first), 100, reverse ? "prev" : "next"), 100);
    },
  };
}

/**
 * Makes a database with all keys, unless it is there.
 * @param {string} name
 * @returns {Promise<IDBDatabase>}
 */
async function createMany(name) {
  const opening = indexedDB.open(name);
  let isNew = false;
  opening.onupgradeneeded = () => {
    isNew = true;
    opening.result.createObjectStore("all");
  };
  await new Promise((resolve) => (opening.onsuccess = resolve));
  const database = opening.result;
  if (isNew) {
    await fillMany(
      (keys) =>
        new Promise((resolve) => {
          const transaction = database.transaction("all", "readwrite");
          for (const key of keys) transaction.objectStore("all").put(VALUE, key);
          transaction.oncomplete = resolve;
        }),
    );
  }
  return database;
}

/**
 * @param {IDBDatabase} database
 * @param {IDBKeyRange} range
 * @param {number} count
 * @param {IDBCursorDirection} direction
 * @returns {Promise<[IDBValidKey, any][]>}
 */
function listByCursor(database, range, count, direction) {
  return new Promise((resolve) => {
    /** @type {[IDBValidKey, any][]} */
    const entries = [];
    const opening = database.transaction("all").objectStore("all").openCursor(range, direction);
    opening.onsuccess = () => {
      const cursor = opening.result;
      if (cursor) entries.push([cursor.key, cursor.value]);
      if (cursor && entries.length < count) cursor.continue();
      else resolve(entries);
    };
  });
}
