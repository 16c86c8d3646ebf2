import { cookieClient } from "./clients/cookie_options.js";
import { NEVER } from "./core.js";
import { readOptions } from "./options.js";
import { sourceOf } from "./source.js";
import { Store, WRAPPED } from "./store.js";

export { PolystoreError } from "./errors.js";

/**
 * Wraps a client; see index.d.ts.
 * @param {any} [client]
 * @param {import("./options.js").Options | null} [options]
 * @returns {Store}
 */
export default function kv(client, options = null) {
  // Of undefined that is spelled out, where a binding is missing, there must not come a store that forgets.
  if (arguments.length === 0) client = new Map();
  // Another copy of this package may be one from before there were timeouts.
  const {
    timeout: inherited = 0,
    client: given,
    ...wrapped
  } = client?.[WRAPPED] ?? { client, prefix: "", expires: NEVER };
  const {
    prefix = "",
    expires = wrapped.expires,
    timeout = inherited,
    durability,
    cookie,
  } = readOptions(options, true);
  const source = sourceOf(cookie === undefined ? given : cookieClient(given, cookie), durability);
  return new Store(source, wrapped.prefix + prefix, expires, timeout);
}
