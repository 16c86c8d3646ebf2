import { PolystoreError, PolystoreTypeError, show } from "../../support/errors.js";
import { isPut, keysOf, lastChanges, onlyChange, severalKeysError } from "../../support/commits.js";
import { decodeValue, encodeValue, isSameRecord, parseValue } from "../../support/record.js";
import { pagesOf } from "../pages.js";
import { selectIds } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";

const EPOCH = new Date(0).toUTCString();
// The longest life of a cookie in browsers, in milliseconds (RFC 6265bis, section 5.5).
const MAX_LIFE = 400 * 24 * 60 * 60 * 1000;
// With more cookies, Chromium and Firefox silently remove the oldest cookies of the site.
const MAX_COOKIES = 180;
// The size of a cookie's name and value; browsers ignore a larger cookie (RFC 6265bis, section 5.7).
const MAX_BYTES = 4096;
/** The name of the lock that a page holds while it compares a cookie and then changes it. */
const LOCK = "polystore-wasm cookies";
/** Only secure contexts have locks. */
const locks = globalThis.navigator?.locks;

/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Outcome} Outcome */

/**
 * The cookies that a page sees. A cookie holds the JSON of a value. The browser removes it in the second in which it expires; the page
 * that wrote it knows its expiry to the millisecond, and uses that.
 *
 * All pages of a site share the cookies, because their path is "/" by default. polystore 0.27 writes cookies for a folder, which hide a
 * cookie of the same name for "/" from the pages in that folder. If a page sees both, a write replaces both.
 */
export class Cookie {
  // The value of a cookie is decoded once and then returned again, so the core has to copy it.
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "COOKIE",
    can: ["list"],
    copies: "both",
    atomic: locks ? "origin" : "process",
    isTransactional: false,
  };

  #attributes;
  #path;
  #domain;
  #text = "";
  /**
   * The cookies in `#text`, by encoded name. `texts` has the values of all cookies with that name, in the browser's order; `text` is the
   * value of the one that this store writes.
   * @type {Map<string, { text: string, texts: string[], value?: unknown }>}
   */
  #jar = new Map();
  /** The cookies that this page wrote with an expiry, by encoded name. @type {Map<string, { value: string, expires: number, second: number }>} */
  #written = new Map();

  /** @param {string} attributes The attributes of each cookie; empty means only the path "/". See cookie_options.js. */
  constructor(attributes) {
    this.#attributes = attributes || "; path=/";
    this.#path = /; path=([^;]*)/.exec(this.#attributes)?.[1] ?? "/";
    this.#domain = /; domain=[^;]*/.exec(attributes)?.[0] ?? "";
    // Without locks, this client is synchronous, so that only other pages can come between a read and a change.
    if (locks) {
      this.commit = (/** @type {readonly Commit[]} */ commits) => this.#commit(commits);
      /** @type {import("../../core/client.js").Client["change"]} */
      this.change = ([id], decide) => this.#changeInOneStep(id, decide);
    }
    if (typeof document !== "undefined") return;
    const message =
      "Cookies only exist in pages, but there is no document here. On a server, pass a Map or a client of your own to kv().";
    throw new PolystoreError("ERR_CLIENT", message);
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a cookie");
    if (id !== "") return;
    throw new PolystoreTypeError(
      "ERR_KEY",
      "The key of a cookie must not be empty. Use a key with at least one character.",
    );
  }

  /** @param {string} id */
  read(id) {
    return this.#record(id, decodeValue);
  }

  /**
   * Makes commits. A page that only puts or removes a cookie does so at once, without the lock.
   * @param {readonly Commit[]} commits
   * @returns {Outcome[] | Promise<Outcome[]>}
   */
  #commit(commits) {
    const change = onlyChange(commits);
    if (!change) return locks.request(LOCK, () => commits.map((commit) => this.#commitOne(commit)));
    this.#change(change);
    return [true];
  }

  /**
   * @param {Commit} commit
   * @returns {Outcome}
   */
  #commitOne(commit) {
    try {
      const ids = keysOf(commit);
      if (ids.length > 1) throw severalKeysError("A page with cookies", ids);
      if (!commit.expected.every(({ id, found }) => isSameRecord(this.read(id), found))) return false;
      for (const change of lastChanges(commit)) this.#change(change);
      return true;
    } catch (error) {
      return { error };
    }
  }

  /**
   * Decides under the lock if another page was faster. Otherwise, a page that has just changed the cookie would read it before the pages
   * that wait for the lock, and so be faster than them each time.
   * @param {string} id
   * @param {(found: unknown[]) => readonly import("../../core/client.js").Change[]} decide
   */
  async #changeInOneStep(id, decide) {
    const found = this.read(id) ?? null;
    const changes = decide([found]);
    if (changes.length === 0) return;
    await locks.request(LOCK, () => {
      const now = this.read(id);
      for (const change of isSameRecord(now, found) ? changes : decide([now])) this.#change(change);
    });
  }

  /** @param {import("../../core/client.js").Change} change */
  #change(change) {
    if (isPut(change)) this.put(change.id, change.value, change.expires);
    else this.remove(change.id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  put(id, value, expires) {
    const name = encodeURIComponent(id);
    const text = encodeURIComponent(encodeValue(value));
    const what = `COOKIE set(${show(id)})`;
    if (name.length + text.length > MAX_BYTES) {
      const message = `${what} failed: the cookie would have ${name.length + text.length} bytes, but browsers store at most ${MAX_BYTES}. What is stored is unchanged; store less in it.`;
      throw new PolystoreError("ERR_QUOTA", message);
    }
    const jar = this.#read();
    if (jar.size >= MAX_COOKIES && !jar.has(name)) {
      const message = `${what} failed: the page has ${jar.size} cookies, and browsers keep at most ${MAX_COOKIES} for a site. What is stored is unchanged; prune(), or delete something, to make room.`;
      throw new PolystoreError("ERR_QUOTA", message);
    }
    if (this.#path !== "/" && !pathsSeen().includes(this.#path)) {
      const message = `${what} failed: this page is not below the path ${show(this.#path)}, so it cannot see cookies for that path. Pass a path that contains the page.`;
      throw new PolystoreError("ERR_CLIENT", message);
    }
    const last = Date.now() + MAX_LIFE;
    const end = expires === null ? last : Math.min(expires, last);
    // Rounded up, so that a cookie is not removed before it expires.
    const second = Math.ceil(end / 1000) * 1000;
    this.#set(name, `${text}; expires=${new Date(second).toUTCString()}${this.#attributes}`);
    let written = this.#read().get(name);
    if (written && written.texts.length > 1 && written.texts.includes(text)) {
      this.#eraseOthers(name);
      written = this.#read().get(name);
    }
    // A browser refuses a cookie silently: it is missing afterwards. It is also missing if its second is over.
    if (written?.text !== text && browserTime() < second) {
      const message = written?.texts.includes(text)
        ? `${what} failed: a cookie of the same name for another domain hides it. Delete that cookie, or pass its domain in the option cookie of kv().`
        : `${what} failed: the browser refused the cookie. Cookies may be blocked for this page, the name may be reserved, or the options may not be allowed here.`;
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
    const message = `COOKIE del(${show(id)}) failed: the cookie still exists, because it was set for another domain. Pass that domain in the option cookie of kv().`;
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
   * @param {string} text The value and the attributes.
   */
  #set(name, text) {
    document.cookie = `${name}=${text}`;
  }

  /**
   * Deletes the other cookies of this name that the page sees, for every path above it, except the one that this store writes.
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
    // If the cookie exists after its second, another page has written the same value again.
    const ours = written?.value === cookie.text && browserTime() < written.second;
    return { expires: ours ? written.expires : null, value, version: cookie.text };
  }

  /** Parses the cookies only if they have changed: parsing 50 cookies costs 20 times as much as comparing the text. */
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
        // The browser lists cookies with longer paths first. "/" is the shortest path; with another path, any could be this store's.
        if (this.#path === "/") found.text = text;
      }
    }
    return this.#jar;
  }
}

/**
 * Returns all paths whose cookies this page sees (RFC 6265bis, section 5.1.4): for "/shop/cart" they are "/", "/shop", "/shop/" and
 * "/shop/cart". After a pushState(), Chromium still uses the path that the page was loaded from.
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
 * @returns {string | undefined} Undefined if other code wrote the cookie, because its name is not encoded like a key.
 */
function decodeName(name) {
  const id = decoded(name);
  return encodeURIComponent(id) === name ? id : undefined;
}

/**
 * @param {string} text
 * @returns {string} The empty text, which is neither JSON nor a key, if the text is not percent-encoded, so that other code wrote it.
 */
function decoded(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    return "";
  }
}

/** The time by which the browser removes cookies, in milliseconds since the epoch. */
const browserTime = () => new Date().getTime();
