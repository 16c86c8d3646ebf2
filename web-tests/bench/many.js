// What the tables of large stores share: as in the native one, 100,000 keys of 16 bytes with values of 100.

const COUNT = 100_000;
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
 * Makes one call after the other.
 * @param {number} times
 * @param {(key: string) => Promise<unknown>} call
 */
export const oneByOne = (times, call) => async () => {
  for (let i = 0; i < times; ++i) await call(KEYS[i]);
};

/**
 * Makes 1,000 calls at once.
 * @param {(key: string) => Promise<unknown>} call
 */
export const atOnce = (call) => () => Promise.all(KEYS.slice(0, 1000).map(call));

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
