import { Lock } from "./lock.js";

/** After this number of actions, another process gets its turn. */
const MAX_ACTIONS = 64;

/** A lock on a file that is held while actions run. Concurrent actions of this process share it, because taking it costs a file. */
export class SharedLock {
  #path;
  /** @type {{ lock: Promise<Lock>, begun: number, running: number } | null} */
  #held = null;

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /**
   * @template Result
   * @param {(lock: Lock) => Promise<Result>} action It has to check the lock before each write.
   * @returns {Promise<Result>}
   */
  async run(action) {
    if (!this.#held || this.#held.begun === MAX_ACTIONS) {
      this.#held = { lock: Lock.wait(this.#path), begun: 0, running: 0 };
    }
    const held = this.#held;
    ++held.begun;
    ++held.running;
    try {
      return await action(await held.lock);
    } finally {
      if (--held.running === 0) this.#release(held);
    }
  }

  /** @param {{ lock: Promise<Lock> }} held */
  #release(held) {
    if (this.#held === held) this.#held = null;
    held.lock.then(
      (lock) => lock.release(),
      () => {}, // The actions have rejected with this error.
    );
  }
}
