/** Keeps the calls on each key in their order, where what carries them out does not. */
export class KeyQueue {
  /** The latest call on each key, as long as it is under way. @type {Map<string, Promise<unknown>>} */
  #latest = new Map();

  /**
   * Does something when what was called before on the same key has been done.
   * @template Result
   * @param {string} id
   * @param {() => Result | PromiseLike<Result>} action
   * @returns {Promise<Result>}
   */
  add(id, action) {
    const before = this.#latest.get(id);
    // Whether that failed is its caller's business.
    const result = before ? before.then(action, action) : new Promise((resolve) => resolve(action()));
    this.#latest.set(id, result);
    const forget = () => {
      if (this.#latest.get(id) === result) this.#latest.delete(id);
    };
    result.then(forget, forget);
    return result;
  }

  /** Resolves when all that has been called so far has been done. */
  async idle() {
    await Promise.allSettled(this.#latest.values());
  }

  /** Lets later calls go ahead of those that are under way. */
  giveUp() {
    this.#latest.clear();
  }
}
