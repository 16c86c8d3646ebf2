import { PolystoreTypeError, show } from "../support/errors.js";

/** The number of entries in a page without a limit. */
const PAGE_LENGTH = 100;

/** @typedef {import("./options.js").Bounds} Bounds */

/**
 * Implements page().
 * @param {import("./changes.js").Host} host
 * @param {any} options
 */
export async function page({ store, readBounds }, options) {
  const { limit, after, bounds } = readCursor(readBounds, options, store.PREFIX);
  const entries = await store.entries({ ...after, limit: limit + 1 });
  const isLast = entries.length <= limit;
  if (!isLast) entries.pop();
  return { entries, cursor: isLast ? null : cursorOf(store.PREFIX, bounds, entries[limit - 1][0]) };
}

/**
 * Reads the options of page().
 * @param {typeof import("./options.js").readBounds} readBounds
 * @param {any} options
 * @param {string} prefix
 * @returns {{ limit: number, bounds: Bounds, after: Bounds }} `after` are the bounds of what is left behind the cursor.
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function readCursor(readBounds, options, prefix) {
  const { limit = PAGE_LENGTH, ...bounds } = readBounds(options, ["cursor"]);
  if (limit === 0) throw new PolystoreTypeError("ERR_OPTIONS", "limit is 0; a page must have at least one entry.");
  const cursor = options?.cursor ?? null;
  if (cursor === null) return { limit, bounds, after: bounds };
  const last = keyIn(cursor, nameOf(prefix, bounds));
  if (last === undefined) {
    const message = `cursor is ${show(cursor)}; it must be the cursor of a page with the same prefix and the same range.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  const { gt: _gt, gte: _gte, ...below } = bounds;
  const { lt: _lt, lte: _lte, ...above } = bounds;
  return { limit, bounds, after: bounds.reverse ? { ...above, lt: last } : { ...below, gt: last } };
}

/**
 * @param {string} prefix
 * @param {Bounds} bounds
 * @param {string} last The key of the last entry.
 */
function cursorOf(prefix, bounds, last) {
  return JSON.stringify([...nameOf(prefix, bounds), last]);
}

/**
 * @param {string} prefix
 * @param {Bounds} bounds
 */
function nameOf(prefix, { gt, gte, lt, lte, reverse = false }) {
  return [prefix, gt ?? null, gte ?? null, lt ?? null, lte ?? null, reverse];
}

/**
 * @param {unknown} cursor
 * @param {unknown[]} name
 * @returns {string | undefined} The key of the last entry; undefined if the cursor has another name, or is not a cursor.
 */
function keyIn(cursor, name) {
  try {
    const parts = JSON.parse(/** @type {string} */ (cursor));
    const last = parts.pop();
    return JSON.stringify(parts) === JSON.stringify(name) && typeof last === "string" ? last : undefined;
  } catch {
    return undefined;
  }
}
