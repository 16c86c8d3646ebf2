import { PolystoreError, PolystoreTypeError, quotaError, show } from "../errors.js";
import { pagesOf } from "./pages.js";
import { requireText } from "./text_key.js";

const EPOCH = new Date(0).toUTCString();
// Browsers cut a longer life short without a word (RFC 6265bis, section 5.5).
const LONGEST_LIFE = 400 * 24 * 60 * 60 * 1000;
// With one more, Chromium and Firefox drop the oldest cookies of the site without a word.
const MOST_COOKIES = 180;
// Of name and value; browsers ignore a larger cookie (RFC 6265bis, section 5.7).
const MOST_BYTES = 4096;

/**
 * The cookies that a page sees. A cookie holds the JSON of a value, and the browser drops it when it expires, to the
 * second; a page that wrote one knows the instant to the millisecond, and keeps to that.
 */
export class Cookie {
  type = "COOKIE";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"both"} */
  copies = "both"; // What a cookie says is decoded once, and handed out again.

  #text = "";
  /** The cookies in `#text`, by encoded name. @type {Map<string, { text: string, value?: unknown }>} */
  #jar = new Map();
  /** What this page wrote with an expiry, by encoded name. @type {Map<string, { value: string, expires: number, second: number }>} */
  #written = new Map();

  constructor() {
    if (typeof document !== "undefined") return;
    const message =
      "Cookies exist in pages only, and there is no document here. On a server, wrap a Map or a client of your own.";
    throw new PolystoreError("ERR_CLIENT", message);
  }

  /** @param {string} id */
  read(id) {
    return this.#record(encodeName(id));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    const name = encodeName(id);
    const text = encodeURIComponent(JSON.stringify(value));
    const what = `COOKIE set(${show(id)})`;
    if (expires !== null && expires - Date.now() > LONGEST_LIFE) {
      const message = `${what}: browsers keep a cookie for 400 days at most. Give a shorter expires.`;
      throw new PolystoreTypeError("ERR_EXPIRES", message);
    }
    if (name.length + text.length > MOST_BYTES) {
      throw quotaError(`${what}, with ${name.length + text.length} bytes where a cookie holds ${MOST_BYTES},`);
    }
    const jar = this.#read();
    if (jar.size >= MOST_COOKIES && !jar.has(name)) {
      throw quotaError(`${what}, with ${jar.size} cookies there where a site may have ${MOST_COOKIES},`);
    }
    // Rounded up: a cookie must not go before its time.
    const second = expires === null ? Infinity : Math.ceil(expires / 1000) * 1000;
    const until = expires === null ? "" : `; expires=${new Date(second).toUTCString()}`;
    document.cookie = `${name}=${text}${until}`;
    // A browser says nothing when it refuses a cookie; it just is not there. Nor is it when its second is over.
    if (this.#read().get(name)?.text !== text && browserTime() < second) {
      const message = `${what}: the browser refused the cookie. Cookies may be blocked for this page, or the name reserved.`;
      throw new PolystoreError("ERR_CLIENT", message);
    }
    if (expires === null) this.#written.delete(name);
    else this.#written.set(name, { value: text, expires, second });
  }

  /** @param {string} id */
  erase(id) {
    const name = encodeName(id);
    const text = this.#read().get(name)?.text;
    document.cookie = `${name}=; expires=${EPOCH}`;
    this.#written.delete(name);
    // With another text, it is another cookie of that name, which ours had hidden.
    if (text === undefined || this.#read().get(name)?.text !== text) return;
    const message = `COOKIE del(${show(id)}): the cookie is still there. It was set for another path or domain, and can only be deleted from there.`;
    throw new PolystoreError("ERR_CLIENT", message);
  }

  /** @param {string} prefix */
  *pages(prefix) {
    const ids = [...this.#read().keys()].map(decodeName).filter((id) => id?.startsWith(prefix));
    yield* pagesOf(/** @type {string[]} */ (ids), (id) => this.read(id));
  }

  /** @param {string} name */
  #record(name) {
    const cookie = this.#read().get(name);
    if (cookie === undefined) return undefined;
    if (!("value" in cookie)) cookie.value = decodeValue(cookie.text);
    const written = this.#written.get(name);
    // If it outlived its second, somebody else has written the same value anew.
    const ours = written?.value === cookie.text && browserTime() < written.second;
    return { expires: ours ? written.expires : null, value: cookie.value };
  }

  /** Takes the cookies apart once a change: splitting 50 costs 20 times as much as finding that they are the same. */
  #read() {
    const text = document.cookie;
    if (text === this.#text) return this.#jar;
    this.#text = text;
    this.#jar = new Map();
    for (const cookie of text.split("; ")) {
      const equals = cookie.indexOf("=");
      const name = cookie.slice(0, equals);
      // Of two cookies of one name, the browser lists the one for the more specific path first.
      if (equals > 0 && !this.#jar.has(name)) this.#jar.set(name, { text: cookie.slice(equals + 1) });
    }
    return this.#jar;
  }
}

/**
 * @param {string} id
 * @returns {string}
 */
function encodeName(id) {
  if (id === "")
    throw new PolystoreTypeError("ERR_KEY", "A cookie cannot have an empty key: use one character or more.");
  requireText(id, "a cookie");
  return encodeURIComponent(id);
}

/**
 * @param {string} name
 * @returns {string | undefined}
 */
function decodeName(name) {
  try {
    const id = decodeURIComponent(name);
    return encodeURIComponent(id) === name ? id : undefined;
  } catch {
    return undefined; // Not one of our names: another's cookie.
  }
}

/**
 * @param {string} text
 * @returns {unknown} `undefined` where it is neither percent-encoded nor JSON: another's cookie.
 */
function decodeValue(text) {
  try {
    return JSON.parse(decodeURIComponent(text));
  } catch {
    return undefined;
  }
}

/** The time that the browser goes by when it drops cookies, in milliseconds since the epoch. */
const browserTime = () => new Date().getTime();
