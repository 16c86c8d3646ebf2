/**
 * What stands for the request that a Worker is answering: an object that no other request may touch. Elsewhere all code has
 * one in common.
 * @type {AbortSignal | undefined}
 */
let present;

/**
 * A call on a key.
 * @typedef {object} Turn
 * @property {AbortSignal} request The request that it was made in.
 * @property {Promise<any> | null} reading What it gives, if it only reads.
 * @property {Promise<void>} ended Resolves when it has ended, however.
 */

/**
 * Keeps the calls on each key in their order, for what is sent to a network may be overtaken: each waits for the end of the one
 * before. That is so within one request to a Worker. Nothing waits for a call of another request: when that is cancelled, what
 * it began never settles.
 */
export class Turns {
  /** The latest call on each key, as long as it is under way. @type {Map<string, Turn>} */
  #latest = new Map();

  /**
   * Makes a call that writes when its turn comes.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  write(id, call) {
    return this.#take(id, call, false);
  }

  /**
   * Makes a call that reads when its turn comes; right after another one, they share what it gives.
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} call
   * @returns {Promise<Result>}
   */
  read(id, call) {
    return this.#before(id)?.reading ?? this.#take(id, call, true);
  }

  /** Resolves when what is under way has ended. */
  async ended() {
    if (this.#latest.size === 0) return;
    await Promise.all([...this.#latest.values()].filter(isOfPresent).map(({ ended }) => ended));
  }

  /** Lets later calls go ahead of those that are under way. */
  giveUp() {
    this.#latest.clear();
  }

  /**
   * @param {string} id
   * @param {() => Promise<any>} call
   * @param {boolean} reads
   */
  #take(id, call, reads) {
    const before = this.#before(id);
    const result = before ? before.ended.then(call) : call();
    const end = () => {
      if (this.#latest.get(id) === turn) this.#latest.delete(id);
    };
    const turn = { request: presentRequest(), reading: reads ? result : null, ended: result.then(end, end) };
    this.#latest.set(id, turn);
    return result;
  }

  /** @param {string} id */
  #before(id) {
    const turn = this.#latest.get(id);
    return turn && isOfPresent(turn) ? turn : undefined;
  }
}

/** What stands for the request that is being answered. */
export function presentRequest() {
  if (!present || !isPresent(present)) present = new AbortController().signal;
  return present;
}

/** @param {Turn} turn */
function isOfPresent({ request }) {
  return isPresent(request);
}

/** @param {AbortSignal} request */
function isPresent(request) {
  try {
    return !request.aborted; // Nobody aborts it; in a Worker, looking at one of another request throws.
  } catch {
    return false;
  }
}
