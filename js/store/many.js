import { keyText } from "./options.js";
import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";

/**
 * Makes a call for each of several items, in their order, and waits for all of them.
 * @template Item
 * @param {string} name The method, for messages.
 * @param {Item[]} items
 * @param {(item: Item) => Promise<any>} call
 * @returns {Promise<any[]>} The results, in the order of the items.
 * @throws {PolystoreError} The first error, whose message also says how many calls succeeded.
 */
export async function inTurn(name, items, call) {
  const settled = await Promise.allSettled(items.map((item) => call(item)));
  const failed = settled.find(({ status }) => status === "rejected");
  if (!failed) return settled.map((result) => /** @type {PromiseFulfilledResult<any>} */ (result).value);
  const error = /** @type {PromiseRejectedResult} */ (failed).reason;
  const done = settled.filter(({ status }) => status === "fulfilled").length;
  const Type = error instanceof TypeError ? PolystoreTypeError : PolystoreError;
  throw new Type(error.code, `${name}() did ${done} of ${settled.length}. ${error.message}`, { cause: error });
}

/**
 * Returns the keys of a call.
 * @param {string} name The method, for messages.
 * @param {any} keys
 * @throws {PolystoreTypeError} ERR_KEY
 */
export function keysOf(name, keys) {
  return listOf(name, keys, "keys").map((key) => keyText(key));
}

/**
 * Returns the entries of setMany().
 * @param {any} entries
 * @returns {[key: string, value?: unknown][]}
 * @throws {PolystoreTypeError} ERR_KEY or ERR_VALUE
 */
export function pairsOf(entries) {
  const isPlain = typeof entries === "object" && entries !== null && !(Symbol.iterator in entries);
  const pairs = isPlain ? Object.entries(entries) : listOf("setMany", entries, "[key, value], or an object");
  return pairs.map((pair) => {
    if (pair?.length === 1 && Array.isArray(pair)) throw missingValue();
    if (pair?.length !== 2 || !Array.isArray(pair))
      throw new PolystoreTypeError("ERR_KEY", `setMany() has the entry ${show(pair)}; it must be [key, value].`);
    return [keyText(pair[0]), pair[1]];
  });
}

/**
 * @param {string} name
 * @param {any} items
 * @param {string} expected
 * @returns {any[]}
 * @throws {PolystoreTypeError} ERR_KEY
 */
function listOf(name, items, expected) {
  if (typeof items !== "string" && typeof items?.[Symbol.iterator] === "function") return [...items];
  const message = `${name}() was called with ${show(items)}; it must be an array or another iterable of ${expected}.`;
  throw new PolystoreTypeError("ERR_KEY", message);
}

export function missingValue() {
  return new PolystoreTypeError("ERR_VALUE", "The value is missing. Pass a value, or null to delete the key.");
}
