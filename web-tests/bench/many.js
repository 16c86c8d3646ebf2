// What the tables of large stores share: as in the native one, 100,000 keys of 16 bytes with values of 100.

export const COUNT = 100_000;
const KEY_LENGTH = 16;

/** @param {number} number */
const keyOf = (number) => String(number).padStart(KEY_LENGTH, "0");

/** In an order that is not theirs. */
export const KEYS = Array.from({ length: COUNT }, (_, i) => keyOf((i * 7919) % COUNT));
export const VALUE = "v".repeat(100);
/** With which 1,000 of them begin. */
export const PREFIX = keyOf(42_000).slice(0, -3);

/**
 * Puts all of them into a store, a part at a time.
 * @param {(keys: string[]) => Promise<unknown>} put
 */
export async function fillMany(put) {
  for (let i = 0; i < COUNT; i += 10_000) await put(KEYS.slice(i, i + 10_000));
}

/**
 * So many keys, in the order in which they are put.
 * @param {number} count
 */
export const putKeys = (count) => KEYS.slice(0, count);

/**
 * The same, in another order: what is got in the order in which it was put is next to each other on a disk.
 * @param {number} count
 */
export const gotKeys = (count) => Array.from({ length: count }, (_, i) => KEYS[(i * 617) % count]);

/**
 * Makes one call after the other.
 * @param {string[]} keys
 * @param {(key: string) => Promise<unknown>} call
 */
export const oneByOne = (keys, call) => async () => {
  for (const key of keys) await call(key);
};

/**
 * Makes a call a key at once.
 * @param {string[]} keys
 * @param {(key: string) => Promise<unknown>} call
 */
export const atOnce = (keys, call) => () => Promise.all(keys.map(call));

/**
 * Gives what an iteration yields.
 * @param {AsyncIterable<any>} entries
 */
export async function all(entries) {
  const items = [];
  for await (const item of entries) items.push(item);
  return items;
}

/**
 * Lists, and sees that nothing is missing.
 * @param {() => Promise<any[]>} list
 * @param {number} [length]
 */
export const listing =
  (list, length = COUNT) =>
  async () => {
    const listed = await list();
    if (listed.length !== length) throw new Error(`${listed.length} were listed instead of ${length}`);
  };
