// How a page of a listing ends at a number of bytes, where a storage gives a number of records and does not tell their sizes.

/** Bytes of a page: the last record may pass it. */
export const PAGE_BYTES = 2 ** 20;
/** Records to the first page: nothing is known of their sizes. */
export const FIRST_LENGTH = 32;
/** How deep a value is looked into for its texts. */
const DEPTH = 4;

/**
 * How many records the next page is to have, so that it has some 1 MB if they are like the last ones.
 * @param {number} length How many the last page had.
 * @param {number} bytes Of the last page.
 * @param {number} most
 */
export function nextLength(length, bytes, most) {
  const fitting = Math.floor((length * PAGE_BYTES) / Math.max(bytes, 1));
  return Math.max(1, Math.min(fitting, 4 * length, most));
}

/**
 * About how many bytes a value has: the characters of its texts, and a few for all else.
 * @param {unknown} value
 * @param {number} [depth]
 * @returns {number}
 */
export function sizeOf(value, depth = DEPTH) {
  if (typeof value === "string") return value.length;
  if (typeof value !== "object" || value === null || depth === 0) return 8;
  let size = 8;
  for (const member of Object.values(value)) size += sizeOf(member, depth - 1);
  return size;
}

/** @param {unknown[]} values */
export function sizeOfAll(values) {
  let size = 0;
  for (const value of values) size += sizeOf(value);
  return size;
}
