import { cookieClient } from "./clients/cookie/cookie_options.js";
import { readOptions } from "./store/options.js";
import { sourceOf, unwrap } from "./open/source.js";
import { Store } from "./store/store.js";

export { PolystoreError } from "./support/errors.js";

/**
 * Wraps a client; see index.d.ts.
 * @param {any} [client]
 * @param {import("./store/options.js").Options | null} [options]
 * @returns {Store}
 */
export default function kv(client, options = null) {
  // Of undefined that is spelled out, where a binding is missing, there must not come a store that forgets.
  if (arguments.length === 0) client = new Map();
  const wrapped = unwrap(client);
  const {
    prefix = "",
    expires = wrapped.expires,
    timeout = wrapped.timeout,
    durability,
    cookie,
  } = readOptions(options, true);
  const given = cookie === undefined ? wrapped.client : cookieClient(wrapped.client, cookie);
  const source = sourceOf(given, durability);
  ++source.users;
  return new Store({ source }, wrapped.prefix + prefix, expires, timeout);
}
