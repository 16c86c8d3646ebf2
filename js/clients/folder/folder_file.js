// The content of a file in a Folder: a record, as in record.js. A file with a long name also has its key as a member.

import { encodeValue, isRecord } from "../../support/record.js";
import { isLong, isSame, keyOf, nameOf } from "./file_name.js";
import { isText } from "../../support/text_key.js";

/** Values are indented up to this depth. Each level makes lines longer, so a deeply nested value could grow a thousand times. */
const INDENTED = 4;

/**
 * Encodes a record as the text of a file, like polystore 0.27. A value that is nested more than four levels deep is on one line.
 * @param {unknown} value A value that JSON can hold.
 * @param {number | null} expires
 */
export function encodeFile(value, expires) {
  if (!isDeeper(value, INDENTED)) return JSON.stringify({ expires, value }, null, 2);
  return `{\n  "expires": ${expires},\n  "value": ${encodeValue(value)}\n}`;
}

/**
 * @param {unknown} value
 * @param {number} levels
 * @returns {boolean}
 */
function isDeeper(value, levels) {
  if (typeof value !== "object" || value === null) return false;
  return levels === 0 || Object.values(value).some((member) => isDeeper(member, levels - 1));
}

/**
 * Adds the key to the text of a record, if the file's name is long.
 * @param {string} text The text of a record, starting with its brace.
 * @param {string} name The name of the file.
 * @param {string} id
 */
export function withKey(text, name, id) {
  return isLong(name) ? `{\n  "key": ${JSON.stringify(id)},${text.slice(1)}` : text;
}

/**
 * Decodes a whole record, or only its expiry: `decodeExpiry` omits the value if it can.
 * @typedef {typeof import("../../support/record.js").decodeRecord | typeof import("../../support/record.js").decodeExpiry} Decode
 */

/**
 * Decodes the record and its key from a file.
 * @param {string} name
 * @param {string | null} text
 * @param {boolean} ignoresCase True if the file was named for a disk that ignores case.
 * @param {Decode} decode
 * @returns {{ id: string, record: import("../../support/record.js").StoredRecord } | undefined} Undefined if the file belongs to other code.
 * @throws {import("../../support/errors.js").PolystoreError} ERR_CORRUPT if its value cannot be decoded.
 */
export function decodeFile(name, text, ignoresCase, decode) {
  const key = keyOf(name);
  if (key === undefined) return undefined;
  const record = decode(text, key);
  if (!isRecord(record)) return undefined;
  const id = isLong(name) ? /** @type {{ key?: unknown }} */ (record).key : key;
  if (typeof id !== "string" || !isText(id)) return undefined;
  const right = nameOf(id, ignoresCase);
  // A disk that ignores case may list the name in another case.
  return name === right || (ignoresCase && isSame(name, right)) ? { id, record } : undefined;
}

/**
 * Decodes the record of a known key.
 * @param {string} id
 * @param {string} name The name of its file.
 * @param {string | null} text
 * @param {Decode} decode
 * @throws {import("../../support/errors.js").PolystoreError} ERR_CORRUPT if its value cannot be decoded.
 */
export function recordOf(id, name, text, decode) {
  const record = decode(text, id);
  const isOurs = isRecord(record) && (!isLong(name) || /** @type {{ key?: unknown }} */ (record).key === id);
  return isOurs ? record : undefined;
}
