// A server for the tests, in workerd. A store like ours, without the core: that is compiled, which Workers do at no time.

import { handler } from "../../dist/server.js";

const data = new Map();

/** @param {string} prefix */
function standIn(prefix) {
  const entries = () =>
    [...data].filter(([id]) => id.startsWith(prefix)).map(([id, json]) => [id.slice(prefix.length), JSON.parse(json)]);
  const store = {
    get: async (/** @type {string} */ key) => JSON.parse(data.get(prefix + key) ?? "null"),
    has: async (/** @type {string} */ key) => data.has(prefix + key),
    set: async (/** @type {string} */ key, /** @type {unknown} */ value) => (
      data.set(prefix + key, JSON.stringify(value)),
      key
    ),
    del: async (/** @type {string} */ key) => (data.delete(prefix + key), key),
    all: async () => Object.fromEntries(entries()),
    clear: async () => entries().forEach(([key]) => data.delete(prefix + key)),
    prune: async () => 0,
    prefix: (/** @type {string} */ inner = "") => standIn(prefix + inner),
    async *[Symbol.asyncIterator]() {
      yield* entries();
    },
  };
  return /** @type {any} */ (store);
}

export default { fetch: handler(standIn(""), { token: "s3cret", maxBody: 100_000, path: "/store" }) };
