import { pagesOf } from "./pages.js";

/** A Map: each value is a record, `{ expires, value }`. */
export class Memory {
  type = "MEMORY";
  /** @type {import("../core/client.js").Client["can"]} */
  can = ["list"];
  /** @type {"both"} */
  copies = "both";
  #map;

  /** @param {Map<unknown, unknown>} map */
  constructor(map) {
    this.#map = map;
  }

  /** @param {string} id */
  read(id) {
    return this.#map.get(id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    this.#map.set(id, { expires, value });
  }

  /** @param {string} id */
  erase(id) {
    this.#map.delete(id);
  }

  /** @param {string} prefix */
  *pages(prefix) {
    // The keys as they are now: whoever adds while iterating would never see the end of a live iterator.
    const ids = [...this.#map.keys()].filter((key) => typeof key === "string" && key.startsWith(prefix));
    yield* pagesOf(/** @type {string[]} */ (ids), (id) => this.#map.get(id));
  }
}
