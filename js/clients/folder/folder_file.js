// What is in a file of a Folder: a record, as record.js has it; under a long name, with its key as one more member.

import { isRecord } from "../../support/record.js";
import { isLong, isSame, keyOf, nameOf } from "./file_name.js";
import { isText } from "../../support/text_key.js";

/** How deep a value may be nested to be indented: at each level a line is longer, and what is nested deeper could grow a thousandfold. */
const INDENTED = 4;

/**
 * A record as the text of a file, which polystore 0.27 writes alike. A value that is nested more than four levels deep is on one line.
 * @param {unknown} value A value that JSON can hold.
 * @param {number | null} expires
 */
export function encodeFile(value, expires) {
  if (!isDeeper(value, INDENTED)) return JSON.stringify({ expires, value }, null, 2);
  return `{\n  "expires": ${expires},\n  "value": ${JSON.stringify(value)}\n}`;
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
 * @param {string} text Of a record, beginning with its bracket.
 * @param {string} name Of the file that it is for.
 * @param {string} id
 */
export function withKey(text, name, id) {
  return isLong(name) ? `{\n  "key": ${JSON.stringify(id)},${text.slice(1)}` : text;
}

/**
 * How much of a record is decoded: `decodeExpiry` leaves out the value where it can.
 * @typedef {typeof import("../../support/record.js").decodeRecord | typeof import("../../support/record.js").decodeExpiry} Decode
 */

/**
 * @param {string} name
 * @param {string | null} text
 * @param {boolean} ignoresCase Whether the disk does, for which the file was named.
 * @param {Decode} decode
 * @returns {{ id: string, record: import("../../support/record.js").StoredRecord } | undefined} Nothing where the file is another's.
 * @throws {import("../../support/errors.js").PolystoreError} ERR_CORRUPT where its value cannot be read.
 */
export function decodeFile(name, text, ignoresCase, decode) {
  const key = keyOf(name);
  if (key === undefined) return undefined;
  const record = decode(text, key);
  if (!isRecord(record)) return undefined;
  const id = isLong(name) ? /** @type {{ key?: unknown }} */ (record).key : key;
  if (typeof id !== "string" || !isText(id)) return undefined;
  const right = nameOf(id, ignoresCase);
  // A disk that ignores case may give the name in another.
  return name === right || (ignoresCase && isSame(name, right)) ? { id, record } : undefined;
}

/**
 * The record of a key.
 * @param {string} id
 * @param {string} name Of its file.
 * @param {string | null} text
 * @param {Decode} decode
 * @throws {import("../../support/errors.js").PolystoreError} ERR_CORRUPT where its value cannot be read.
 */
export function recordOf(id, name, text, decode) {
  const record = decode(text, id);
  const isOurs = isRecord(record) && (!isLong(name) || /** @type {{ key?: unknown }} */ (record).key === id);
  return isOurs ? record : undefined;
}
