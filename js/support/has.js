/**
 * Tells whether an object has methods with these names.
 * @param {any} input
 * @param {string[]} names
 */
export function hasMethods(input, ...names) {
  return names.every((name) => typeof input[name] === "function");
}

/**
 * Recognizes a client that has these methods, and lacks the methods get() and set() of a custom client.
 * @param {string[]} names
 */
export function has(...names) {
  return (/** @type {any} */ input) => hasMethods(input, ...names) && !hasMethods(input, "get", "set");
}

/**
 * Recognizes a namespace of Cloudflare KV. Workers have them, and other programs can.
 * @param {any} input
 */
export function isCloudflare(input) {
  return has("get", "getWithMetadata", "put", "delete", "list")(input);
}
