import { NEVER, parseExpires } from "../core/core.js";
import { PolystoreTypeError, show } from "../support/errors.js";
import { BOUNDS } from "../support/range.js";

/**
 * @typedef {object} Options
 * @property {string} [prefix]
 * @property {number | string | null} [expires]
 * @property {number | string | null} [timeout] For kv() only.
 * @property {Durability} [durability] For kv() only.
 * @property {Atomicity} [atomic] For kv() only.
 * @property {number | string | null} [prune] For kv() only.
 * @property {boolean} [renew] For the methods that change a value only.
 * @property {import("../clients/cookie/cookie_options.js").CookieOptions} [cookie] For kv("cookie") only.
 */
/** @typedef {import("../core/client.js").Durability} Durability */
/** @typedef {import("../core/client.js").Atomicity} Atomicity */

/**
 * The part of a store that a listing concerns. The bounds are keys of the store. A user cannot give a place.
 * @typedef {{ gt?: string, gte?: string, lt?: string, lte?: string, reverse?: boolean, limit?: number, place?: import("../core/client.js").Place }} Bounds
 */

/**
 * The results for texts that were parsed before. A program has few of them, and parsing one in the core costs 1 µs.
 * @type {Map<string, number>}
 */
const parsed = new Map();
const MAX_PARSED = 100;
/** The longest delay of a timer, in milliseconds: some 24 days. */
const MAX_TIMEOUT = 2 ** 31 - 1;

/**
 * Converts an `expires` to seconds.
 * @param {unknown} expires
 * @returns {number} NEVER for null.
 * @throws {PolystoreTypeError} ERR_EXPIRES if it cannot be parsed.
 */
export function seconds(expires) {
  if (expires === null) return NEVER;
  const duration = parse(expires);
  if (typeof duration === "number" && !Number.isNaN(duration)) return duration;
  const message = `expires is ${show(expires)}; it must be a number of seconds, a string such as "10s", "2 hours" or "5d", or null for never.`;
  throw new PolystoreTypeError("ERR_EXPIRES", message);
}

/**
 * Converts a duration that is greater than 0 to milliseconds.
 * @param {unknown} timeout
 * @param {string} name The name of the option.
 * @returns {number} 0 for null: no limit.
 * @throws {PolystoreTypeError} ERR_OPTIONS if it cannot be parsed, or is not greater than 0.
 */
function milliseconds(timeout, name) {
  if (timeout === null) return 0;
  const duration = parse(timeout);
  if (typeof duration === "number" && duration > 0) return Math.min(duration * 1000, MAX_TIMEOUT);
  const message = `${name} is ${show(timeout)}; it must be a number of seconds greater than 0, a string such as "10s", or null.`;
  throw new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * Parses a text as a number of seconds, and returns any other value as it is.
 * @param {unknown} text
 */
function parse(text) {
  if (typeof text !== "string") return text;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (parsed.size === MAX_PARSED) parsed.clear();
  const result = parseExpires(text);
  parsed.set(text, result);
  return result;
}

/** @type {{ prefix?: string, expires?: number, timeout?: number, durability?: Durability, atomic?: Atomicity, prune?: number, cookie?: any, renew?: boolean }} */
const NONE = {};
/** The options of a call that are not those of every call. */
const FURTHER = { call: [], store: ["timeout", "durability", "atomic", "prune", "cookie"], change: ["renew"] };
/** Whom a change keeps out, from nobody to everybody. */
export const ATOMICITIES = ["none", "process", "origin", "storage"];

/**
 * Checks and converts the options of a call or of kv().
 * @param {unknown} options
 * @param {keyof typeof FURTHER} [kind] The kind of call: that of kv() itself, that of a method that changes a value, or any other.
 * @returns {typeof NONE} `expires` in seconds, `timeout` in milliseconds; `undefined` for an option that was not given.
 * @throws {PolystoreTypeError} ERR_OPTIONS, ERR_EXPIRES or ERR_KEY.
 */
export function readOptions(options, kind = "call") {
  if (options === undefined || options === null) return NONE;
  requireNames("options", options, ["prefix", "expires", ...FURTHER[kind]], '{ expires: "1h" }');
  const { prefix, expires, timeout, durability, atomic, prune, cookie, renew } = /** @type {Options} */ (options);
  requireOneOf("durability", durability, ["strict", "relaxed"]);
  requireOneOf("atomic", atomic, ATOMICITIES);
  requireOneOf("renew", renew, [true, false]);
  return {
    prefix: prefix === undefined ? undefined : keyText(prefix, "prefix"),
    expires: expires === undefined ? undefined : seconds(expires),
    timeout: timeout === undefined ? undefined : milliseconds(timeout, "timeout"),
    durability,
    atomic,
    prune: prune === undefined ? undefined : milliseconds(prune, "prune"),
    cookie,
    renew,
  };
}

/**
 * Checks and converts the bounds of a listing.
 * @param {unknown} range
 * @param {string[]} [further] The names of further properties, for example of page().
 * @returns {Bounds}
 * @throws {PolystoreTypeError} ERR_OPTIONS or ERR_KEY.
 */
export function readBounds(range, further = []) {
  if (range === undefined || range === null) return {};
  requireNames("range", range, [...BOUNDS, "limit", "reverse", ...further], '{ gte: "a" }');
  const { limit, reverse } = /** @type {Bounds} */ (range);
  requireOneOf("reverse", reverse, [true, false]);
  if (limit !== undefined && !(Number.isInteger(limit) && limit >= 0)) {
    const message = `limit is ${show(limit)}; it must be a whole number of records. Leave it out for all of them.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  /** @type {any} */
  const bounds = {};
  for (const name of BOUNDS) {
    const bound = /** @type {any} */ (range)[name];
    if (bound !== undefined) bounds[name] = keyText(bound, name);
  }
  if (limit !== undefined) bounds.limit = limit;
  if (reverse !== undefined) bounds.reverse = reverse;
  return bounds;
}

/**
 * Tells whether the second argument of expires() asks for a sliding expiry.
 * @param {any} options
 * @returns {boolean}
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
export function isSliding(options) {
  if (options === undefined || options === null) return false;
  requireNames("options", options, ["sliding"], "{ sliding: true }");
  requireOneOf("sliding", options.sliding, [true, false]);
  return options.sliding === true;
}

/**
 * @param {string} what What the options are called, for the message.
 * @param {any} options
 * @param {string[]} known
 * @param {string} example
 * @throws {PolystoreTypeError} ERR_OPTIONS if this is not an object, or has other properties. An array or a Date is not meant as options.
 */
function requireNames(what, options, known, example) {
  if ({}.toString.call(options) !== "[object Object]") {
    const message = `The ${what} must be an object such as ${example}, not ${show(options)}.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const message = `There is no option ${show(name)}. The options are ${known.map(show).join(", ")}.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
}

/**
 * @param {string} name
 * @param {unknown} value
 * @param {unknown[]} allowed Besides undefined.
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function requireOneOf(name, value, allowed) {
  if (value === undefined || allowed.includes(value)) return;
  const message = `${name} is ${show(value)}; it must be ${allowed.map(show).join(" or ")}.`;
  throw new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * Converts a key to a string.
 * @param {unknown} key
 * @param {string} [what] The name of the argument, for the message.
 * @returns {string}
 * @throws {PolystoreTypeError} ERR_KEY if it is neither a string nor a finite number. NaN is the result of a failed conversion.
 */
export function keyText(key, what = "key") {
  if (typeof key === "string") return key;
  if (Number.isFinite(key)) return String(key);
  throw new PolystoreTypeError("ERR_KEY", `The ${what} is ${show(key)}; it must be a string or a finite number.`);
}
