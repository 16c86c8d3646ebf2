// What is compared with what; the targets are those that the project set itself.

/** @typedef {import("./measure.js").Contest} Contest */
/** @typedef {(client: any) => any} Kv */

export const KEYS = Array.from({ length: 1000 }, (_, i) => `key:${i}`);
/** An ordinary value: some 120 bytes of JSON, with an array in it. */
export const OBJECT = {
  name: "Ada Lovelace",
  mail: "ada@example.org",
  born: 1815,
  tags: ["mathematics", "poetry"],
  address: { city: "London", flat: null },
};
const POLYSTORE = "polystore 0.27";

/**
 * @param {Kv} kv
 * @param {Kv} upstream
 */
export function contests(kv, upstream) {
  /**
   * The same work on a store of either library.
   * @param {string} name
   * @param {number} target
   * @param {() => any} open
   * @param {number} operations
   * @param {(store: any) => Promise<unknown>} work
   * @param {(store: any) => Promise<unknown>} [prepare]
   * @returns {Contest}
   */
  const contest = (name, target, open, operations, work, prepare = async () => {}) => {
    const side = (/** @type {Kv} */ library) => async () => {
      const store = library(open());
      await prepare(store);
      return () => work(store);
    };
    return { name, target, operations, against: POLYSTORE, ours: side(kv), theirs: side(upstream) };
  };
  return { contest, inMemory: () => inMemory(contest, kv) };
}

/** @param {any} store */
export const fill = async (store) => {
  for (const key of KEYS) await store.set(key, "value");
};

/**
 * Makes one call after the other.
 * @param {number} times
 * @param {(store: any, key: string) => Promise<unknown>} call
 */
export const repeat = (times, call) => async (/** @type {any} */ store) => {
  for (let i = 0; i < times; ++i) await call(store, KEYS[i % KEYS.length]);
};

/**
 * Makes 1,000 calls at once.
 * @param {(store: any, key: string) => Promise<unknown>} call
 */
export const atOnce = (call) => (/** @type {any} */ store) => Promise.all(KEYS.map((key) => call(store, key)));

/**
 * @param {ReturnType<typeof contests>["contest"]} contest
 * @param {Kv} kv
 * @returns {Contest[]}
 */
function inMemory(contest, kv) {
  const open = () => new Map();
  const n = 100_000;
  /**
   * Objects, which we copy and polystore does not: against a Map that keeps JSON, which copies as well.
   * @param {string} name
   * @param {(store: any, key: string) => Promise<unknown>} ours
   * @param {(map: Map<string, string>, key: string) => Promise<unknown>} theirs
   * @returns {Contest}
   */
  const objects = (name, ours, theirs) => ({
    name,
    target: 1,
    operations: n,
    against: "a Map with JSON",
    async ours() {
      const store = kv(open());
      for (const key of KEYS) await store.set(key, OBJECT);
      return () => repeat(n, ours)(store);
    },
    async theirs() {
      const map = new Map(KEYS.map((key) => [key, JSON.stringify(OBJECT)]));
      return () => repeat(n, theirs)(map);
    },
  });
  return [
    contest(
      "Map: get a string",
      1.6,
      open,
      n,
      repeat(n, (store, key) => store.get(key)),
      fill,
    ),
    contest(
      "Map: set a string",
      1.6,
      open,
      n,
      repeat(n, (store, key) => store.set(key, "value")),
      fill,
    ),
    contest(
      "Map: has",
      1.6,
      open,
      n,
      repeat(n, (store, key) => store.has(key)),
      fill,
    ),
    contest(
      "Map: add",
      1.5,
      open,
      2000,
      repeat(2000, (store) => store.add("value")),
    ),
    contest(
      "Map: set with an expiry",
      1,
      open,
      n,
      repeat(n, (store, key) => store.set(key, "value", { expires: "1h" })),
    ),
    contest(
      "Map: keys() of 1,000",
      1,
      open,
      10,
      repeat(10, (store) => store.keys()),
      fill,
    ),
    contest(
      "Map: entries() of 1,000",
      1,
      open,
      10,
      repeat(10, (store) => store.entries()),
      fill,
    ),
    objects(
      "Map: set an object",
      (store, key) => store.set(key, OBJECT),
      async (map, key) => map.set(key, JSON.stringify(OBJECT)),
    ),
    objects(
      "Map: get an object",
      (store, key) => store.get(key),
      async (map, key) => JSON.parse(/** @type {string} */ (map.get(key))),
    ),
  ];
}
