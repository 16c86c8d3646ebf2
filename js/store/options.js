import { NEVER, parseExpires } from "../core/core.js";
import { PolystoreTypeError, show } from "../support/errors.js";

/**
 * @typedef {object} Options
 * @property {string} [prefix]
 * @property {number | string | null} [expires]
 * @property {number | string | null} [timeout] For kv() only.
 * @property {Durability} [durability] For kv() only.
 * @property {import("../clients/cookie/cookie_options.js").CookieOptions} [cookie] For kv("cookie") only.
 */
/** @typedef {import("../core/client.js").Durability} Durability */

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
 * @returns {number} NEVER for null and undefined.
 * @throws {PolystoreTypeError} ERR_EXPIRES if it cannot be parsed.
 */
export function seconds(expires) {
  if (expires === null || expires === undefined) return NEVER;
  const duration = parse(expires);
  if (typeof duration === "number" && !Number.isNaN(duration)) return duration;
  const message = `expires is ${show(expires)}; it must be a number of seconds, a string such as "10s", "2 hours" or "5d", or null for never.`;
  throw new PolystoreTypeError("ERR_EXPIRES", message);
}

/**
 * Converts a `timeout` to milliseconds.
 * @param {unknown} timeout
 * @returns {number} 0 for null: no limit.
 * @throws {PolystoreTypeError} ERR_OPTIONS if it cannot be parsed, or is not greater than 0.
 */
function milliseconds(timeout) {
  if (timeout === null) return 0;
  const duration = parse(timeout);
  if (typeof duration === "number" && duration > 0) return Math.min(duration * 1000, MAX_TIMEOUT);
  const message = `timeout is ${show(timeout)}; it must be a number of seconds greater than 0, a string such as "10s", or null for no limit.`;
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

/** @type {{ prefix?: string, expires?: number, timeout?: number, durability?: Durability, cookie?: any }} */
const NONE = {};

/**
 * Checks and converts the options of a call or of kv().
 * @param {unknown} options
 * @param {boolean} [ofStore] True for kv(), which has more options.
 * @returns {typeof NONE} `expires` in seconds, `timeout` in milliseconds; `undefined` for an option that was not given.
 * @throws {PolystoreTypeError} ERR_OPTIONS, ERR_EXPIRES or ERR_KEY.
 */
export function readOptions(options, ofStore = false) {
  if (options === undefined || options === null) return NONE;
  if (typeof options !== "object") {
    const message = `The options are ${show(options)}; they must be an object such as { expires: "1h" }.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  const known = ["prefix", "expires", ...(ofStore ? ["timeout", "durability", "cookie"] : [])];
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const message = `There is no option ${show(name)}. The options are ${known.map(show).join(", ")}.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  const { prefix, expires, timeout, durability, cookie } = /** @type {Options} */ (options);
  if (![undefined, "strict", "relaxed"].includes(durability)) {
    const message = `durability is ${show(durability)}; it must be "strict" or "relaxed".`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  return {
    prefix: prefix === undefined ? undefined : keyText(prefix, "prefix"),
    expires: expires === undefined ? undefined : seconds(expires),
    timeout: timeout === undefined ? undefined : milliseconds(timeout),
    durability,
    cookie,
  };
}

/**
 * Converts a key to a string.
 * @param {unknown} key
 * @param {string} [what] The name of the argument, for the message.
 * @returns {string}
 * @throws {PolystoreTypeError} ERR_KEY if it is neither a string nor a number.
 */
export function keyText(key, what = "key") {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  throw new PolystoreTypeError(
    "ERR_KEY",
    `The ${what} is ${show(key)}; it must be a string or a number. Convert it with String().`,
  );
}
