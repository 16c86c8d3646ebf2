// Conditional requests: the ETag of a value, and the headers If-Match and If-None-Match (RFC 9110, section 13).

import { versionOf } from "../values/version.js";

/**
 * Returns the ETag of a value, which is the version that `entry()` gives, in quotes. Equal values have the same.
 * @param {unknown} value The value, or null if there is none.
 * @returns {string | null}
 */
export const tagOf = (value) => (value === null ? null : `"${versionOf(value)}"`);

/**
 * @param {Headers} headers
 */
export const isConditional = (headers) => headers.has("if-match") || headers.has("if-none-match");

/**
 * @param {Headers} headers
 * @param {string | null} tag The ETag of the value, or null if there is none.
 */
export function fails(headers, tag) {
  const match = headers.get("if-match");
  if (match !== null && !isNamed(match, tag, false)) return true;
  const noneMatch = headers.get("if-none-match");
  return noneMatch !== null && isNamed(noneMatch, tag, true);
}

/**
 * @param {string} list The value of the header: "*", or ETags.
 * @param {string | null} tag
 * @param {boolean} allowsWeak True if a weak ETag names the value, too: a proxy that compresses answers makes ETags weak.
 */
function isNamed(list, tag, allowsWeak) {
  if (tag === null) return false;
  if (list.trim() === "*") return true;
  return [...list.matchAll(/(W\/)?("[^"]*")/g)].some(([, weak, named]) => named === tag && (allowsWeak || !weak));
}
