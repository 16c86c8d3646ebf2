import { decodeExpiry, decodeRecord, decodeVersion, encodeRecord } from "../support/record.js";
import { selectIds } from "../support/range.js";
import { hasMethods } from "../support/has.js";
import { pagesOf } from "./pages.js";

/**
 * True for localStorage, sessionStorage, and any object with the methods of a Storage.
 * @param {any} input
 * @returns {input is Storage}
 */
export function isStorage(input) {
  return hasMethods(input, "getItem", "setItem", "removeItem", "key");
}

/** A Storage: each item is the JSON text of a record. */
export class WebStorage {
  /** @type {import("../core/client.js").Traits} */
  traits = { type: "STORAGE", can: ["list"], copies: "write", atomic: "process", isTransactional: false };
  #storage;

  /** @param {Storage} storage */
  constructor(storage) {
    this.#storage = storage;
  }

  /** @param {string} id */
  read(id) {
    return decodeVersion(this.#storage.getItem(id), id);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  put(id, value, expires) {
    this.#storage.setItem(id, encodeRecord(value, expires));
  }

  /** @param {string} id */
  remove(id) {
    this.#storage.removeItem(id);
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   */
  *scan(range, wanted) {
    const ids = selectIds(this.#ids(), range);
    const storage = this.#storage;
    yield* pagesOf(
      ids,
      wanted === "keys" ? (id) => decodeExpiry(storage.getItem(id)) : (id) => decodeRecord(storage.getItem(id), id),
    );
  }

  /** @param {import("../core/client.js").WatchListener} listener */
  async watch(listener) {
    return (await import("./storage_events.js")).watchStorage(this.#storage, listener);
  }

  /** Returns a copy of the keys: with key(i), a loop would skip keys if items are removed meanwhile. */
  #ids() {
    const storage = this.#storage;
    if (typeof Storage === "function" && storage instanceof Storage) {
      // Three times as fast as key(i). It omits items that have the name of a method; the lengths then differ.
      const names = Object.getOwnPropertyNames(storage);
      if (names.length === storage.length) return names;
    }
    const ids = [];
    for (let i = 0; i < storage.length; ++i) ids.push(/** @type {string} */ (storage.key(i)));
    return ids;
  }
}
