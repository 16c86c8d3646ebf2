import { selectIds } from "../support/range.js";

/** A cache of the package `lru-cache`. It stores values as they are, with their time to live in milliseconds. */
export class LruCache {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "LRUCACHE", can: ["list"], copies: "both", atomic: "process", isTransactional: false };
  #cache;

  /** @param {any} cache */
  constructor(cache) {
    this.#cache = cache;
  }

  /** @param {string} id */
  read(id) {
    const value = this.#cache.get(id);
    const remaining = this.#cache.getRemainingTTL(id);
    return { expires: remaining === Infinity ? null : Date.now() + remaining, value };
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires If it is null, the cache's option `ttl` applies.
   */
  put(id, value, expires) {
    const life = expires === null ? {} : { ttl: expires - Date.now() };
    this.#cache.set(id, value, { ...life, noUpdateTTL: false });
    if (this.#cache.peek(id, { allowStale: true }) !== value)
      throw new Error(
        "the cache did not store the value, because it is larger than the option maxEntrySize or maxSize",
      );
  }

  /** @param {string} id */
  remove(id) {
    this.#cache.delete(id);
  }

  /** @param {import("../core/client.js").Range} range */
  *scan(range) {
    /** @type {Map<string, unknown>} */
    const records = new Map();
    // Unlike entries(), dump() includes expired values, which prune() has to remove and count.
    for (const [id, { value, ttl, start }] of this.#cache.dump()) {
      if (typeof id === "string") records.set(id, { expires: ttl ? start + ttl : null, value });
    }
    const ids = selectIds([...records.keys()], range);
    yield { ids, found: ids.map((id) => records.get(id)) };
  }
}
