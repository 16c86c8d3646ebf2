import { same, sameElements, show } from "./equal.js";

/**
 * @param {unknown} condition
 * @param {string} claim What should be true.
 * @returns {asserts condition}
 */
export function holds(condition, claim) {
  if (!condition) throw new Error(`this should be true: ${claim}`);
}

/**
 * @param {unknown} got
 * @param {unknown} expected
 * @param {string} [what]
 */
export function equals(got, expected, what = "the result") {
  if (!same(got, expected)) throw new Error(`${what} should be ${show(expected)}, and is ${show(got)}`);
}

/**
 * @param {unknown} got
 * @param {unknown[]} expected
 * @param {string} [what]
 */
export function equalsInAnyOrder(got, expected, what = "the result") {
  if (!sameElements(got, expected)) {
    throw new Error(`${what} should be ${show(expected)} in any order, and is ${show(got)}`);
  }
}

/**
 * What an error has to be.
 * @typedef {object} Failure
 * @property {string} code
 * @property {(abstract new (...args: any[]) => Error)} [type]
 * @property {RegExp | string} [says] What the message holds.
 * @property {unknown} [cause]
 */

/**
 * @param {unknown} promise
 * @param {Failure} failure
 * @param {string} [what]
 */
export async function rejects(promise, failure, what = "the call") {
  holds(isPromise(promise), `${what} gives a promise`);
  let result;
  try {
    result = await promise;
  } catch (error) {
    return checkError(error, failure, what);
  }
  throw new Error(`${what} should reject with ${failure.code}, and gives ${show(result)}`);
}

/**
 * @param {() => unknown} call
 * @param {Failure} failure
 * @param {string} [what]
 */
export function throws(call, failure, what = "the call") {
  let result;
  try {
    result = call();
  } catch (error) {
    return checkError(error, failure, what);
  }
  if (isPromise(result)) result.then(undefined, () => {}); // It failed, but too late.
  throw new Error(`${what} should throw ${failure.code} at once, and does not`);
}

/**
 * @param {any} error
 * @param {Failure} failure
 * @param {string} what
 */
function checkError(error, { code, type = Error, says = "", cause }, what) {
  const problem =
    (!(error instanceof type) && `is no ${type.name}`) ||
    (error.code !== code && `has the code ${show(error.code)} and not ${code}`) ||
    (!(typeof says === "string" ? error.message.includes(says) : says.test(error.message)) && `does not say ${says}`) ||
    (cause !== undefined &&
      error.cause !== cause &&
      `has the cause ${show(String(error.cause))} and not ${show(String(cause))}`);
  if (problem) throw new Error(`the error of ${what} ${problem}: ${error}`, { cause: error });
}

/**
 * @param {any} value
 * @returns {value is Promise<any>}
 */
export function isPromise(value) {
  return typeof value?.then === "function";
}
