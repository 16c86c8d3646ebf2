// What a store on a server is measured at; servers.js and a Worker run it.

const KEYS = Array.from({ length: 20_000 }, (_, i) => `${i % 10 === 0 ? "some" : "other"}:${i}`);
const THOUSAND = KEYS.slice(0, 1000);

/**
 * @typedef {object} Work
 * @property {number} operations
 * @property {number} keys How many the store has to hold.
 * @property {(store: any) => Promise<unknown>} run
 */

/** @type {(call: (store: any, key: string) => Promise<unknown>) => (operations: number, keys: number) => Work} */
const oneByOne = (call) => (operations, keys) => ({
  operations,
  keys,
  async run(store) {
    for (const key of KEYS.slice(0, operations)) await call(store, key);
  },
});
const gets = oneByOne((store, key) => store.get(key));
const sets = oneByOne((store, key) => store.set(key, "value"));

/** @type {Record<string, Work>} */
export const works = {
  get: gets(100, 1000),
  set: sets(20, 1000),
  "1,000 sets at once": {
    operations: 1000,
    keys: 1000,
    run: (store) => Promise.all(THOUSAND.map((key) => store.set(key, "value"))),
  },
  "1,000 gets at once": {
    operations: 1000,
    keys: 1000,
    run: (store) => Promise.all(THOUSAND.map((key) => store.get(key))),
  },
  "keys() of 1,000": { operations: 1, keys: 1000, run: (store) => store.keys() },
  "entries() of 1,000": { operations: 1, keys: 1000, run: (store) => store.entries() },
  "entries() of 100 in 1,000": { operations: 1, keys: 1000, run: (store) => store.prefix("some:").entries() },
};

/** What only some storages are measured at: those where the number of keys may count. @type {Record<string, Record<string, Work>>} */
export const furtherWorks = {
  File: { "get of 5,000": gets(20, 5000), "set of 5,000": sets(20, 5000) },
  Folder: { "get of 5,000": gets(100, 5000), "set of 5,000": sets(20, 5000) },
  Redis: {
    "iteration of 20,000": {
      operations: 20_000,
      keys: 20_000,
      async run(store) {
        let count = 0;
        for await (const [key] of store) if (key) ++count;
        if (count < 20_000) throw new Error(`${count} of 20,000 entries came.`);
      },
    },
  },
};

/**
 * Writes the keys that are missing.
 * @param {any} store
 * @param {number} held How many it holds.
 * @param {number} wanted How many it has to.
 */
export async function fill(store, held, wanted) {
  for (let i = held; i < wanted; i += 500) {
    await Promise.all(KEYS.slice(i, Math.min(i + 500, wanted)).map((key) => store.set(key, "value")));
  }
}
