/** The longest that Chromium keeps a cookie. */
const LONGEST_LIFE = 400 * 24 * 3600 * 1000;
/** The bytes of name and value that a cookie may have (RFC 6265bis, section 5.7). */
const LARGEST = 4096;
/** The cookies that Chromium keeps for a site, and how many are left when there was one more: the newest. */
const MOST = 180;
const LEFT_AFTER_PURGE = 150;

/**
 * The `cookie` of a document, as RFC 6265bis and Chromium have it, for where there is none. It keeps time by `Date.now`,
 * to the second, and says nothing when it refuses a cookie.
 */
export class FakeDocument {
  /** @type {Map<string, { value: string, until: number }>} */
  #jar = new Map();

  get cookie() {
    for (const [name, { until }] of this.#jar) {
      if (until <= Date.now()) this.#jar.delete(name);
    }
    return [...this.#jar].map(([name, { value }]) => (name === "" ? value : `${name}=${value}`)).join("; ");
  }

  set cookie(text) {
    const [pair, ...attributes] = text.split(";");
    const equals = pair.indexOf("=");
    const name = pair.slice(0, Math.max(equals, 0)).trim();
    const value = pair.slice(equals + 1).trim();
    if (refused(name, value)) return;
    this.#jar.delete(name);
    const until = expiry(attributes);
    if (until <= Date.now()) return;
    this.#jar.set(name, { value, until });
    if (this.#jar.size <= MOST) return;
    for (const oldest of [...this.#jar.keys()].slice(0, -LEFT_AFTER_PURGE)) this.#jar.delete(oldest);
  }
}

/**
 * @param {string} name
 * @param {string} value
 */
function refused(name, value) {
  const bytes = new TextEncoder().encode(name + value).length;
  const reserved = /^__(secure|host)-/i.test(name); // Only for cookies with the attribute Secure.
  return bytes > LARGEST || reserved || (name === "" && value === "") || /[\0-\x08\x0a-\x1f\x7f]/.test(name + value);
}

/**
 * @param {string[]} attributes
 * @returns {number} In milliseconds since the epoch.
 */
function expiry(attributes) {
  let until = Infinity;
  let maxAge;
  for (const attribute of attributes) {
    const [name, value = ""] = attribute.trim().split("=");
    if (/^expires$/i.test(name)) until = Math.floor(Date.parse(value) / 1000) * 1000;
    if (/^max-age$/i.test(name)) maxAge = Number(value);
  }
  if (maxAge !== undefined) until = maxAge > 0 ? Date.now() + maxAge * 1000 : 0;
  return until === Infinity ? until : Math.min(until, Date.now() + LONGEST_LIFE);
}
