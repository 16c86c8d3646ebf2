import { NEVER } from "./core.js";
import { PolystoreTypeError } from "./errors.js";
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
export default function kv(client = new Map(), options = null) {
  // A binding that is missing must not become a store that forgets.
  if (arguments.length > 0 && arguments[0] === undefined) {
    const message = "kv() was given undefined: is the client's name right? For a store in memory, call kv().";
    throw new PolystoreTypeError("ERR_CLIENT", message);
  }
  // Another copy of this package may be one from before there were timeouts.
  const { timeout: inherited = 0, ...wrapped } = client?.[WRAPPED] ?? { client, prefix: "", expires: NEVER };
  const { prefix = "", expires = wrapped.expires, timeout = inherited, durability } = readOptions(options, true);
  return new Store(sourceOf(wrapped.client, durability), wrapped.prefix + prefix, expires, timeout);
}
