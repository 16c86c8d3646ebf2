// Limits the bytes of a page for storages that list a given number of records without telling their sizes.

/** The number of bytes at which a page ends. Its last record may exceed it. */
export const PAGE_BYTES = 2 ** 20;
/** The number of records on the first page, while their sizes are unknown. */
export const FIRST_LENGTH = 32;
/** The depth down to which the texts in a value are counted. */
const DEPTH = 4;

/**
 * Returns the number of records for the next page, so that the page has some 1 MB if its records are like those of the last page.
 * @param {number} length The number of records that the last page was to have.
 * @param {number} count The number of records that it had: fewer where the storage gave no more.
 * @param {number} bytes The size of the last page.
 * @param {number} max The maximum number of records.
 */
export function nextLength(length, count, bytes, max) {
  const fitting = Math.floor((count * PAGE_BYTES) / Math.max(bytes, 1));
  return Math.max(1, Math.min(fitting, 4 * length, max));
}

/**
 * Estimates the bytes of a value: the characters of its texts, and a few bytes for each other member.
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

/**
 * Estimates the bytes of several values.
 * @param {unknown[]} values
 */
export function sizeOfAll(values) {
  let size = 0;
  for (const value of values) size += sizeOf(value);
  return size;
}
