// The names of the files in a Folder. The C++ library has the same rules, in file_name.hpp.
//
//     name    = encoded ".json"            ; as in polystore, if that has at most 255 bytes
//             / head "+" hash ".json"      ; otherwise: a long name; the file then contains its key
//     encoded = the key by encodeURIComponent, with "*" as "%2A"; for a disk that ignores case, capitals as "%41" to "%5A" too
//             ; there, the first character of a name that Windows reserves for a device is written the same way: "%63on.json"
//     head    = as many of the key's first characters, encoded, as fit into 160 bytes
//     hash    = the SHA-256 of the key's UTF-8, as 64 hexadecimal digits in lower case
//
// No encoded text contains a "+". So no two keys have the same name, or names that such a disk treats as the same.

import { createHash } from "node:crypto";

const EXTENSION = ".json";
/** The longest name that the file systems of Linux, macOS and Windows allow, in bytes. */
const MAX_NAME = 255;
const MAX_HEAD = 160;
/** Names that Windows treats as devices, whatever follows the first dot. Capitals are escaped before this is compared. */
const RESERVED = /^(?:aux|con|nul|prn|com\d|lpt\d)(?=\.)/;
const LONG = /^([^+]*)\+[0-9a-f]{64}\.json$/i;

/**
 * @param {string} id A key without lone surrogates.
 * @param {boolean} ignoresCase True if the disk ignores case.
 */
export function nameOf(id, ignoresCase) {
  const name = unreserved(encode(id, ignoresCase) + EXTENSION, ignoresCase);
  if (name.length <= MAX_NAME) return name;
  const hash = createHash("sha256").update(id).digest("hex");
  return unreserved(`${headOf(id, ignoresCase)}+${hash}${EXTENSION}`, ignoresCase);
}

/** @param {string} name */
export function isLong(name) {
  return LONG.test(name);
}

/**
 * Decodes the key from a name: the whole key, or only its beginning if the name is long.
 * @param {string} name
 * @returns {string | undefined} Undefined if the file is not a record's.
 */
export function keyOf(name) {
  if (!name.endsWith(EXTENSION)) return undefined;
  try {
    return decodeURIComponent(LONG.exec(name)?.[1] ?? name.slice(0, -EXTENSION.length));
  } catch {
    return undefined; // For example, 100%.json.
  }
}

/**
 * True if two names are the same on a disk that ignores case. Names of records contain only ASCII.
 * @param {string} name
 * @param {string} other
 */
export function isSame(name, other) {
  return name.toLowerCase() === other.toLowerCase();
}

/**
 * @param {string} id
 * @param {boolean} ignoresCase
 */
function encode(id, ignoresCase) {
  const encoded = encodeURIComponent(id).replaceAll("*", "%2A"); // Windows does not allow "*" in a name.
  if (!ignoresCase) return encoded;
  // Only the capitals of the key, not those of an escape.
  return encoded.replace(/%..|[A-Z]/g, (part) => (part[0] === "%" ? part : escaped(part)));
}

/**
 * @param {string} name
 * @param {boolean} ignoresCase
 */
function unreserved(name, ignoresCase) {
  return ignoresCase && RESERVED.test(name) ? escaped(name[0]) + name.slice(1) : name;
}

/** @param {string} character An ASCII character. */
function escaped(character) {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`;
}

/**
 * @param {string} id
 * @param {boolean} ignoresCase
 */
function headOf(id, ignoresCase) {
  let head = "";
  for (const character of id) {
    const encoded = encode(character, ignoresCase);
    if (head.length + encoded.length > MAX_HEAD) break;
    head += encoded;
  }
  return head;
}
