import { selectIds } from "../support/range.js";

/**
 * A cache of the package `weak-lru-cache`. It keeps the recently used records, and the other ones until the garbage collector removes
 * them.
 */
export class WeakLruCache {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "WEAKLRUCACHE", can: ["list"], copies: "both", atomic: "process", isTransactional: true };
  #cache;

  /** @param {any} cache */
  constructor(cache) {
    this.#cache = cache;
  }

  /** @param {string} id */
  read(id) {
    return this.#cache.getValue(id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  put(id, value, expires) {
    this.#cache.setValue(id, { expires, value });
  }

  /** @param {string} id */
  remove(id) {
    this.#cache.delete(id);
  }

  /** @param {import("../core/client.js").Range} range */
  *scan(range) {
    const ids = selectIds(
      [...this.#cache.keys()].filter((key) => typeof key === "string"),
      range,
    );
    yield { ids, found: ids.map((id) => this.read(id)) };
  }
}
