/**
 * Recognizes a client by its methods, and by its not having those of a client of the user's own.
 * @param {string[]} methods
 */
export function has(...methods) {
  return (/** @type {any} */ input) =>
    methods.every((name) => typeof input[name] === "function") &&
    !(typeof input.get === "function" && typeof input.set === "function");
}
