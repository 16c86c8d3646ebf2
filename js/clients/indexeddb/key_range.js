// Ranges of keys in IndexedDB, which orders keys by their UTF-16 units. Ours is the order of code points. The two differ only if two keys
// first differ in two units from U+D800 on, one of which is a surrogate.

/** @typedef {import("../../core/client.js").Range} Range */

const LATE_UNIT = /[\ud800-\uffff]/;

/**
 * Tells whether a text stands in the same place among all texts with the prefix, in IndexedDB's order and in that of code points.
 * @param {string} text
 * @param {string} prefix
 */
export function hasSamePlace(text, prefix) {
  return !LATE_UNIT.test(text.startsWith(prefix) ? text.slice(prefix.length) : prefix + text);
}

/**
 * Tells whether all the bounds of a range stand in the same place in both orders.
 * @param {Range} range
 */
export function hasSameBounds({ prefix, gt = prefix, gte = prefix, lt = prefix, lte = prefix }) {
  return [gt, gte, lt, lte].every((bound) => hasSamePlace(bound, prefix));
}

/**
 * Returns the keys with the prefix of a range and within its bounds, in IndexedDB's order.
 * @param {Range} range
 * @returns {IDBKeyRange | null} Null if no key can lie in the range.
 */
export function keyRangeOf({ prefix, gt, gte, lt, lte }) {
  const head = prefix.replace(/\uffff+$/, "");
  let lower = gte ?? gt ?? prefix;
  let isLowerOpen = gte === undefined && gt !== undefined;
  if (lower < prefix) [lower, isLowerOpen] = [prefix, false];
  // An array sorts after every string. So does a binary key, but fake-indexeddb refuses those on Node 20.
  /** @type {string | []} */
  let upper = head === "" ? [] : head.slice(0, -1) + String.fromCharCode(head.charCodeAt(head.length - 1) + 1);
  let isUpperOpen = true;
  const last = lte ?? lt;
  if (last !== undefined && (typeof upper !== "string" || last < upper)) {
    [upper, isUpperOpen] = [last, lte === undefined];
  }
  if (typeof upper === "string" && (lower > upper || (lower === upper && (isLowerOpen || isUpperOpen)))) return null;
  return IDBKeyRange.bound(lower, upper, isLowerOpen, isUpperOpen);
}
