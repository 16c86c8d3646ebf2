// A record is what a storage without expiry of its own holds at a key, byte for byte as polystore 0.27 reads and writes
// it: { "expires": <milliseconds since the epoch, or null>, "value": <JSON> }.

/** @typedef {{ expires: number | null, value: any }} StoredRecord */

/**
 * Whether something found in a storage is a record; what is not was put there by other code, and stays untouched.
 * @param {any} found
 * @returns {found is StoredRecord}
 */
export function isRecord(found) {
  if (typeof found !== "object" || found === null) return false;
  const { expires, value } = found;
  return (expires === null || typeof expires === "number") && value !== undefined && value !== null;
}

/**
 * @param {unknown} value A value that JSON can hold.
 * @param {number | null} expires
 * @returns {string}
 */
export function encodeRecord(value, expires) {
  return `{"expires":${expires},"value":${JSON.stringify(value)}}`;
}

/**
 * @param {string | null} text
 * @returns {StoredRecord | undefined}
 */
export function decodeRecord(text) {
  // Cheaper than the exception that other code's "dark" or "1.2.3" would cost.
  if (text === null || text[0] !== "{") return undefined;
  return decodeValue(text);
}

/**
 * @param {string} text
 * @returns {any} `undefined`, which is no value of a record, where the text is not JSON: other code's.
 */
export function decodeValue(text) {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

// A record whose value is a number, a boolean or a text without escapes: JSON that needs no parser.
const SIMPLE = /^\{\s*"expires":\s*(null|[1-9]\d*),\s*"value":\s*(?:"[^"\\\0-\x1f]*"|true|false|-?[1-9]\d*)\s*\}$/;

/** What a listing of keys needs to know of a record that does not expire. @type {StoredRecord} */
export const WITHOUT_EXPIRY = Object.freeze({ expires: null, value: true });

/**
 * The expiry of a record, for a listing of keys: for most records, three times as fast as decoding all of it.
 * @param {string | null} text
 * @returns {StoredRecord | undefined} The record, maybe with another value.
 */
export function decodeExpiry(text) {
  if (text === null || !SIMPLE.test(text)) return decodeRecord(text);
  if (text.startsWith('{"expires":null')) return WITHOUT_EXPIRY; // As we write it: no match to take apart.
  const [, expires] = /** @type {RegExpExecArray} */ (SIMPLE.exec(text));
  return expires === "null" ? WITHOUT_EXPIRY : { expires: Number(expires), value: true };
}
