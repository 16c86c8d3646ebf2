import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";

/**
 * Makes a call for each of several items, in their order, and waits for all of them.
 * @param {string} name The method, for messages.
 * @param {any} items
 * @param {(item: any) => Promise<any>} call
 * @returns {Promise<any[]>} The results, in the order of the items.
 * @throws {PolystoreError} The first error, whose message also says how many calls succeeded.
 */
export async function inTurn(name, items, call) {
  if (typeof items === "string" || typeof items?.[Symbol.iterator] !== "function") {
    const message = `${name}() was called with ${show(items)}; it must be an array.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }
  const settled = await Promise.allSettled(Array.from(items, call));
  const failed = settled.find(({ status }) => status === "rejected");
  if (!failed) return settled.map((result) => /** @type {PromiseFulfilledResult<any>} */ (result).value);
  const error = /** @type {PromiseRejectedResult} */ (failed).reason;
  const done = settled.filter(({ status }) => status === "fulfilled").length;
  const Type = error instanceof TypeError ? PolystoreTypeError : PolystoreError;
  throw new Type(error.code, `${name}() did ${done} of ${settled.length}. ${error.message}`, { cause: error });
}
