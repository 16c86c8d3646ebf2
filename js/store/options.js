import { NEVER, parseExpires } from "../core/core.js";
import { PolystoreTypeError, show } from "../support/errors.js";

/**
 * @typedef {object} Options
 * @property {string} [prefix]
 * @property {number | string | null} [expires]
 * @property {number | string | null} [timeout] Of kv() only.
 * @property {Durability} [durability] Of kv() only.
 * @property {import("../clients/cookie/cookie_options.js").CookieOptions} [cookie] Of kv("cookie") only.
 */
/** @typedef {import("../core/client.js").Durability} Durability */

/** Parsed texts: a program has a few, and crossing into the core with a string costs 1 µs. @type {Map<string, number>} */
const parsed = new Map();
const MOST_PARSED = 100;
/** What a timer can wait, in milliseconds: some 24 days. */
const LONGEST_TIMEOUT = 2 ** 31 - 1;

/**
 * The seconds that an `expires` stands for.
 * @param {unknown} expires
 * @returns {number} NEVER for null and undefined.
 * @throws {PolystoreTypeError} ERR_EXPIRES where it cannot be understood.
 */
export function seconds(expires) {
  if (expires === null || expires === undefined) return NEVER;
  const understood = parse(expires);
  if (typeof understood === "number" && !Number.isNaN(understood)) return understood;
  const message = `expires is ${show(expires)}. Give a number of seconds, a text like "10s", "2 hours" or "5d", or null for never.`;
  throw new PolystoreTypeError("ERR_EXPIRES", message);
}

/**
 * The milliseconds that a `timeout` stands for.
 * @param {unknown} timeout
 * @returns {number} 0 for null: no limit.
 * @throws {PolystoreTypeError} ERR_OPTIONS where it cannot be understood.
 */
function milliseconds(timeout) {
  if (timeout === null) return 0;
  const understood = parse(timeout);
  if (typeof understood === "number" && understood > 0) return Math.min(understood * 1000, LONGEST_TIMEOUT);
  const message = `timeout is ${show(timeout)}. Give a number of seconds, a text like "10s", "2 hours" or "5d", or null for no limit.`;
  throw new PolystoreTypeError("ERR_OPTIONS", message);
}

/**
 * What a text stands for, in seconds; what is none, as it is.
 * @param {unknown} text
 */
function parse(text) {
  if (typeof text !== "string") return text;
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (parsed.size === MOST_PARSED) parsed.clear();
  const result = parseExpires(text);
  parsed.set(text, result);
  return result;
}

/** @type {{ prefix?: string, expires?: number, timeout?: number, durability?: Durability, cookie?: any }} */
const NONE = {};

/**
 * @param {unknown} options
 * @param {boolean} [ofStore] Whether they are those of kv(), which has more.
 * @returns {typeof NONE} `undefined` where nothing was said; seconds for `expires`, milliseconds for `timeout`.
 * @throws {PolystoreTypeError} ERR_OPTIONS, ERR_EXPIRES or ERR_KEY.
 */
export function readOptions(options, ofStore = false) {
  if (options === undefined || options === null) return NONE;
  if (typeof options !== "object") {
    const message = `The options are ${show(options)}: they must be an object, like { expires: "1h" }.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  const known = ["prefix", "expires", ...(ofStore ? ["timeout", "durability", "cookie"] : [])];
  for (const name of Object.keys(options)) {
    if (known.includes(name)) continue;
    const message = `There is no option ${show(name)}: there are ${known.map(show).join(", ")}.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  const { prefix, expires, timeout, durability, cookie } = /** @type {Options} */ (options);
  if (![undefined, "strict", "relaxed"].includes(durability)) {
    const message = `durability is ${show(durability)}: it must be "strict" or "relaxed".`;
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
 * @param {unknown} key
 * @param {string} [what] What it is called.
 * @returns {string}
 * @throws {PolystoreTypeError} ERR_KEY for what is no key.
 */
export function keyText(key, what = "key") {
  if (typeof key === "string") return key;
  if (typeof key === "number") return String(key);
  throw new PolystoreTypeError(
    "ERR_KEY",
    `The ${what} is ${show(key)}: it must be a string, or a number; use String().`,
  );
}
