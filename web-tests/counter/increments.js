// One increment by each library, in Node and in pages.

/** The key of the counter. */
export const KEY = "count";

/** @typedef {{ add: () => Promise<unknown>, read: () => Promise<number> }} Counter `add` resolves when the increment is acknowledged. */

/**
 * Counts with the atomic methods, by turns.
 * @param {import("polystore-wasm").Store} store
 * @returns {Counter}
 */
export function atomicCounter(store) {
  let calls = 0;
  const add = () => (++calls % 2 === 0 ? store.incr(KEY) : store.update(KEY, (count) => (count ?? 0) + 1));
  return { add, read: async () => (await store.get(KEY)) ?? 0 };
}

/**
 * Counts as the users of a library do that can only read and write.
 * @param {{ get: (key: string) => Promise<any>, set: (key: string, value: number) => Promise<unknown> }} store
 * @returns {Counter}
 */
export function plainCounter(store) {
  const read = async () => (await store.get(KEY)) ?? 0;
  return { add: async () => store.set(KEY, (await read()) + 1), read };
}

/**
 * The store of unstorage with the method names of the others.
 * @param {{ getItem: (key: string) => Promise<any>, setItem: (key: string, value: number) => Promise<void> }} storage
 */
export const fromUnstorage = ({ getItem, setItem }) => ({ get: getItem, set: setItem });
