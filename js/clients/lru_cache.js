import { selectIds } from "../support/range.js";

/** A cache of the package `lru-cache`: it holds values as they are, and their life in milliseconds. */
export class LruCache {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "LRUCACHE", can: ["list"], copies: "both" };
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
   * @param {number | null} expires Where it is null, the life is that of the cache's option `ttl`.
   */
  put(id, value, expires) {
    const life = expires === null ? {} : { ttl: expires - Date.now() };
    this.#cache.set(id, value, { ...life, noUpdateTTL: false });
    if (this.#cache.peek(id, { allowStale: true }) !== value)
      throw new Error("the cache did not keep the value, as it is larger than its option maxEntrySize or maxSize");
  }

  /** @param {string} id */
  remove(id) {
    this.#cache.delete(id);
  }

  /** @param {import("../core/client.js").Range} range */
  *scan(range) {
    /** @type {Map<string, unknown>} */
    const records = new Map();
    // Unlike entries(), dump() has what has expired, which prune() removes and counts.
    for (const [id, { value, ttl, start }] of this.#cache.dump()) {
      if (typeof id === "string") records.set(id, { expires: ttl ? start + ttl : null, value });
    }
    const ids = selectIds([...records.keys()], range);
    yield { ids, found: ids.map((id) => records.get(id)) };
  }
}
