import { PolystoreError, show } from "../support/errors.js";
import { isPromise } from "../support/promise.js";
import { arrangePages } from "../support/range.js";
import { isRecord, WITHOUT_EXPIRY } from "../support/record.js";
import { PAGE_BYTES, sizeOf } from "../support/page_bytes.js";

/** @typedef {import("../core/client.js").Page} Page */
/** @typedef {Iterable<[unknown, unknown]> | AsyncIterable<[unknown, unknown]>} Entries */

/** Records that an iteration holds at a time. */
const PAGE_LENGTH = 100;
/** Turns of the queue of microtasks in which an answer comes that no input or output was needed for. */
const LOCAL_TURNS = 20;
/** The text that an object becomes in FormData and the like. */
const OBJECT_AS_TEXT = "[object Object]";
/** Stands for what is not known yet. */
const LATE = Symbol("late");

/**
 * The user's own object, of either generation of the custom client contract:
 * - wrapped (no flag): it holds records, `{ expires, value }`, and we see to their expiry;
 * - `RAW` or `HAS_EXPIRATION` is true: it holds values and sees to expiry, given in seconds as a plain argument;
 * - `EXPIRES` is true, as until 2024: the same, given as `{ expires }`.
 */
export class Custom {
  #object;
  #managesExpiry;
  #legacy;
  /** Whether a value that was set has been there afterwards, or nobody can tell. */
  #isProven = false;
  /** How often something was written or removed. */
  #changes = 0;

  /** @param {any} object */
  constructor(object) {
    this.#object = object;
    this.#legacy = object.EXPIRES === true;
    this.#managesExpiry = this.#legacy || object.RAW === true || object.HAS_EXPIRATION === true;
    /** @type {import("../core/client.js").Traits} */
    this.traits = {
      type: typeof object.TYPE === "string" ? object.TYPE : "UNKNOWN",
      can: this.#abilities(),
      copies: this.#managesExpiry ? "identity" : "both",
    };
  }

  /** @returns {import("../core/client.js").Traits["can"]} */
  #abilities() {
    const has = (/** @type {string} */ method) => typeof this.#object[method] === "function";
    const lists = has("iterate") || has("entries") || (this.#managesExpiry && has("keys"));
    /** @type {import("../core/client.js").Traits["can"]} */
    const can = [];
    if (lists) can.push("list");
    if (has("add")) can.push("add");
    // That of a cache has no prefix and removes everything; such an object is cleared record by record.
    if (has("clear") && hasParameters(this.#object.clear)) can.push("sweeps_all");
    if (this.#managesExpiry) can.push("manages_expiry");
    // Where we can list and see to expiry ourselves, we can say how many records that were.
    if (has("prune") && (this.#managesExpiry || !lists)) can.push("sweeps_expired");
    return can;
  }

  /** Begins to connect, if the object wants to: called once, and again after a failure. */
  connect() {
    return this.#object.promise ?? this.#object.connect?.();
  }

  /**
   * @param {string} id
   * @param {boolean} isPresenceOnly
   */
  read(id, isPresenceOnly) {
    if (!this.#managesExpiry) return this.#object.get(id);
    const asks = isPresenceOnly && typeof this.#object.has === "function";
    const found = asks ? this.#object.has(id) : this.#object.get(id);
    const toRecord = asks ? wrapPresence : wrap;
    return isPromise(found) ? found.then(toRecord) : toRecord(found);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  put(id, value, expires, now) {
    ++this.#changes;
    const reply = this.#set(id, value, expires, now);
    // A value that expires may be gone by now where the object manages expiry.
    return this.#isProven || (this.#managesExpiry && expires !== null) ? reply : this.#prove(id, value, reply);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  #set(id, value, expires, now) {
    if (!this.#managesExpiry) return this.#object.set(id, { expires, value });
    return this.#object.set(id, value, this.#lifeOf(expires, now));
  }

  /**
   * What the object is told of an expiry.
   * @param {number | null} expires
   * @param {number} now
   */
  #lifeOf(expires, now) {
    const seconds = expires === null ? null : (expires - now) / 1000;
    return this.#legacy ? { expires: seconds } : seconds;
  }

  /**
   * Reads back the first value that is set, for a mock or a FormData takes everything and keeps nothing. It is done only where that
   * is proof: set() and get() answer without input or output in between. A server is thus neither asked nor suspected: there, a
   * replica may be late, or somebody else may have deleted the value.
   * @param {string} id
   * @param {unknown} value
   * @param {unknown} reply What set() returned.
   */
  #prove(id, value, reply) {
    this.#isProven = true; // Already now, for get() may set something itself.
    if (isPromise(reply)) return this.#proveLater(id, value, reply);
    const found = this.#readBack(id);
    // A set() that is not waited for may be done later.
    if (!isPromise(found)) this.#requireKept(id, value, found);
    return reply;
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {PromiseLike<unknown>} reply
   */
  async #proveLater(id, value, reply) {
    const changes = this.#changes;
    if ((await Promise.race([reply, turns()])) === LATE) return reply;
    const found = await Promise.race([this.#readBack(id), turns()]);
    if (changes === this.#changes) this.#requireKept(id, value, found);
    return undefined;
  }

  /**
   * @param {string} id
   * @returns {unknown} What get() gives, or a promise of it; LATE where it fails, which get() tells to whoever calls it.
   */
  #readBack(id) {
    try {
      const found = this.#object.get(id);
      return isPromise(found) ? found.then(undefined, () => LATE) : found;
    } catch {
      return LATE;
    }
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {unknown} found
   * @throws {PolystoreError} ERR_CLIENT
   */
  #requireKept(id, value, found) {
    // A value may come back as another, as JSON has it; an object that has become a text is lost.
    const isAbsent = found === null || found === undefined;
    if (
      found === LATE ||
      (this.#managesExpiry ? !isAbsent && (found !== OBJECT_AS_TEXT || value === found) : isRecord(found))
    )
      return;
    this.#isProven = false;
    const given = this.#managesExpiry ? value : { expires: null, value };
    throw new PolystoreError(
      "ERR_CLIENT",
      `The ${this.traits.type} client does not keep what it is given: after set(${show(id)}) with ${show(given)}, get(${show(id)}) gave ${show(found)}. Give kv() an object whose get() gives what was set; in a test, a Map will do for a mock.`,
    );
  }

  /** @param {string} id */
  remove(id) {
    ++this.#changes;
    if (this.#object.del) return this.#object.del(id);
    if (!this.#managesExpiry) return this.#object.set(id, null);
    return this.#object.set(id, null, this.#lifeOf(0, 0));
  }

  /**
   * @param {string} prefix
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  add(prefix, value, expires, now) {
    if (!this.#managesExpiry) return this.#object.add(prefix, { expires, value });
    return this.#object.add(prefix, value, this.#lifeOf(expires, now));
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep({ prefix }, until) {
    if (until !== null) return this.#object.prune(prefix);
    ++this.#changes;
    return this.#object.clear(prefix);
  }

  close() {
    return this.#object.close?.();
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Iterator<Page> | AsyncIterator<Page>}
   */
  scan(range, wanted) {
    const { prefix } = range;
    const entries = this.#entries(prefix, wanted);
    return arrangePages(isSync(entries) ? this.#pagesOf(entries) : this.#pagesOfLater(entries), range);
  }

  /**
   * What the object's own method for what is wanted gives, if it has one.
   * @param {string} prefix
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Entries | PromiseLike<Entries>}
   */
  #entries(prefix, wanted) {
    const object = this.#object;
    // Of a record, neither its key nor its value alone tells whether it has expired.
    if (this.#managesExpiry && wanted === "keys" && object.keys) {
      return transform(object.keys(prefix), (id) => [id, true]);
    }
    if (this.#managesExpiry && wanted === "values" && object.values) {
      return transform(object.values(prefix), (value) => [prefix, value]);
    }
    if (object.entries && (wanted !== "stream" || !object.iterate)) return object.entries(prefix);
    if (object.iterate) return object.iterate(prefix);
    return this.#lookUp(prefix);
  }

  /** @param {string} prefix */
  async *#lookUp(prefix) {
    for (const id of await this.#object.keys(prefix)) {
      yield /** @type {[unknown, unknown]} */ ([id, await this.#object.get(id)]);
    }
  }

  /**
   * @param {Iterable<[unknown, unknown]>} entries
   * @returns {Generator<Page, void>}
   */
  *#pagesOf(entries) {
    let page = emptyPage();
    let bytes = 0;
    for (const entry of entries) {
      this.#gather(page, entry);
      bytes += this.#sizeOf(entry[1]);
      if (page.ids.length < PAGE_LENGTH && bytes < PAGE_BYTES) continue;
      yield page;
      page = emptyPage();
      bytes = 0;
    }
    yield page;
  }

  /**
   * @param {Entries | PromiseLike<Entries>} entries
   * @returns {AsyncGenerator<Page, void>}
   */
  async *#pagesOfLater(entries) {
    let page = emptyPage();
    let bytes = 0;
    for await (const entry of await entries) {
      this.#gather(page, entry);
      bytes += this.#sizeOf(entry[1]);
      if (page.ids.length < PAGE_LENGTH && bytes < PAGE_BYTES) continue;
      yield page;
      page = emptyPage();
      bytes = 0;
    }
    yield page;
  }

  /** Of a value that is a text: others are the user's own objects, which may not like to be looked into. @param {unknown} found */
  #sizeOf(found) {
    return sizeOf(found, this.#managesExpiry ? 0 : 1);
  }

  /**
   * @param {Page} page
   * @param {[unknown, unknown]} entry
   */
  #gather(page, entry) {
    if (!Array.isArray(entry)) throw new TypeError(`it listed ${show(entry)} where [key, value] was expected`);
    const [id, found] = entry;
    if (typeof id !== "string") return;
    page.ids.push(id);
    page.found.push(this.#managesExpiry ? wrap(found) : found);
  }
}

/** Resolves after everything that needs no input or output. */
async function turns() {
  for (let i = 0; i < LOCAL_TURNS; ++i) await null;
  return LATE;
}

/**
 * Whether a function takes anything. Its `length` does not count a parameter with a default, nor the rest of them.
 * @param {Function} method
 */
function hasParameters(method) {
  return method.length > 0 || !/^[^(]*\(\s*\)/.test(Function.prototype.toString.call(method));
}

/** @returns {Page} */
const emptyPage = () => ({ ids: [], found: [] });

/**
 * @param {any} entries
 * @returns {entries is Iterable<[unknown, unknown]>}
 */
function isSync(entries) {
  return typeof entries[Symbol.iterator] === "function";
}

/**
 * @param {Iterable<unknown> | PromiseLike<Iterable<unknown>>} items
 * @param {(item: any) => [unknown, unknown]} entry
 * @returns {Entries | PromiseLike<Entries>}
 */
function transform(items, entry) {
  return isPromise(items) ? items.then((list) => Array.from(list, entry)) : Array.from(items, entry);
}

/** @param {unknown} isThere */
function wrapPresence(isThere) {
  return isThere ? WITHOUT_EXPIRY : undefined;
}

/** @param {unknown} value */
function wrap(value) {
  return { expires: null, value };
}
