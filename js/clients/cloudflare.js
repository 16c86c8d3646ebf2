import { PolystoreError, PolystoreTypeError, quotaError, show } from "../support/errors.js";
import { decodeValue, parseValue } from "../support/record.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../support/page_bytes.js";
import { KeyQueue } from "../support/key_queue.js";
import { arrangePages } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** Keys that one call can get. */
const MOST_KEYS = 100;
/** Keys that workerd leaves out of the answer where it is asked for several: to V8 they are indices, and no names. */
const DIGITS = /^\d+$/;
/** Bytes of a key. */
const LONGEST_KEY = 512;
/** The least and the most seconds that the platform takes for an expiry. */
const SHORTEST_LIFE = 60;
const LONGEST_LIFE = 2 ** 31 - 1;

/**
 * What our records have in their metadata, under a name that other code's have not: when they expire, in milliseconds since the
 * epoch, or null. A listing shows it, so keys need no look at their values. What has none is polystore's, or no record at all.
 */
const EXPIRES = "polystore.expires";

/** @typedef {{ value: string | null, metadata: any } | null | undefined} Found */

const resolved = Promise.resolve();

/**
 * A namespace of Cloudflare KV: each value that is JSON is a record's. The expiry of a record is in its metadata, to the
 * millisecond. The platform has it too, in seconds, a minute at least: by then, it removes the record. We never do, for what we
 * read may be a minute old, and a newer record in its place.
 */
export class Cloudflare {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "CLOUDFLARE", can: ["manages_expiry", "list"], copies: "write" };
  #namespace;
  #queue = new KeyQueue();
  /** The reads of this tick. @type {{ id: string, resolve: (found: Found) => void, reject: (error: unknown) => void }[]} */
  #reads = [];

  /** @param {any} namespace */
  constructor(namespace) {
    this.#namespace = namespace;
  }

  /**
   * @param {string} id
   * @throws {PolystoreTypeError} ERR_KEY
   */
  checkKey(id) {
    requireText(id, "Cloudflare KV");
    if (id !== "" && id !== "." && id !== ".." && fits(id)) return;
    const message = `Cloudflare KV cannot hold the key ${show(id)}: a key is 1 to ${LONGEST_KEY} bytes of UTF-8, and neither "." nor "..". Give it another key, or the store a prefix.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  /** @param {string} id */
  async read(id) {
    return toRecord(await this.#queue.addRead(id, () => this.#find(id)), id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  async put(id, value, expires, now) {
    const text = JSON.stringify(value);
    const options = { metadata: { [EXPIRES]: expires }, expirationTtl: platformLife(expires, now) };
    try {
      await this.#queue.add(id, () => this.#namespace.put(id, text, options));
    } catch (error) {
      throw writeError(`CLOUDFLARE set(${show(id)})`, error);
    }
  }

  /** @param {string} id */
  async remove(id) {
    try {
      await this.#queue.add(id, () => this.#namespace.delete(id));
    } catch (error) {
      throw writeError(`CLOUDFLARE del(${show(id)})`, error);
    }
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range.prefix, wanted), range);
  }

  /**
   * @param {string} prefix
   * @param {import("../core/client.js").Wanted} wanted
   */
  async *#pages(prefix, wanted) {
    requireText(prefix, "Cloudflare KV");
    if (!fits(prefix)) return; // No key is that long.
    await this.#queue.idle();
    let cursor;
    // An iteration holds no more values than one call gets, and fewer where they are large.
    let length = FIRST_LENGTH;
    do {
      const { keys, ...rest } = await this.#namespace.list({ prefix, cursor });
      for (let i = 0; i < keys.length;) {
        const some = keys.slice(i, (i += wanted === "stream" ? length : keys.length));
        const page = await this.#page(some, wanted);
        yield page;
        length = nextLength(some.length, sizeOfAll(page.found), MOST_KEYS);
      }
      cursor = rest.list_complete ? undefined : rest.cursor;
    } while (cursor);
  }

  onTimeout() {
    this.#queue.abandon();
  }

  /**
   * @param {{ name: string, metadata?: any }[]} keys
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Promise<import("../core/client.js").Page>}
   */
  async #page(keys, wanted) {
    const isKnown = wanted === "keys" ? isOurs : () => false;
    /** @type {string[]} */
    const ids = [];
    /** @type {string[]} */
    const unknown = [];
    for (const { name, metadata } of keys) {
      if (!isKnown(metadata)) unknown.push(name);
      else if (isAlive(metadata)) ids.push(name);
    }
    const found = ids.map(() => KEY_ONLY);
    const records = await this.#findAll(unknown);
    return {
      ids: ids.concat(unknown),
      found: [...found, ...records.map((record, i) => toRecord(record, wanted === "keys" ? null : unknown[i]))],
    };
  }

  /**
   * Looks a key up, together with those of the same tick.
   * @param {string} id
   * @returns {Promise<Found>}
   */
  #find(id) {
    return new Promise((resolve, reject) => {
      const count = this.#reads.push({ id, resolve, reject });
      if (count === 1) resolved.then(() => this.#sendReads());
    });
  }

  async #sendReads() {
    const reads = this.#reads;
    this.#reads = [];
    try {
      const found = await this.#findAll(reads.map(({ id }) => id));
      reads.forEach(({ resolve }, i) => resolve(found[i]));
    } catch (error) {
      for (const { reject } of reads) reject(error);
    }
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<Found[]>}
   */
  async #findAll(ids) {
    const calls = [];
    for (let i = 0; i < ids.length; i += MOST_KEYS) calls.push(this.#findSome(ids.slice(i, i + MOST_KEYS)));
    return (await Promise.all(calls)).flat();
  }

  /**
   * @param {string[]} ids No more than one call can get.
   * @returns {Promise<Found[]>}
   */
  async #findSome(ids) {
    const together = await this.#findTogether(ids.filter((id) => !DIGITS.test(id)));
    return Promise.all(ids.map((id) => (together.has(id) ? together.get(id) : this.#namespace.getWithMetadata(id))));
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<Map<string, Found>>} It may lack some, or all, which are then to be asked for one by one.
   */
  async #findTogether(ids) {
    if (ids.length < 2) return new Map();
    try {
      const found = await this.#namespace.getWithMetadata(ids);
      return found instanceof Map ? found : new Map(); // Until 2025, it took them for one key.
    } catch (error) {
      if (hasStatus(error, 413)) return new Map(); // Together they are too large.
      throw error;
    }
  }
}

/** What a listing of keys needs to know of a record. */
const KEY_ONLY = { expires: null, value: true };

/**
 * @param {Found} found
 * @param {string | null} id Null where the value is not used.
 */
function toRecord(found, id) {
  if (!found || found.value === null || !isAlive(found.metadata)) return undefined;
  return { expires: null, value: id === null ? parseValue(found.value) : decodeValue(found.value, id) };
}

/** @param {any} metadata */
function isOurs(metadata) {
  return metadata?.[EXPIRES] !== undefined;
}

/** @param {any} metadata */
function isAlive(metadata) {
  const expires = metadata?.[EXPIRES] ?? null;
  return expires === null || expires > Date.now();
}

/**
 * When the platform removes a record, in seconds from now: never before it expires.
 * @param {number | null} expires
 * @param {number} now
 */
function platformLife(expires, now) {
  if (expires === null) return undefined;
  const life = Math.max(SHORTEST_LIFE, Math.ceil((expires - now) / 1000) + 1); // It counts from the last whole second.
  return life > LONGEST_LIFE ? undefined : life;
}

/** @param {string} id */
function fits(id) {
  // A UTF-16 unit takes three bytes at most.
  return id.length * 3 <= LONGEST_KEY || new TextEncoder().encode(id).length <= LONGEST_KEY;
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function writeError(what, error) {
  if (hasStatus(error, 413)) return quotaError(what, { cause: error });
  if (!hasStatus(error, 429)) return error;
  const message = `${what} failed: Cloudflare KV takes one write a second to each key, and more came. Try again in a second, or write less often.`;
  return new PolystoreError("ERR_CLIENT", message, { cause: error });
}

/**
 * Whether the platform answered with a status of HTTP, which is in the text of the error only.
 * @param {unknown} error
 * @param {number} status
 */
function hasStatus(error, status) {
  return error instanceof Error && /^KV \w+ failed: (\d+)/.exec(error.message)?.[1] === String(status);
}
