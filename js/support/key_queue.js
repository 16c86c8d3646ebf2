import { isPresent, presentRequest } from "./present_request.js";

/**
 * A call on a key.
 * @typedef {object} Call
 * @property {AbortSignal} request The request to the Worker during which the call was made.
 * @property {Promise<any> | null} reading The result, if the call only reads.
 * @property {Call | undefined} before The call that it waits for.
 * @property {Promise<void>} ended Resolves when the call has succeeded, failed or been abandoned.
 * @property {() => void} end
 */

/**
 * Keeps the calls on each key in their order for a storage that does not: each call waits for the end of the call before. In a Worker,
 * that holds within one request. A call never waits for a call of another request, which never settles if that request is cancelled.
 */
export class KeyQueue {
  /** The latest call on each key, until it has ended. @type {Map<string, Call>} */
  #latest = new Map();

  /**
   * Makes a call once the earlier calls on the same key have ended.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  add(id, call) {
    return this.#add(id, call, false);
  }

  /**
   * Makes a call on several keys once the earlier calls on all of them have ended.
   * @template Result
   * @param {string[]} ids
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  addAll(ids, call) {
    if (ids.length === 0) return call(); // There is no earlier call to wait for.
    if (ids.length === 1) return this.add(ids[0], call);
    let left = ids.length;
    let begin = () => {};
    const result = new Promise((resolve) => (begin = () => resolve(undefined))).then(call);
    for (const id of ids) {
      this.add(id, () => {
        if (--left === 0) begin();
        return result;
      });
    }
    return result;
  }

  /**
   * Makes a call that only reads. If the call before it on the same key only reads as well, both share its result.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  addRead(id, call) {
    return this.#before(id)?.reading ?? this.#add(id, call, true);
  }

  /** Resolves when all calls that were made so far have ended. */
  async idle() {
    if (this.#latest.size === 0) return;
    await Promise.all([...this.#latest.values()].filter(isOfPresent).map(({ ended }) => ended));
  }

  /** Abandons the calls under way: the calls that wait for them go on, in their order, and later calls follow. */
  abandon() {
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
