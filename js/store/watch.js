/** @typedef {import("./watcher.js").Watcher} Watcher */

/** The watcher that the user holds. The one behind it is made when the client is open and its code is loaded. */
export class Watching {
  #opening;
  /** @type {Watcher | undefined} */
  #watcher;

  /**
   * @param {Promise<Watcher>} opening
   * @param {unknown[]} args The arguments of watch().
   */
  constructor(opening, args) {
    this.#opening = opening;
    this.ready = opening.then((watcher) => (this.#watcher = watcher).ready);
    // An iteration gets the error from next(). A listener gets none, so it must not be lost.
    if (!args.some((arg) => typeof arg === "function")) this.ready.catch(() => {});
  }

  get reach() {
    return this.#watcher?.reach ?? null;
  }

  close() {
    if (this.#watcher) this.#watcher.end();
    else this.#opening.then((watcher) => watcher.end()).catch(() => {});
  }

  [Symbol.asyncIterator]() {
    return {
      next: async () => (await this.#opening).next(),
      return: async () => {
        this.close();
        return { done: true, value: undefined };
      },
    };
  }

  async [Symbol.asyncDispose]() {
    this.close();
  }
}
