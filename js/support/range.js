// Ranges of keys in the order of their code points, which is also the order of their UTF-8 bytes.

import { isText } from "./text_key.js";

/** @typedef {import("../core/client.js").Range} Range */

/** The bounds of some keys: the first possible key, and the end, which is excluded; null if there is no end. @typedef {[start: string, end: string | null]} Bounds */

/** The names of the bounds of a range, which are keys. */
export const BOUNDS = ["gt", "gte", "lt", "lte"];

const LAST_CODE_POINT = 0x10ffff;

/**
 * Compares two texts by their code points. Their UTF-16 units have another order only if a surrogate is compared with a unit from
 * U+E000 to U+FFFF: the surrogate stands for a larger code point.
 * @param {string} one
 * @param {string} other
 * @returns {number} Less than 0 if the first text comes first, 0 if the texts are the same, otherwise more than 0.
 */
export function compareTexts(one, other) {
  if (one === other) return 0;
  const length = Math.min(one.length, other.length);
  for (let i = 0; i < length; ++i) {
    const a = one.charCodeAt(i);
    const b = other.charCodeAt(i);
    if (a !== b) return weightOf(a) - weightOf(b);
  }
  return one.length - other.length;
}

/** @param {number} unit */
function weightOf(unit) {
  if (unit < 0xd800) return unit;
  return unit < 0xe000 ? unit + 0x2000 : unit - 0x800;
}

/**
 * Returns the bounds of a range.
 * @param {Range} range
 * @returns {Bounds | null} Null if no text can lie in the range.
 */
export function boundsOf({ prefix, gt, gte, lt, lte }) {
  const bounds = boundsOfPrefix(prefix);
  if (bounds === null) return null;
  let [start, end] = bounds;
  // The text that comes right after another is the same text with U+0000 appended.
  const first = gte ?? (gt === undefined ? start : `${gt}\0`);
  const last = lte === undefined ? (lt ?? end) : `${lte}\0`;
  if (compareTexts(first, start) > 0) start = first;
  if (last !== null && (end === null || compareTexts(last, end) < 0)) end = last;
  return end === null || compareTexts(start, end) < 0 ? [start, end] : null;
}

/**
 * Returns the bounds of all texts with a prefix.
 * @param {string} prefix
 * @returns {Bounds | null} Null if no text can begin so. A prefix may end with a high surrogate: its texts go on with the low one.
 */
function boundsOfPrefix(prefix) {
  if (isText(prefix)) return [prefix, endOfPrefix(prefix)];
  const head = prefix.slice(0, -1);
  if (!isText(head) || prefix[prefix.length - 1] >= "\udc00") return null;
  return [`${prefix}\udc00`, endOfPrefix(`${prefix}\udfff`)];
}

/**
 * Returns the first text after all texts with a prefix.
 * @param {string} prefix
 * @returns {string | null} Null if no text comes after them.
 */
function endOfPrefix(prefix) {
  const points = Array.from(prefix, (character) => /** @type {number} */ (character.codePointAt(0)));
  while (points.at(-1) === LAST_CODE_POINT) points.pop();
  const last = points.pop();
  if (last === undefined) return null;
  const next = last + 1 === 0xd800 ? 0xe000 : last + 1; // Skip the surrogates, which are not characters.
  return String.fromCodePoint(...points, next);
}

/**
 * Returns the part of a range that comes after a key in its order.
 * @template {Omit<Range, "prefix">} Part
 * @param {Part} range
 * @param {string} last
 * @returns {Part}
 */
export function behind(range, last) {
  return range.reverse ? { ...range, lt: last, lte: undefined } : { ...range, gt: last, gte: undefined };
}

/**
 * Returns the rest of a range, after the records of a page that is in the order of the range.
 * @param {Range} range
 * @param {string[]} ids The keys on the page; at least one.
 * @returns {Range}
 */
export function restOf(range, ids) {
  const limit = range.limit === undefined ? undefined : range.limit - ids.length;
  return { ...behind(range, ids[ids.length - 1]), limit };
}

/**
 * Lists a range in a storage that holds its keys as UTF-8. A bound that is not well-formed Unicode has no place there, so everything with
 * the prefix is listed then, and arranged.
 * @template {Generator<Page, void> | AsyncGenerator<Page, void>} Listed
 * @param {Range} range
 * @param {(range: Range) => Listed} pages
 */
export function listTexts(range, pages) {
  const { prefix, gt = "", gte = "", lt = "", lte = "" } = range;
  return [gt, gte, lt, lte].every(isText) ? pages(range) : arrangePages(pages({ prefix }), range);
}

/**
 * Tells whether a key lies in a range.
 * @param {string} id
 * @param {Range} range
 */
export function isInRange(id, { prefix, gt, gte, lt, lte }) {
  if (!id.startsWith(prefix)) return false;
  if (gte !== undefined ? compareTexts(id, gte) < 0 : gt !== undefined && compareTexts(id, gt) <= 0) return false;
  return lte !== undefined ? compareTexts(id, lte) <= 0 : lt === undefined || compareTexts(id, lt) < 0;
}

/**
 * Selects the keys in a range from the keys of a storage without an order. The result is in the order of the range, unless the
 * range is a prefix only.
 * @param {string[]} ids
 * @param {Range} range
 * @returns {string[]}
 */
export function selectIds(ids, range) {
  const { prefix, reverse, limit } = range;
  if (isPrefixOnly(range)) return prefix === "" ? ids : ids.filter((id) => id.startsWith(prefix));
  const selected = ids.filter((id) => isInRange(id, range)).sort(compareTexts);
  if (reverse) selected.reverse();
  return selected.slice(0, limit);
}

/**
 * Tells whether a range is a prefix only: it asks for all keys with the prefix, in any order.
 * @param {Range} range
 */
export function isPrefixOnly({ prefix: _, ...rest }) {
  return Object.values(rest).every((part) => part === undefined);
}

/** @typedef {import("../core/client.js").Page} Page */
/** @typedef {Iterator<Page> | AsyncIterator<Page>} Pages */

/**
 * Adapts the pages of a storage that can list by prefix only. If the range is a prefix only, they are returned as they are;
 * otherwise all of them become one page with the records in the range.
 * @param {Generator<Page, void> | AsyncGenerator<Page, void>} pages All records with the range's prefix.
 * @param {Range} range
 * @returns {Pages}
 */
export function arrangePages(pages, range) {
  if (isPrefixOnly(range)) return pages;
  return Symbol.iterator in pages ? arrangeNow(pages, range) : arrangeLater(pages, range);
}

/**
 * @param {Iterable<Page>} pages
 * @param {Range} range
 */
function* arrangeNow(pages, range) {
  yield arrange([...pages], range);
}

/**
 * @param {AsyncIterable<Page>} pages
 * @param {Range} range
 */
async function* arrangeLater(pages, range) {
  /** @type {Page[]} */
  const all = [];
  for await (const page of pages) all.push(page);
  yield arrange(all, range);
}

/**
 * @param {Page[]} pages
 * @param {Range} range
 * @returns {Page}
 */
function arrange(pages, range) {
  const records = new Map(pages.flatMap(({ ids, found }) => ids.map((id, i) => [id, found[i]])));
  const ids = selectIds([...records.keys()], range);
  return { ids, found: ids.map((id) => records.get(id)) };
}
