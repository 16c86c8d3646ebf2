import { PolystoreError, show } from "../support/errors.js";
import { isPut } from "../support/commits.js";
import { isPromise } from "../support/promise.js";
import { arrangePages, isPrefixOnly } from "../support/range.js";
import { isRecord, WITHOUT_EXPIRY } from "../support/record.js";
import { PAGE_BYTES, sizeOf } from "../support/page_bytes.js";

/** @typedef {import("../core/client.js").Page} Page */
/** @typedef {Iterable<[unknown, unknown]> | AsyncIterable<[unknown, unknown]>} Entries */

/** The number of records that an iteration holds at a time. */
const PAGE_LENGTH = 100;
/** An answer that needs no input or output arrives within this number of microtask turns. */
const LOCAL_TURNS = 20;
/** The text that an object becomes in FormData and similar objects. */
const OBJECT_AS_TEXT = "[object Object]";
/** Stands for an answer that has not arrived yet. */
const LATE = Symbol("late");

/**
 * A client of the user's own, of one of the generations of that contract:
 * - without a flag, it stores records, `{ expires, value }`, and polystore manages expiry;
 * - with `RAW` or `HAS_EXPIRATION`, it stores values and manages expiry; it gets the time to live in seconds as an argument;
 * - with `EXPIRES`, as until 2024, it does the same, but gets the time to live as `{ expires }`.
 */
export class Custom {
  #object;
  #managesExpiry;
  #legacy;
  /** True if the object can replace a record on the condition that it is the one that was read. */
  #swaps;
  /** @type {import("../core/client.js").Client["commit"]} */
  commit;
  /** True once a value that was set could be read back, or if that cannot be checked. */
  #isProven = false;
  /** The number of writes and removals. */
  #changes = 0;

  /** @param {any} object */
  constructor(object) {
    this.#object = object;
    this.#legacy = object.EXPIRES === true;
    this.#managesExpiry = this.#legacy || object.RAW === true || object.HAS_EXPIRATION === true;
    this.#swaps = !this.#managesExpiry && typeof object.swap === "function";
    /** @type {import("../core/client.js").Traits} */
    this.traits = {
      type: typeof object.TYPE === "string" ? object.TYPE : "UNKNOWN",
      can: this.#abilities(),
      copies: this.#managesExpiry ? "identity" : "both",
      atomic: this.#swaps ? "storage" : "none",
      isTransactional: false,
    };
    if (this.#swaps) this.commit = this.#commit;
  }

  /** @returns {import("../core/client.js").Traits["can"]} */
  #abilities() {
    const has = (/** @type {string} */ method) => typeof this.#object[method] === "function";
    const lists = has("iterate") || has("entries") || (this.#managesExpiry && has("keys"));
    /** @type {import("../core/client.js").Traits["can"]} */
    const can = [];
    if (lists) can.push("list");
    if (has("add")) can.push("add");
    // clear() of a cache takes no prefix and removes everything, so such an object is cleared record by record.
    if (has("clear") && hasParameters(this.#object.clear)) can.push("sweeps_all");
    if (this.#managesExpiry) can.push("manages_expiry");
    // If polystore can list and manages expiry, it prunes itself, because it can then count the records.
    if (has("prune") && (this.#managesExpiry || !lists)) can.push("sweeps_expired");
    return can;
  }

  /** Connects the object, if it has `promise` or connect(). Called once, and again after a failure. */
  connect() {
    return this.#object.promise ?? this.#object.connect?.();
  }

  /**
   * @param {string} id
   * @param {"presence" | "record" | "expiry"} [needs]
   */
  read(id, needs) {
    if (!this.#managesExpiry) return this.#object.get(id);
    if (needs === "record" || needs === "expiry") {
      const message = `The ${this.traits.type} client manages expiry itself, and does not tell when a value expires. Let it store records instead, without RAW, HAS_EXPIRATION and EXPIRES.`;
      throw new PolystoreError("ERR_UNSUPPORTED", message);
    }
    const asks = needs && typeof this.#object.has === "function";
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
    // If the object manages expiry, a value with an expiry may have expired already.
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
   * Converts an expiry to the argument that the object expects.
   * @param {number | null} expires
   * @param {number} now
   */
  #lifeOf(expires, now) {
    const seconds = expires === null ? null : (expires - now) / 1000;
    return this.#legacy ? { expires: seconds } : seconds;
  }

  /**
   * Reads back the first value that is set, because a mock or a FormData accepts everything and stores nothing. The check only counts if
   * set() and get() answer without input or output. A server is not checked: a replica may be late, or another program may have deleted
   * the value.
   * @param {string} id
   * @param {unknown} value
   * @param {unknown} reply The result of set().
   */
  #prove(id, value, reply) {
    this.#isProven = true; // Set before get() is called, because get() may call set() itself.
    if (isPromise(reply)) return this.#proveLater(id, value, reply);
    const found = this.#readBack(id);
    // If get() is asynchronous, set() may still be under way.
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
   * @returns {unknown} The result of get(), or a promise of it; LATE if get() fails, which a later get() of the user will show.
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
    // A value may come back changed, for example by JSON. An object that became "[object Object]" is lost.
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
      `The ${this.traits.type} client does not store values: after set(${show(id)}) with ${show(given)}, get(${show(id)}) returned ${show(found)}. Pass an object whose get() returns what set() stored; in a test, use a Map instead of a mock.`,
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
   * @param {readonly import("../core/client.js").Commit[]} commits Each changes one key.
   * @param {number} now
   * @returns {import("../core/client.js").Eventually<readonly boolean[]>}
   */
  #commit(commits, now) {
    const replies = commits.map(({ expected: [expectation], changes: [change] }) => {
      const { id } = change;
      if (!expectation) return isPut(change) ? this.put(id, change.value, change.expires, now) : this.remove(id);
      ++this.#changes;
      const record = isPut(change) ? { expires: change.expires, value: change.value } : null;
      return this.#object.swap(id, expectation.found ?? expectation.other ?? null, record);
    });
    const outcomes = (/** @type {unknown[]} */ results) =>
      results.map((result, i) => commits[i].expected.length === 0 || Boolean(result));
    return replies.some(isPromise) ? Promise.all(replies).then(outcomes) : outcomes(replies);
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
    // The values alone do not tell which of them lie between the bounds.
    const entries = this.#entries(prefix, wanted === "values" && !isPrefixOnly(range) ? "entries" : wanted);
    return arrangePages(isSync(entries) ? this.#pagesOf(entries) : this.#pagesOfLater(entries), range);
  }

  /**
   * Lists the entries with the object's most specific method for what is wanted.
   * @param {string} prefix
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Entries | PromiseLike<Entries>}
   */
  #entries(prefix, wanted) {
    const object = this.#object;
    // Only if the object manages expiry: otherwise keys or values alone do not tell which records have expired.
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

  /** The size of a value, if it is a text. Other values are the user's objects, whose getters must not be called. @param {unknown} found */
  #sizeOf(found) {
    return sizeOf(found, this.#managesExpiry ? 0 : 1);
  }

  /**
   * @param {Page} page
   * @param {[unknown, unknown]} entry
   */
  #gather(page, entry) {
    if (!Array.isArray(entry)) throw new TypeError(`its listing yielded ${show(entry)} instead of [key, value]`);
    const [id, found] = entry;
    if (typeof id !== "string") return;
    page.ids.push(id);
    page.found.push(this.#managesExpiry ? wrap(found) : found);
  }
}

/** Resolves after all work that needs no input or output is done. */
async function turns() {
  for (let i = 0; i < LOCAL_TURNS; ++i) await null;
  return LATE;
}

/**
 * True if a function has parameters. Its `length` does not count parameters with a default, nor rest parameters.
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
