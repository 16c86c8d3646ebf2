/**
 * @param {any} input
 * @param {string[]} names
 */
export function hasMethods(input, ...names) {
  return names.every((name) => typeof input[name] === "function");
}

/**
 * Recognizes a client by its methods, and by its not having those of a client of the user's own.
 * @param {string[]} names
 */
export function has(...names) {
  return (/** @type {any} */ input) => hasMethods(input, ...names) && !hasMethods(input, "get", "set");
}

/**
 * Recognizes a namespace of Cloudflare KV, which a Worker has, and others can have.
 * @param {any} input
 */
export function isCloudflare(input) {
  return has("get", "getWithMetadata", "put", "delete", "list")(input);
}
