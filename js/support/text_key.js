// What storages have in common whose keys are Unicode text, ordered by code point: those that keep it as UTF-8.

import { PolystoreTypeError, show } from "./errors.js";

const LONE_SURROGATE = /\p{Surrogate}/u;
const LAST_CODE_POINT = 0x10ffff;

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

/**
 * Where all texts that begin with a prefix lie, by code point: from one text on, up to another.
 * @param {string} prefix
 * @returns {[start: string, end: string | null] | null} The end is null where nothing comes after them. Null if no text begins
 *   so; one may well begin with the first half of a pair, for it goes on with the other.
 */
export function rangeOfPrefix(prefix) {
  const half = LONE_SURROGATE.exec(prefix);
  if (!half) return [prefix, endOfPrefix(prefix)];
  if (half.index < prefix.length - 1 || half[0] >= "\udc00") return null;
  return [`${prefix}\udc00`, endOfPrefix(`${prefix}\udfff`)];
}

/**
 * The first text after all those that begin with a prefix, by code point.
 * @param {string} prefix
 * @returns {string | null} Null where nothing comes after them.
 */
function endOfPrefix(prefix) {
  const points = Array.from(prefix, (character) => /** @type {number} */ (character.codePointAt(0)));
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  const next = last + 1 === 0xd800 ? 0xe000 : last + 1; // Surrogates are no code points of a text.
  return String.fromCodePoint(...points, next);
}
