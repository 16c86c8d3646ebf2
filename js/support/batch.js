/**
 * @template Request
 * @typedef {{ request: Request, resolve: (result?: any) => void, reject: (error: unknown) => void }} Pending
 */

const resolved = Promise.resolve();

/**
 * Gathers the requests that are made in one tick and hands them over together, in their order; the next batch waits for
 * the end of the one before, so that nothing overtakes.
 * @template Request
 */
export class Batch {
  #send;
  /** @type {Pending<Request>[]} */
  #waiting = [];
  /** Stands for the sending that is under way. @type {object | null} */
  #sending = null;

  /**
   * @param {(batch: Pending<Request>[]) => Promise<unknown>} send Settles each request of the batch. If it rejects, those that
   *   it has not settled reject with the same error.
   */
  constructor(send) {
    this.#send = send;
  }

  /**
   * @param {Request} request
   * @returns {Promise<any>}
   */
  add(request) {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ request, resolve, reject });
      if (!this.#sending) this.#begin();
    });
  }

  /** Whether nothing waits, and nothing is under way. */
  get isIdle() {
    return this.#sending === null;
  }

  /** Lets those that wait go on, and does not wait for the batch that was sent. */
  giveUp() {
    this.#sending = null;
    if (this.#waiting.length > 0) this.#begin();
  }

  #begin() {
    const sending = (this.#sending = {});
    // With queueMicrotask(), a set over Level takes a twentieth more.
    resolved.then(() => this.#sendAll(sending));
  }

  /** @param {object} sending */
  async #sendAll(sending) {
    while (this.#sending === sending && this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#send(batch);
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    if (this.#sending === sending) this.#sending = null;
  }
}
