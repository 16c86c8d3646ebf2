import { selectIds } from "../support/range.js";
import { pagesOf } from "./pages.js";

/** A Map: each value is a record, `{ expires, value }`. */
export class Memory {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "MEMORY", can: ["list"], copies: "both", atomic: "process", isTransactional: true };
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
  put(id, value, expires) {
    this.#map.set(id, { expires, value });
  }

  /** @param {string} id */
  remove(id) {
    this.#map.delete(id);
  }

  /** @param {import("../core/client.js").Range} range */
  *scan(range) {
    // A copy of the keys: with a live iterator, a loop that adds records while it iterates would never end.
    const ids = [...this.#map.keys()].filter((key) => typeof key === "string");
    yield* pagesOf(selectIds(/** @type {string[]} */ (ids), range), (id) => this.#map.get(id));
  }
}
