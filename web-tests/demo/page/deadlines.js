/** @typedef {import("./polystore/index.js").Store} Store */
/** @typedef {{ at: number, seconds: number }} Deadline When an entry ends, in ms since the epoch, and how long it had. */

/**
 * When the entries of a storage end. A store does not tell, so the page takes it down beside the entries, in the same
 * storage and with the same expiry: the note goes when the entry goes. It is only for show; what is gone, the store says.
 */
export class Deadlines {
  #store;

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * @param {string} key
   * @param {import("./polystore/index.js").Expires} expires
   */
  async note(key, expires) {
    const seconds = this.#store.expires(expires).EXPIRES; // the library reads "2 minutes" for us
    if (seconds === null) return this.#store.del(key);
    return this.#store.set(key, { at: Date.now() + seconds * 1000, seconds }, { expires });
  }

  /** @param {string} key */
  forget(key) {
    return this.#store.del(key);
  }

  forgetAll() {
    return this.#store.clear();
  }

  /** @returns {Promise<Map<string, Deadline>>} */
  async all() {
    return new Map(await this.#store.entries());
  }
}
