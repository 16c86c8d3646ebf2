import { PolystoreTypeError, show } from "../../support/errors.js";

/**
 * Where the cookies of a store hold, and when the browser sends them; index.d.ts says what each does.
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
/** The rule for the value of each option. @type {Record<string, Rule>} */
const RULES = {
  domain: [isText(/^[\w.-]+$/), "the name of a host"],
  partitioned: FLAG,
  path: [isText(/^\/[^;\0-\x1f\x7f]*$/), 'a text that begins with "/" and has no ";"'],
  sameSite: [isText(/^(strict|lax|none)$/), '"strict", "lax" or "none"'],
  secure: FLAG,
};

/**
 * The client that stands for cookies with these options: stores with the same ones share it.
 * @param {unknown} client What the user gave to `kv()`.
 * @param {any} options
 * @returns {string} "cookie", with the attributes of each cookie.
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
export function cookieClient(client, options) {
  if (client !== "cookie" && client !== "cookies") {
    throw optionsError(`The option cookie is for kv("cookie"): leave it out for ${show(client)}.`);
  }
  if (typeof options !== "object" || options === null) {
    throw optionsError(`cookie is ${show(options)}: it must be an object, like { path: "/shop" }.`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(RULES, name)) continue;
    const known = Object.keys(RULES).map(show).join(", ");
    throw optionsError(`There is no option ${show(name)} of cookies: there are ${known}.`);
  }
  let attributes = "";
  for (const [name, [isValid, demand]] of Object.entries(RULES)) {
    const { [name]: value = name === "path" ? "/" : undefined } = options;
    if (value === undefined) continue;
    if (!isValid(value)) throw optionsError(`The option ${name} of cookies is ${show(value)}: it must be ${demand}.`);
    if (value !== false) attributes += value === true ? `; ${name}` : `; ${name}=${value}`;
  }
  return `cookie${attributes}`;
}

/** @param {string} message */
const optionsError = (message) => new PolystoreTypeError("ERR_OPTIONS", message);
