import { isPut } from "./commits.js";
import { MAYBE, PUT, REMOVED, TOUCHED } from "./hint.js";
import { isPromise } from "./promise.js";

/** @typedef {import("../core/client.js").Change} Change */

/** Tells of the changes that a connection makes, once its client has made them. */
export class Telling {
  /**
   * Receives each change.
   * @param {string} _id
   * @param {number} _hint One of hint.js.
   * @param {number | null} [_expires] When the record expires that was put, in milliseconds since the epoch.
   */
  tell(_id, _hint, _expires) {}

  /**
   * Receives the removal of all records with a prefix.
   * @param {string} _prefix
   */
  tellAll(_prefix) {}

  /** Called when the connection closes. */
  end() {}

  /**
   * Tells of the change of one key.
   * @template Reply
   * @param {Reply} reply What the client returned: outcomes, anything else that is not an error, or a promise of it.
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   * @returns {Reply} The reply, or a promise that settles like it.
   */
  made(reply, id, hint, expires) {
    if (isPromise(reply)) return later(reply, (outcome) => this.#tellOne(outcome, id, hint, expires));
    this.#tellOne(reply, id, hint, expires);
    return reply;
  }

  /**
   * Tells of the changes of a commit.
   * @template Reply
   * @param {Reply} reply As for made().
   * @param {readonly Change[]} changes
   * @param {boolean} isTouch True if values that are put are those that were there.
   * @returns {Reply}
   */
  madeAll(reply, changes, isTouch = false) {
    const put = isTouch ? TOUCHED : PUT;
    const tell = (/** @type {unknown} */ outcome) => {
      for (const change of changes)
        if (isPut(change)) this.#tellOne(outcome, change.id, put, change.expires);
        else this.#tellOne(outcome, change.id, REMOVED);
    };
    if (isPromise(reply)) return later(reply, tell);
    tell(reply);
    return reply;
  }

  /**
   * Tells that records were removed which had expired, or which were listed by a clear().
   * @template Reply
   * @param {Reply} reply The outcome of each removal, or a promise of them.
   * @param {readonly { id: string }[]} removed
   * @returns {Reply}
   */
  removed(reply, removed) {
    const tell = () => {
      for (const { id } of removed) this.tell(id, MAYBE);
    };
    if (isPromise(reply)) return later(reply, tell);
    tell();
    return reply;
  }

  /**
   * Tells that all records with a prefix were removed.
   * @template Reply
   * @param {Reply} reply
   * @param {string} prefix
   * @returns {Reply}
   */
  swept(reply, prefix) {
    if (isPromise(reply)) return later(reply, () => this.tellAll(prefix));
    this.tellAll(prefix);
    return reply;
  }

  /**
   * @param {any} outcome
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   */
  #tellOne(outcome, id, hint, expires) {
    // A commit that was refused has changed nothing. One that failed may have been made all the same.
    const made = Array.isArray(outcome) ? outcome[0] : true;
    if (made !== false) this.tell(id, made === true ? hint : MAYBE, expires);
  }
}

/** Stands for the outcome of a call that failed. */
const FAILED = [{}];

/**
 * @template Reply
 * @param {Reply & PromiseLike<any>} reply
 * @param {(outcome: unknown) => void} tell
 * @returns {Reply}
 */
function later(reply, tell) {
  const told = reply.then(
    (outcome) => {
      tell(outcome);
      return outcome;
    },
    (error) => {
      tell(FAILED);
      throw error;
    },
  );
  return /** @type {any} */ (told);
}
