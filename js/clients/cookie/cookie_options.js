import { PolystoreTypeError, show } from "../../support/errors.js";

/**
 * The scope of a store's cookies, and the requests with which the browser sends them. index.d.ts documents each option.
 * @typedef {object} CookieOptions
 * @property {string} [path]
 * @property {string} [domain]
 * @property {"strict" | "lax" | "none"} [sameSite]
 * @property {boolean} [secure]
 * @property {boolean} [partitioned]
 */

/** @typedef {[isValid: (value: any) => boolean, demand: string]} Rule */

/** @type {(pattern: RegExp) => (value: unknown) => boolean} */
const isText = (pattern) => (value) => typeof value === "string" && pattern.test(value);
/** @type {Rule} */
const FLAG = [(value) => typeof value === "boolean", "true or false"];
/** The rule for the value of each option, and its description. @type {Record<string, Rule>} */
const RULES = {
  domain: [isText(/^[\w.-]+$/), "a host name"],
  partitioned: FLAG,
  path: [isText(/^\/[^;\0-\x1f\x7f]*$/), 'a text that starts with "/" and does not contain ";"'],
  sameSite: [isText(/^(strict|lax|none)$/), '"strict", "lax" or "none"'],
  secure: FLAG,
};

/**
 * Returns the client that stands for cookies with these options. Stores with the same options share it.
 * @param {unknown} client The argument of `kv()`.
 * @param {any} options
 * @returns {string} "cookie", with the attributes of each cookie.
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
export function cookieClient(client, options) {
  if (client !== "cookie" && client !== "cookies") {
    throw optionsError(`The option cookie only applies to kv("cookie"). Omit it for ${show(client)}.`);
  }
  if (typeof options !== "object" || options === null) {
    throw optionsError(`options.cookie is ${show(options)}; it must be an object, for example { path: "/shop" }.`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(RULES, name)) continue;
    const known = Object.keys(RULES).map(show).join(", ");
    throw optionsError(`The option cookie has no member ${show(name)}; it may have ${known}.`);
  }
  let attributes = "";
  for (const [name, [isValid, demand]] of Object.entries(RULES)) {
    const { [name]: value = name === "path" ? "/" : undefined } = options;
    if (value === undefined) continue;
    if (!isValid(value)) throw optionsError(`options.cookie.${name} is ${show(value)}; it must be ${demand}.`);
    if (value !== false) attributes += value === true ? `; ${name}` : `; ${name}=${value}`;
  }
  return `cookie${attributes}`;
}

/** @param {string} message */
const optionsError = (message) => new PolystoreTypeError("ERR_OPTIONS", message);
