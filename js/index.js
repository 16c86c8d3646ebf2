import { cookieClient } from "./clients/cookie/cookie_options.js";
import { requireAtomic } from "./store/atomicity.js";
import { readOptions } from "./store/options.js";
import { sourceOf, unwrap } from "./open/source.js";
import { pruneEvery } from "./store/prune_every.js";
import { Store } from "./store/store.js";

export { PolystoreError } from "./support/errors.js";

/**
 * Wraps a client in a store; index.d.ts documents it.
 * @param {any} [client]
 * @param {import("./store/options.js").Options | null} [options]
 * @returns {Store}
 */
export default function kv(client, options = null) {
  // kv(undefined), for example a missing Workers binding, must be an error: only kv() without arguments means memory.
  if (arguments.length === 0) client = new Map();
  const wrapped = unwrap(client);
  const {
    prefix = "",
    expires = wrapped.expires,
    timeout = wrapped.timeout,
    durability,
    atomic,
    prune = 0,
    cookie,
  } = readOptions(options, "store");
  const given = cookie === undefined ? wrapped.client : cookieClient(wrapped.client, cookie);
  const source = sourceOf(given, durability);
  if (atomic && source.connection) requireAtomic(source.connection, atomic);
  ++source.users;
  const life = { source, atomic };
  const store = new Store(life, wrapped.prefix + prefix, expires, timeout);
  if (prune > 0) pruneEvery(store, life, prune);
  return store;
}
