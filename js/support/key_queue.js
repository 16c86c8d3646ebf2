import { isPresent, presentRequest } from "./present_request.js";

/**
 * A call on a key.
 * @typedef {object} Call
 * @property {AbortSignal} request The request that it was made in.
 * @property {Promise<any> | null} reading What it gives, if it only reads.
 * @property {Call | undefined} before The one that it waits for.
 * @property {Promise<void>} ended Resolves when it has ended, however, or is not waited for any more.
 * @property {() => void} end
 */

/**
 * Keeps the calls on each key in their order, where what carries them out does not: each waits for the end of the one before.
 * That is so within one request to a Worker. Nothing waits for a call of another request: when that is cancelled, what it began
 * never settles.
 */
export class KeyQueue {
  /** The latest call on each key, as long as it is under way. @type {Map<string, Call>} */
  #latest = new Map();

  /**
   * Makes a call when those before it on the same key have ended.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  add(id, call) {
    return this.#add(id, call, false);
  }

  /**
   * The same with a call that only reads: right after another one, they share what it gives.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  addRead(id, call) {
    return this.#before(id)?.reading ?? this.#add(id, call, true);
  }

  /** Resolves when all that has been called so far has ended. */
  async idle() {
    if (this.#latest.size === 0) return;
    await Promise.all([...this.#latest.values()].filter(isOfPresent).map(({ ended }) => ended));
  }

  /** Lets those that wait go on, in their order, and later ones after them. */
  giveUp() {
    for (const latest of this.#latest.values()) {
      if (!isOfPresent(latest)) continue;
      const waitedFor = [];
      for (let call = latest.before; call; call = call.before) waitedFor.push(call);
      for (const { end } of waitedFor.reverse()) end();
    }
    this.#latest.clear();
  }

  /**
   * @param {string} id
   * @param {() => Promise<any>} call
   * @param {boolean} reads
   */
  #add(id, call, reads) {
    const before = this.#before(id);
    const begin = () => {
      added.before = undefined;
      return call();
    };
    const result = before ? before.ended.then(begin) : call();
    let end = () => {};
    const ended = new Promise((/** @type {(value?: undefined) => void} */ resolve) => {
      end = () => {
        if (this.#latest.get(id) === added) this.#latest.delete(id);
        resolve();
      };
    });
    /** @type {Call} */
    const added = { request: presentRequest(), reading: reads ? result : null, before, ended, end };
    result.then(end, end);
    this.#latest.set(id, added);
    return result;
  }

  /** @param {string} id */
  #before(id) {
    const before = this.#latest.get(id);
    return before && isOfPresent(before) ? before : undefined;
  }
}

/** @param {Call} call */
function isOfPresent({ request }) {
  return isPresent(request);
}
