/**
 * A cache of the package `weak-lru-cache`: it holds records, those that were used last firmly, and the others until the garbage
 * collector takes them.
 */
export class WeakLruCache {
  type = "WEAKLRUCACHE";
  /** @type {import("../core/client.js").Client["can"]} */
  can = ["list"];
  /** @type {"both"} */
  copies = "both";
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
  write(id, value, expires) {
    this.#cache.setValue(id, { expires, value });
  }

  /** @param {string} id */
  erase(id) {
    this.#cache.delete(id);
  }

  /** @param {string} prefix */
  *pages(prefix) {
    const ids = [...this.#cache.keys()].filter((key) => typeof key === "string" && key.startsWith(prefix));
    yield { ids, found: ids.map((id) => this.read(id)) };
  }
}
