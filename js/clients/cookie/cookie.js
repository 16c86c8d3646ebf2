import { PolystoreError, PolystoreTypeError, quotaError, show } from "../../support/errors.js";
import { decodeValue, parseValue } from "../../support/record.js";
import { pagesOf } from "../pages.js";
import { selectIds } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";

const EPOCH = new Date(0).toUTCString();
// The longest that browsers keep a cookie (RFC 6265bis, section 5.5).
const LONGEST_LIFE = 400 * 24 * 60 * 60 * 1000;
// With one more, Chromium and Firefox drop the oldest cookies of the site without a word.
const MOST_COOKIES = 180;
// Of name and value; browsers ignore a larger cookie (RFC 6265bis, section 5.7).
const MOST_BYTES = 4096;

/**
 * The cookies that a page sees. A cookie holds the JSON of a value, and the browser drops it when it expires, to the
 * second; a page that wrote one knows the instant to the millisecond, and keeps to that.
 *
 * All pages of a site share them, for their path is "/" if no other is given. Another cookie of the same name, for a folder,
 * hides ours from the pages there: that is what polystore 0.27 writes. Where a page sees both, a write replaces both.
 */
export class Cookie {
  // What a cookie says is decoded once, and handed out again.
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "COOKIE", can: ["list"], copies: "both" };

  #attributes;
  #path;
  #domain;
  #text = "";
  /**
   * The cookies in `#text`, by encoded name; `texts` has those of all with that name, in the browser's order, and `text` that
   * of ours.
   * @type {Map<string, { text: string, texts: string[], value?: unknown }>}
   */
  #jar = new Map();
  /** What this page wrote with an expiry, by encoded name. @type {Map<string, { value: string, expires: number, second: number }>} */
  #written = new Map();

  /** @param {string} attributes What each cookie gets; empty for the path "/" alone. See cookie_options.js. */
  constructor(attributes) {
    this.#attributes = attributes || "; path=/";
    this.#path = /; path=([^;]*)/.exec(this.#attributes)?.[1] ?? "/";
    this.#domain = /; domain=[^;]*/.exec(attributes)?.[0] ?? "";
    if (typeof document !== "undefined") return;
    const message =
      "Cookies exist in pages only, and there is no document here. On a server, wrap a Map or a client of your own.";
    throw new PolystoreError("ERR_CLIENT", message);
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a cookie");
    if (id !== "") return;
    throw new PolystoreTypeError("ERR_KEY", "A cookie cannot have an empty key: use one character or more.");
  }

  /** @param {string} id */
  read(id) {
    return this.#record(id, decodeValue);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  put(id, value, expires) {
    const name = encodeURIComponent(id);
    const text = encodeURIComponent(JSON.stringify(value));
    const what = `COOKIE set(${show(id)})`;
    if (name.length + text.length > MOST_BYTES) {
      throw quotaError(`${what}, with ${name.length + text.length} bytes where a cookie holds ${MOST_BYTES},`);
    }
    const jar = this.#read();
    if (jar.size >= MOST_COOKIES && !jar.has(name)) {
      throw quotaError(`${what}, with ${jar.size} cookies there where a site may have ${MOST_COOKIES},`);
    }
    if (this.#path !== "/" && !pathsSeen().includes(this.#path)) {
      const message = `${what}: this page does not lie below the path ${show(this.#path)}, and so does not see its cookies. Give kv() a path that holds the page.`;
      throw new PolystoreError("ERR_CLIENT", message);
    }
    const last = Date.now() + LONGEST_LIFE;
    const end = expires === null ? last : Math.min(expires, last);
    // Rounded up: a cookie must not go before its time.
    const second = Math.ceil(end / 1000) * 1000;
    this.#set(name, `${text}; expires=${new Date(second).toUTCString()}${this.#attributes}`);
    let written = this.#read().get(name);
    if (written && written.texts.length > 1 && written.texts.includes(text)) {
      this.#eraseOthers(name);
      written = this.#read().get(name);
    }
    // A browser says nothing when it refuses a cookie; it just is not there. Nor is it when its second is over.
    if (written?.text !== text && browserTime() < second) {
      const message = written?.texts.includes(text)
        ? `${what}: another cookie of that name, of another domain, hides it. Delete that one, or give kv() the option cookie with its domain.`
        : `${what}: the browser refused the cookie. Cookies may be blocked for this page, the name reserved, or the options not allowed here.`;
      throw new PolystoreError("ERR_CLIENT", message);
    }
    if (expires === null) this.#written.delete(name);
    else this.#written.set(name, { value: text, expires: end, second });
  }

  /** @param {string} id */
  remove(id) {
    const name = encodeURIComponent(id);
    this.#set(name, `; expires=${EPOCH}${this.#attributes}`);
    this.#written.delete(name);
    if (!this.#read().has(name)) return;
    this.#eraseOthers(name);
    if (!this.#read().has(name)) return;
    const message = `COOKIE del(${show(id)}): the cookie is still there. It was set for another domain: give kv() the option cookie with that.`;
    throw new PolystoreError("ERR_CLIENT", message);
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  *scan(range, wanted) {
    const ids = [...this.#read().keys()].map(decodeName).filter((id) => id !== undefined);
    const decode = wanted === "keys" ? parseValue : decodeValue;
    yield* pagesOf(selectIds(/** @type {string[]} */ (ids), range), (id) => this.#record(id, decode));
  }

  /**
   * @param {string} name
   * @param {string} text With the attributes.
   */
  #set(name, text) {
    document.cookie = `${name}=${text}`;
  }

  /**
   * Deletes all cookies of a name that this page sees, as far as it can: of every path above it, but not ours.
   * @param {string} name
   */
  #eraseOthers(name) {
    for (const path of pathsSeen()) {
      for (const domain of new Set(["", this.#domain])) {
        if (path === this.#path && domain === this.#domain) continue;
        this.#set(name, `; expires=${EPOCH}; path=${path}${domain}`);
      }
    }
  }

  /**
   * @param {string} id
   * @param {typeof decodeValue} decode
   */
  #record(id, decode) {
    const name = encodeURIComponent(id);
    const cookie = this.#read().get(name);
    if (cookie === undefined) return undefined;
    const value = "value" in cookie ? cookie.value : decode(decoded(cookie.text), id);
    if (decode === decodeValue) cookie.value = value;
    const written = this.#written.get(name);
    // If it outlived its second, somebody else has written the same value anew.
    const ours = written?.value === cookie.text && browserTime() < written.second;
    return { expires: ours ? written.expires : null, value };
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
      if (equals <= 0) continue;
      const text = cookie.slice(equals + 1);
      const found = this.#jar.get(name);
      if (!found) this.#jar.set(name, { text, texts: [text] });
      else {
        found.texts.push(text);
        // The browser lists the ones for longer paths first; none is shorter than "/". With another path, ours may be any.
        if (this.#path === "/") found.text = text;
      }
    }
    return this.#jar;
  }
}

/**
 * All paths of cookies that this page sees (RFC 6265bis, section 5.1.4): "/", "/shop", "/shop/" and "/shop/cart" for
 * "/shop/cart". After a pushState(), Chromium goes on choosing by the path that the page was loaded from.
 * @returns {string[]}
 */
function pathsSeen() {
  const loaded = performance.getEntriesByType?.("navigation")[0]?.name;
  const pages = [document.location?.pathname ?? "/", loaded ? new URL(loaded).pathname : "/"];
  const paths = pages.flatMap((page) => {
    const ends = [...page.matchAll(/\//g)].flatMap(({ index }) => [index, index + 1]);
    return [...ends, page.length].map((end) => page.slice(0, end));
  });
  return [...new Set(paths)].filter((path) => path !== "");
}

/**
 * @param {string} name
 * @returns {string | undefined} `undefined` where it is not one of our names: another's cookie.
 */
function decodeName(name) {
  const id = decoded(name);
  return encodeURIComponent(id) === name ? id : undefined;
}

/**
 * @param {string} text
 * @returns {string} The empty text, which is neither JSON nor one of our names, where it is not percent-encoded: another's cookie.
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The time that the browser goes by when it drops cookies, in milliseconds since the epoch. */
const browserTime = () => new Date().getTime();
