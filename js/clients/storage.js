import { decodeRecord, encodeRecord } from "../record.js";
import { pagesOf } from "./pages.js";

/**
 * localStorage, sessionStorage, and whatever else has the methods of a Storage.
 * @param {any} input
 * @returns {input is Storage}
 */
export function isStorage(input) {
  return ["getItem", "setItem", "removeItem", "key"].every((name) => typeof input[name] === "function");
}

/** A Storage: each item is the JSON text of a record. */
export class WebStorage {
  type = "STORAGE";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"write"} */
  copies = "write";
  #storage;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @param {string} id */
  read(id) {
    return decodeRecord(this.#storage.getItem(id));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    this.#storage.setItem(id, encodeRecord(value, expires));
  }

  /** @param {string} id */
  erase(id) {
    this.#storage.removeItem(id);
  }

  /** @param {string} prefix */
  *pages(prefix) {
    // The keys as they are now: key(i) of a live storage skips when items are removed meanwhile.
    const ids = [];
    for (let i = 0; i < this.#storage.length; ++i) {
      const id = this.#storage.key(i);
      if (id !== null && id.startsWith(prefix)) ids.push(id);
    }
    yield* pagesOf(ids, (id) => this.read(id));
  }
}
