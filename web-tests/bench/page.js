import kv from "../../dist/index.js";
import upstream from "../../node_modules/polystore/index.js";
import { atOnce, contests, fill, KEYS, OBJECT, repeat } from "./contests.js";
import { inIndexedDb } from "./indexeddb.js";
import { measure } from "./measure.js";
import { inOpfs } from "./opfs.js";

/** @typedef {import("./measure.js").Contest} Contest */

const { localforage } = window;
const { contest, inMemory } = contests(kv, upstream);

/** An instance of its own for each side, so that neither has the other's records. */
let instances = 0;
const forage = () => localforage.createInstance({ name: `bench ${++instances}` });

const fifty = async (/** @type {any} */ store) => {
  for (let i = 0; i < 50; ++i) await store.set(`key:${i}`, { id: `user-${i}`, theme: "dark", visits: i });
};
const fillObjects = async (/** @type {any} */ store) => {
  for (const key of KEYS) await store.set(key, OBJECT);
};
const emptyStorage = () => {
  localStorage.clear();
  return localStorage;
};
/** A page's storage is shared: as many items are of other code. */
const halfOfStorage = async (/** @type {any} */ store) => {
  for (let i = 0; i < 500; ++i) {
    await store.set(`app:${i}`, OBJECT);
    localStorage.setItem(`other:${i}`, "value");
  }
};
const web = [
  contest(
    "localStorage: get",
    1,
    () => localStorage,
    1000,
    repeat(1000, (store, key) => store.get(key)),
    fill,
  ),
  contest(
    "localStorage: set",
    1,
    () => localStorage,
    1000,
    repeat(1000, (store, key) => store.set(key, "value")),
  ),
  contest(
    "localStorage: keys() of 1,000",
    3,
    () => localStorage,
    20,
    repeat(20, (store) => store.keys()),
    fill,
  ),
  contest(
    "localStorage: get an object",
    1,
    () => localStorage,
    1000,
    repeat(1000, (store, key) => store.get(key)),
    fillObjects,
  ),
  contest(
    "localStorage: set an object",
    1,
    () => localStorage,
    1000,
    repeat(1000, (store, key) => store.set(key, OBJECT)),
  ),
  contest(
    "localStorage: keys() of 500 by prefix, beside 500 others",
    1,
    emptyStorage,
    20,
    repeat(20, (store) => store.prefix("app:").keys()),
    halfOfStorage,
  ),
  contest(
    "localStorage: entries() of 500 by prefix, beside 500 others",
    1,
    emptyStorage,
    20,
    repeat(20, (store) => store.prefix("app:").entries()),
    halfOfStorage,
  ),
  contest(
    "cookie: get one of 50",
    10,
    () => "cookie",
    1000,
    repeat(1000, (store) => store.get("key:30")),
    fifty,
  ),
  contest(
    "localForage: get",
    1,
    forage,
    50,
    repeat(50, (store, key) => store.get(key)),
    fill,
  ),
  contest(
    "localForage: set",
    1,
    forage,
    50,
    repeat(50, (store, key) => store.set(key, "value")),
    fill,
  ),
  contest(
    "localForage: get an object",
    1,
    forage,
    50,
    repeat(50, (store, key) => store.get(key)),
    fillObjects,
  ),
  contest(
    "localForage: set an object",
    1,
    forage,
    50,
    repeat(50, (store, key) => store.set(key, OBJECT)),
    fillObjects,
  ),
  contest(
    "localForage: 1,000 sets at once",
    3,
    forage,
    1000,
    atOnce((store, key) => store.set(key, "value")),
    fill,
  ),
  contest(
    "localForage: 1,000 gets at once",
    3,
    forage,
    1000,
    atOnce((store, key) => store.get(key)),
    fill,
  ),
  contest("localForage: entries() of 1,000", 5, forage, 1, (store) => store.entries(), fill),
  contest("localForage: entries() of 1,000 objects", 4, forage, 1, (store) => store.entries(), fillObjects),
];

/** @type {Record<string, () => Contest[]>} */
const tables = {
  browser: () => [...inMemory(), ...web],
  indexeddb: () => inIndexedDb(kv, localforage),
  opfs: () => inOpfs(kv, localforage),
};

/** @param {keyof typeof tables} table */
window.bench = async (table) => {
  const results = [];
  localStorage.clear();
  for (const contest of tables[table]()) {
    const { name, pause = /^(localForage|IndexedDB|OPFS)/.test(name) ? 100 : 0 } = contest;
    results.push(await measure(contest, 9, pause));
  }
  return results;
};
