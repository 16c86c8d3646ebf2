// What is in a file of a Folder: a record, as record.js has it; under a long name, with its key as one more member.

import { decodeRecord, isRecord } from "../record.js";
import { isLong, isSame, keyOf, nameOf } from "./file_name.js";
import { isText } from "./text_key.js";

/**
 * @param {unknown} value A value that JSON can hold.
 * @param {number | null} expires
 */
export function encodeFile(value, expires) {
  return JSON.stringify({ expires, value }, null, 2);
}

/**
 * @param {string} text What `encodeFile` made.
 * @param {string} name Of the file that it is for.
 * @param {string} id
 */
export function withKey(text, name, id) {
  return isLong(name) ? `{\n  "key": ${JSON.stringify(id)},${text.slice(1)}` : text;
}

/**
 * @param {string} name
 * @param {string | null} text
 * @param {boolean} ignoresCase Whether the disk does, for which the file was named.
 * @returns {{ id: string, record: import("../record.js").StoredRecord } | undefined} Nothing where the file is another's.
 */
export function decodeFile(name, text, ignoresCase) {
  const record = decodeRecord(text);
  if (!isRecord(record)) return undefined;
  const id = isLong(name) ? /** @type {{ key?: unknown }} */ (record).key : keyOf(name);
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
 */
export function recordOf(id, name, text) {
  const record = decodeRecord(text);
  const isOurs = isRecord(record) && (!isLong(name) || /** @type {{ key?: unknown }} */ (record).key === id);
  return isOurs ? record : undefined;
}
