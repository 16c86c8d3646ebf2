// How a Folder names the file of a key. The C++ library has the same rules, in file_name.hpp.
//
//     name    = encoded ".json"            ; as polystore names it, where that is 255 bytes or less
//             / head "+" hash ".json"      ; else: the long name of a file that has its key in it
//     encoded = the key by encodeURIComponent, with "*" as "%2A"; for a disk that ignores case, capitals as "%41" to "%5A" too
//             ; there, the first character of a name that Windows reserves for a device is written the same way: "%63on.json"
//     head    = as many of the key's first characters, encoded, as make 160 bytes or less
//     hash    = the SHA-256 of the key's UTF-8, as 64 hexadecimal digits in small letters
//
// No encoded text has a "+": so no two keys have one name, nor two that such a disk takes for one.

import { createHash } from "node:crypto";

const EXTENSION = ".json";
/** What the file systems of Linux, macOS and Windows allow, in bytes. */
const LONGEST_NAME = 255;
const LONGEST_HEAD = 160;
/** Names that Windows takes for a device, whatever follows the first dot. Capitals are escaped before this is compared. */
const RESERVED = /^(?:aux|con|nul|prn|com\d|lpt\d)(?=\.)/;
const LONG = /^([^+]*)\+[0-9a-f]{64}\.json$/i;

/**
 * @param {string} id Without half of a surrogate pair.
 * @param {boolean} ignoresCase Whether the disk does.
 */
export function nameOf(id, ignoresCase) {
  const name = unreserved(encode(id, ignoresCase) + EXTENSION, ignoresCase);
  if (name.length <= LONGEST_NAME) return name;
  const hash = createHash("sha256").update(id).digest("hex");
  return unreserved(`${headOf(id, ignoresCase)}+${hash}${EXTENSION}`, ignoresCase);
}

/** @param {string} name */
export function isLong(name) {
  return LONG.test(name);
}

/**
 * What a name says of a key: all of it, or how it begins if the name is long.
 * @param {string} name
 * @returns {string | undefined} Nothing where the name is none of ours.
 */
export function keyOf(name) {
  if (!name.endsWith(EXTENSION)) return undefined;
  try {
    return decodeURIComponent(LONG.exec(name)?.[1] ?? name.slice(0, -EXTENSION.length));
  } catch {
    return undefined; // Such as 100%.json.
  }
}

/**
 * Whether two names are one to a disk that ignores case: all that differs in ours is letters of ASCII.
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
  const encoded = encodeURIComponent(id).replaceAll("*", "%2A"); // Which Windows does not allow in a name.
  if (!ignoresCase) return encoded;
  // The capitals of the key, not those of what is encoded already.
  return encoded.replace(/%..|[A-Z]/g, (part) => (part[0] === "%" ? part : escaped(part)));
}

/**
 * @param {string} name
 * @param {boolean} ignoresCase
 */
function unreserved(name, ignoresCase) {
  return ignoresCase && RESERVED.test(name) ? escaped(name[0]) + name.slice(1) : name;
}

/** @param {string} character Of ASCII. */
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
    if (head.length + encoded.length > LONGEST_HEAD) break;
    head += encoded;
  }
  return head;
}
