/**
 * @param {any} value
 * @returns {value is PromiseLike<any>}
 */
export function isPromise(value) {
  return typeof value === "object" && value !== null && typeof value.then === "function";
}
