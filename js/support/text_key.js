// The keys of storages that hold them as UTF-8, and so cannot hold lone surrogates.

import { PolystoreTypeError, show } from "./errors.js";

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Tells whether a key is well-formed Unicode, which UTF-8 can encode.
 * @param {string} id
 */
export function isText(id) {
  return !LONE_SURROGATE.test(id);
}

/**
 * Refuses a key with a lone surrogate. Encoding replaces lone surrogates, so that two such keys would become one.
 * @param {string} id
 * @param {string} storage The name of the storage, for the message.
 * @throws {PolystoreTypeError} ERR_KEY
 */
export function requireText(id, storage) {
  if (isText(id)) return;
  const message = `The key ${show(id)} has a lone surrogate, which ${storage} cannot hold. Encode the key first.`;
  throw new PolystoreTypeError("ERR_KEY", message);
}
