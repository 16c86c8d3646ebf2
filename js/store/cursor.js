import { PolystoreTypeError, show } from "../support/errors.js";
import { behind } from "../support/range.js";

/** The number of entries in a page without a limit. */
const PAGE_LENGTH = 100;

/** @typedef {import("./options.js").Bounds} Bounds */

/**
 * Implements page().
 * @param {import("./changes.js").Host} host
 * @param {any} options
 */
export async function page({ store, readBounds, hasPlaces, list }, options) {
  const { limit, last, bounds } = readCursor(readBounds, options, store.PREFIX);
  if (hasPlaces && Object.keys(bounds).length === 0) {
    if (typeof last === "string") throw wrongCursor(options.cursor);
    const place = { after: last?.place ?? null };
    const entries = await list({ limit, place });
    return { entries, cursor: place.after === null ? null : cursorOf(store.PREFIX, bounds, { place: place.after }) };
  }
  if (typeof last === "object") throw wrongCursor(options.cursor);
  const left = last === undefined ? bounds : behind(bounds, last);
  const entries = await list({ ...left, limit: limit + 1 });
  const isLast = entries.length <= limit;
  if (!isLast) entries.pop();
  return { entries, cursor: isLast ? null : cursorOf(store.PREFIX, bounds, entries[limit - 1][0]) };
}

/** The key of the last entry; or the place behind it, for a client that has places. @typedef {string | { place: string }} Last */

/**
 * Reads the options of page().
 * @param {typeof import("./options.js").readBounds} readBounds
 * @param {any} options
 * @param {string} prefix
 * @returns {{ limit: number, bounds: Bounds, last: Last | undefined }} `last` is undefined for the first page.
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function readCursor(readBounds, options, prefix) {
  const { limit = PAGE_LENGTH, ...bounds } = readBounds(options, ["cursor"]);
  if (limit === 0) throw new PolystoreTypeError("ERR_OPTIONS", "limit is 0; a page must have at least one entry.");
  const cursor = options?.cursor ?? null;
  if (cursor === null) return { limit, bounds, last: undefined };
  const last = lastIn(cursor, nameOf(prefix, bounds));
  if (last === undefined) throw wrongCursor(cursor);
  return { limit, bounds, last };
}

/** @param {unknown} cursor */
function wrongCursor(cursor) {
  const message = `cursor is ${show(cursor)}; it must be the cursor of a page with the same prefix and the same range.`;
  return new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * @param {string} prefix
 * @param {Bounds} bounds
 * @param {Last} last
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
 * @returns {Last | undefined} Undefined if the cursor has another name, or is not a cursor.
 */
function lastIn(cursor, name) {
  try {
    const parts = JSON.parse(/** @type {string} */ (cursor));
    const last = parts.pop();
    return JSON.stringify(parts) === JSON.stringify(name) && isLast(last) ? last : undefined;
  } catch {
    return undefined;
  }
}

/** @param {any} last */
const isLast = (last) => typeof last === "string" || typeof last?.place === "string";
