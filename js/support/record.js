// A storage without an expiry of its own holds a record at each key, byte for byte as polystore 0.27 reads and writes it:
// { "expires": <milliseconds since the epoch, or null>, "value": <JSON> }.

import { PolystoreError, show } from "./errors.js";

/**
 * A record, as a client returns it. A client may add a version, which differs between any two writes of a key. Only that client
 * compares versions.
 * @typedef {{ expires: number | null, value: any, version?: unknown }} StoredRecord
 */

/**
 * Tells whether something found in a storage is a record. Anything else was put there by other code, and stays untouched.
 * @param {any} found
 * @returns {found is StoredRecord}
 */
export function isRecord(found) {
  if (typeof found !== "object" || found === null) return false;
  const { expires, value } = found;
  return (expires === null || typeof expires === "number") && value !== undefined && value !== null;
}

/**
 * Tells whether a key still holds what was found there: either no record, or a record with the same expiry and, if its client adds
 * one, the same version.
 * @param {unknown} now
 * @param {Omit<StoredRecord, "value"> | null} found
 */
export function isSameRecord(now, found) {
  if (!isRecord(now) || found === null) return !isRecord(now) && found === null;
  return now.expires === found.expires && (found.version === undefined || now.version === found.version);
}

/**
 * Tells whether a text is still the record that was found. The version of a record in a text is that text.
 * @param {string | null} text
 * @param {StoredRecord | null} found
 */
export function isSameText(text, found) {
  const now = decodeExpiry(text);
  return isSameRecord(isRecord(now) ? { ...now, version: text } : undefined, found);
}

/**
 * Tells whether an object is still the record that was found. Such records have no version, so their values are compared.
 * @param {any} now
 * @param {StoredRecord | null} found
 */
export function isSameObject(now, found) {
  return isSameRecord(now, found) && (found === null || isSameValue(now.value, found.value));
}

/**
 * @param {any} one
 * @param {any} other
 * @returns {boolean}
 */
function isSameValue(one, other) {
  if (typeof one !== "object" || typeof other !== "object" || !one || !other) return Object.is(one, other);
  const names = Object.keys(one);
  return (
    names.length === Object.keys(other).length &&
    names.every((name) => Object.hasOwn(other, name) && isSameValue(one[name], other[name]))
  );
}

/** This record stands for one whose key was listed without its value. */
export const KEY_ONLY = { expires: null, value: true };

/**
 * Encodes a value as the text that a storage holds. Every client that stores texts calls this function, so that another form of stored
 * values, such as one for typed or encrypted values, needs to be written once; `decodeValue` and `parseValue` read it.
 * @param {unknown} value A value that JSON can hold.
 * @returns {string}
 */
export function encodeValue(value) {
  return JSON.stringify(value);
}

/**
 * @param {unknown} value A value that JSON can hold.
 * @param {number | null} expires
 * @returns {string}
 */
export function encodeRecord(value, expires) {
  return `{"expires":${expires},"value":${encodeValue(value)}}`;
}

/**
 * @param {string | null} text
 * @param {string} id The key of the text, for the message.
 * @returns {StoredRecord | undefined}
 * @throws {PolystoreError} ERR_CORRUPT
 */
export function decodeRecord(text, id) {
  // This check is cheaper than the exception that parsing a text of other code, such as "dark" or "1.2.3", would cost.
  if (text === null || text[0] !== "{") return undefined;
  return decodeValue(text, id);
}

/**
 * Decodes a record with its version, which is its text, for a commit that expects the record later.
 * @param {string | null} text
 * @param {string} id The key of the text, for the message.
 * @returns {StoredRecord | undefined}
 * @throws {PolystoreError} ERR_CORRUPT
 */
export function decodeVersion(text, id) {
  const record = decodeRecord(text, id);
  if (record) record.version = text;
  return record;
}

/**
 * @param {string} text
 * @param {string} id The key of the text, for the message.
 * @returns {any} The value, or undefined if the text is not JSON, because other code stored it.
 * @throws {PolystoreError} ERR_CORRUPT if it has a number that JavaScript cannot hold.
 */
export function decodeValue(text, id) {
  const value = parseValue(text);
  if (mayOverflow(text)) requireFinite(value, id);
  return value;
}

/**
 * The same for a value that is not used, and may therefore have any number in it.
 * @param {string} text
 * @returns {any}
 */
export function parseValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Tells whether a number in a JSON text may be too large for JavaScript. Such a number has at least 200 digits, or an exponent of at
 * least three digits. Most texts have neither, and checking that takes much less time than parsing.
 * @param {string} text
 */
export function mayOverflow(text) {
  return /\d[eE]\+?\d{3}|\d{200}/.test(text);
}

/**
 * @param {unknown} value The result of JSON.parse(), which has Infinity in place of a number that is too large.
 * @param {string} id The key of the value, for the message.
 * @throws {PolystoreError} ERR_CORRUPT
 */
export function requireFinite(value, id) {
  if (typeof value === "object" && value) for (const member of Object.values(value)) requireFinite(member, id);
  if (value === Infinity || value === -Infinity)
    throw new PolystoreError(
      "ERR_CORRUPT",
      `The record at ${show(id)} has a number that JavaScript cannot hold. Overwrite or delete it.`,
    );
}

// A record whose value is a number, a boolean or a text without escapes. Its expiry can be read without a parser.
const SIMPLE = /^\{\s*"expires":\s*(null|[1-9]\d*),\s*"value":\s*(?:"[^"\\\0-\x1f]*"|true|false|-?[1-9]\d*)\s*\}$/;

/** Stands for any record that does not expire, in a listing of keys. @type {StoredRecord} */
export const WITHOUT_EXPIRY = Object.freeze({ expires: null, value: true });

/**
 * Decodes the expiry of a record, for a listing of keys. For most records, that is three times as fast as decoding the record.
 * @param {string | null} text
 * @returns {StoredRecord | undefined} The record, possibly with another value.
 */
export function decodeExpiry(text) {
  if (text === null || !SIMPLE.test(text)) return text?.[0] === "{" ? parseValue(text) : undefined;
  if (text.startsWith('{"expires":null')) return WITHOUT_EXPIRY; // encodeRecord() writes this form, which needs no match.
  const [, expires] = /** @type {RegExpExecArray} */ (SIMPLE.exec(text));
  return expires === "null" ? WITHOUT_EXPIRY : { expires: Number(expires), value: true };
}
