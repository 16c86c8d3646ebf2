import { PolystoreError, PolystoreTypeError, quotaError, show } from "../support/errors.js";
import { decodeValue, encodeValue, KEY_ONLY, parseValue } from "../support/record.js";
import { FIRST_LENGTH, nextLength, sizeOfAll } from "../support/page_bytes.js";
import { KeyQueue } from "../support/key_queue.js";
import { arrangePages } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** The number of keys that one call can read. */
const MAX_KEYS = 100;
/** Keys that workerd omits from the answer for several keys: V8 treats them as array indices instead of names. */
const DIGITS = /^\d+$/;
/** The length of a key, in bytes of UTF-8. */
const MAX_KEY_BYTES = 512;
/** The shortest and the longest time to live that the platform accepts, in seconds. */
const MIN_LIFE = 60;
const MAX_LIFE = 2 ** 31 - 1;

/**
 * The name of the expiry in a record's metadata, which other code does not use: milliseconds since the epoch, or null. A listing
 * includes the metadata, so that listing keys need not read values. A key without it was written by polystore or by other code.
 */
const EXPIRES = "polystore.expires";

/** @typedef {{ value: string | null, metadata: any } | null | undefined} Found */

const resolved = Promise.resolve();

/**
 * A namespace of Cloudflare KV: each value that is JSON is a record. Its metadata has the expiry, to the millisecond. The platform also
 * gets the expiry, as at least 60 whole seconds, and removes the record by then. This client never removes expired records: what it reads
 * may be a minute old, and a newer record may have taken the place of the expired one.
 */
export class Cloudflare {
  /** @type {import("../core/client.js").Traits} */
  traits = {
    type: "CLOUDFLARE",
    can: ["manages_expiry", "list"],
    copies: "write",
    atomic: "none",
    isTransactional: false,
  };
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
    const message = `Cloudflare KV cannot store the key ${show(id)}: a key must have 1 to ${MAX_KEY_BYTES} bytes of UTF-8, and must not be "." or "..". Use another key, or give the store a prefix.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  /**
   * @returns {never}
   * @throws {PolystoreError} ERR_UNSUPPORTED
   */
  watch() {
    const message =
      "Cloudflare KV does not tell of changes, and a Worker that writes is seldom the one that watches. Watch another storage, for example a server of polystore-wasm/server, or read again from time to time.";
    throw new PolystoreError("ERR_UNSUPPORTED", message);
  }

  /**
   * @param {string} id
   * @param {"presence" | "record" | "expiry"} [needs]
   */
  async read(id, needs) {
    const found = await this.#queue.addRead(id, () => this.#find(id));
    const record = toRecord(found, id);
    const isTold = needs === "record" || needs === "expiry";
    return record && isTold ? { ...record, expires: expiryOf(id, found?.metadata) } : record;
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   * @param {number} now
   */
  async put(id, value, expires, now) {
    const text = encodeValue(value);
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
    // An iteration holds at most the values of one call, and fewer if they are large.
    let length = FIRST_LENGTH;
    do {
      const { keys, ...rest } = await this.#namespace.list({ prefix, cursor });
      for (let i = 0; i < keys.length;) {
        const some = keys.slice(i, (i += wanted === "stream" ? length : keys.length));
        const page = await this.#page(some, wanted);
        yield page;
        length = nextLength(length, some.length, sizeOfAll(page.found), MAX_KEYS);
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
   * Reads a key, together with the other reads of this tick.
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
    for (let i = 0; i < ids.length; i += MAX_KEYS) calls.push(this.#findSome(ids.slice(i, i + MAX_KEYS)));
    return (await Promise.all(calls)).flat();
  }

  /**
   * @param {string[]} ids At most MAX_KEYS.
   * @returns {Promise<Found[]>}
   */
  async #findSome(ids) {
    const together = await this.#findTogether(ids.filter((id) => !DIGITS.test(id)));
    return Promise.all(ids.map((id) => (together.has(id) ? together.get(id) : this.#namespace.getWithMetadata(id))));
  }

  /**
   * @param {string[]} ids
   * @returns {Promise<Map<string, Found>>} It may lack some or all keys; those have to be read one by one.
   */
  async #findTogether(ids) {
    if (ids.length < 2) return new Map();
    try {
      const found = await this.#namespace.getWithMetadata(ids);
      return found instanceof Map ? found : new Map(); // Until 2025, workerd took the array for one key.
    } catch (error) {
      if (hasStatus(error, 413)) return new Map(); // The values together are too large for one answer.
      throw error;
    }
  }
}

/**
 * @param {Found} found
 * @param {string | null} id Null if the value is not used.
 */
function toRecord(found, id) {
  if (!found || found.value === null || !isAlive(found.metadata)) return undefined;
  return { expires: null, value: id === null ? parseValue(found.value) : decodeValue(found.value, id) };
}

/**
 * @param {string} id
 * @param {any} metadata
 * @returns {number | null}
 * @throws {PolystoreError} ERR_UNSUPPORTED if other code wrote the record: the platform tells its expiry only in a listing.
 */
function expiryOf(id, metadata) {
  if (isOurs(metadata)) return metadata[EXPIRES];
  const message = `Cloudflare KV does not tell when the value of ${show(id)} expires, because other code wrote it. Write it again with this library first.`;
  throw new PolystoreError("ERR_UNSUPPORTED", message);
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
 * Returns the time to live for the platform, in seconds from now; the record never ends before its expiry.
 * @param {number | null} expires
 * @param {number} now
 */
function platformLife(expires, now) {
  if (expires === null) return undefined;
  const life = Math.max(MIN_LIFE, Math.ceil((expires - now) / 1000) + 1); // The platform counts from the last whole second.
  return life > MAX_LIFE ? undefined : life;
}

/** @param {string} id */
function fits(id) {
  // A UTF-16 code unit takes at most three bytes.
  return id.length * 3 <= MAX_KEY_BYTES || new TextEncoder().encode(id).length <= MAX_KEY_BYTES;
}

/**
 * @param {string} what
 * @param {unknown} error
 */
function writeError(what, error) {
  if (hasStatus(error, 413)) return quotaError(what, { cause: error });
  if (!hasStatus(error, 429)) return error;
  const message = `${what} failed: Cloudflare KV accepts only one write per second to each key. Try again in a second, or write less often.`;
  return new PolystoreError("ERR_CLIENT", message, { cause: error });
}

/**
 * True if the platform answered with this HTTP status, which only the error's message contains.
 * @param {unknown} error
 * @param {number} status
 */
function hasStatus(error, status) {
  return error instanceof Error && /^KV \w+ failed: (\d+)/.exec(error.message)?.[1] === String(status);
}
