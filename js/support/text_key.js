// What storages have in common whose keys are Unicode text: those that keep it as UTF-8.

import { PolystoreTypeError, show } from "./errors.js";

const LONE_SURROGATE = /\p{Surrogate}/u;

/**
 * Whether UTF-8 can say a key.
 * @param {string} id
 */
export function isText(id) {
  return !LONE_SURROGATE.test(id);
}

/**
 * Refuses what UTF-8 cannot say: encoded all the same, two such keys would become one.
 * @param {string} id
 * @param {string} storage As a message calls it.
 * @throws {PolystoreTypeError} ERR_KEY
 */
export function requireText(id, storage) {
  if (isText(id)) return;
  const message = `The key ${show(id)} has half of a surrogate pair, which ${storage} cannot hold: encode it first.`;
  throw new PolystoreTypeError("ERR_KEY", message);
}
