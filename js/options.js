import { NEVER, parseExpires } from "./core.js";
import { PolystoreTypeError, show } from "./errors.js";

/** @typedef {{ prefix?: string, expires?: number | string | null, expire?: number | string | null }} Options */

/** Parsed texts: a program has a few, and crossing into the core with a string costs 1 µs. @type {Map<string, number>} */
const parsed = new Map();
const MOST_PARSED = 100;

/**
 * The seconds that an `expires` stands for.
 * @param {unknown} expires
 * @returns {number} NEVER for null and undefined.
 * @throws {PolystoreTypeError} ERR_EXPIRES where it cannot be understood.
 */
export function seconds(expires) {
  if (expires === null || expires === undefined) return NEVER;
  const understood = typeof expires === "string" ? parse(expires) : expires;
  if (typeof understood === "number" && !Number.isNaN(understood)) return understood;
  const message = `expires is ${show(expires)}. Give a number of seconds, a text like "10s", "2 hours" or "5d", or null for never.`;
  throw new PolystoreTypeError("ERR_EXPIRES", message);
}

/** @param {string} text */
function parse(text) {
  const known = parsed.get(text);
  if (known !== undefined) return known;
  if (parsed.size === MOST_PARSED) parsed.clear();
  const result = parseExpires(text);
  parsed.set(text, result);
  return result;
}

/**
 * @param {unknown} options
 * @returns {{ prefix: string | undefined, expires: number | undefined }} `undefined` where nothing was said.
 * @throws {PolystoreTypeError} ERR_OPTIONS, ERR_EXPIRES or ERR_KEY.
 */
export function readOptions(options) {
  if (options === undefined || options === null) return { prefix: undefined, expires: undefined };
  if (typeof options !== "object") {
    const message = `The options are ${show(options)}: they must be an object, like { expires: "1h" }.`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  for (const name of Object.keys(options)) {
    if (name === "prefix" || name === "expires" || name === "expire") continue;
    const message = `There is no option ${show(name)}: there are "prefix" and "expires".`;
    throw new PolystoreTypeError("ERR_OPTIONS", message);
  }
  // "expire" is what polystore called it until 2024.
  const { prefix, expire, expires = expire } = /** @type {Options} */ (options);
  return {
    prefix: prefix === undefined ? undefined : keyText(prefix, "prefix"),
    expires: expires === undefined ? undefined : seconds(expires),
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
    `The ${what} is ${show(key)}: it must be a string, or a number. Convert it with String() first.`,
  );
}
