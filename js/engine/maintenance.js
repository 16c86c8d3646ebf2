import { clearTimeout, performance, setTimeout, sleep } from "../support/real_timers.js";
import { retryIf } from "../support/retry.js";

/** How long a loop of awaited calls may run before other tasks get a turn, in milliseconds. */
const MAX_RUN = 10;
/** The same limit during compaction: such a loop must write less than a step copies, or compaction would never end. */
const COMPACTING_RUN = 0.2;
/**
 * @typedef {object} Surroundings
 * @property {(file: number) => Promise<unknown>} sync Resolves once everything written to a file survives a power failure.
 * @property {() => Promise<unknown>} pause Lets other tasks run; changes made meanwhile share the next flush.
 * @property {() => void} [whenCompacted] Called when a new file has replaced the old one.
 */

/**
 * The background work of an open engine: flushes, which many calls share; compaction; and the removal of expired records. The C++
 * library does the same in src/polystore/engine/shared_engine.cpp, with the same numbers.
 */
export class Maintenance {
  #engine;
  #surroundings;
  /** The flush under way. @type {Promise<void> | null} */
  #flushing = null;
  /** @type {Promise<void> | null} */
  #compacting = null;
  /** @type {Promise<void> | null} */
  #syncingNewLog = null;
  #ended = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #flushTimer;
  #flushDue = 0;
  /** The pause under way, in which other tasks run, including the flushes and compaction of this class. @type {Promise<void> | null} */
  #pausing = null;
  #pausingSince = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #evictionTimer;
  #evictionDue = Infinity;

  /**
   * @param {import("./engine.js").Engine} engine
   * @param {Surroundings} surroundings
   */
  constructor(engine, surroundings) {
    this.#engine = engine;
    this.#surroundings = surroundings;
    this.#evictInTime();
  }

  /** Called after each change: schedules its flush, and starts compaction if it is due. */
  applied() {
    if (this.#flushTimer === undefined) {
      const { flushDelay } = this.#engine.numbers;
      this.#flushDue = performance.now() + flushDelay;
      this.#flushTimer = unrefTimer(flushDelay, () => {
        this.#flushTimer = undefined;
        // After a failed flush the engine refuses all writes, and every later write throws that error.
        this.flush().catch(() => {});
      });
    }
    if (this.#engine.wantsCompaction) this.#compact();
    this.#evictInTime();
  }

  /**
   * Returns a promise to wait for before a change is acknowledged, if maintenance is due. A loop of awaited calls that never leaves
   * the microtask queue lets no timer run, so without this wait it would prevent flushes and compaction.
   * @returns {Promise<void> | undefined}
   */
  turn() {
    const now = performance.now();
    if (!this.#compacting && !this.#flushing && now < this.#flushDue) return undefined;
    if (!this.#pausing) {
      this.#pausingSince = now;
      this.#pausing = this.#surroundings.pause().then(() => {
        this.#pausing = null;
      });
    }
    if (now - this.#pausingSince < (this.#compacting ? COMPACTING_RUN : MAX_RUN)) return undefined;
    // Changes made while a new log is synced have to be copied afterwards, so a slow disk has to slow down the loop.
    return this.#syncingNewLog ? Promise.race([this.#syncingNewLog, sleep(MAX_RUN)]) : this.#pausing;
  }

  /**
   * Resolves once all earlier changes survive a power failure.
   * @throws {import("../support/errors.js").PolystoreError} ERR_CLIENT
   */
  async flush() {
    const wanted = this.#engine.applied;
    while (this.#engine.flushed < wanted) await (this.#flushing ??= this.#flushOnce());
  }

  /** Flushes, marks the log as synced, and closes the engine. */
  async end() {
    this.#ended = true;
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#evictionTimer);
    try {
      await this.#compacting;
      await this.#flushing; // A flush under way must end before the engine is closed, even if nothing is left to flush.
      await this.flush();
      this.#engine.markSynced();
    } finally {
      this.#engine.close();
    }
  }

  async #flushOnce() {
    const engine = this.#engine;
    try {
      await this.#surroundings.pause();
      let failure = "";
      await this.#surroundings.sync(engine.beginFlush()).catch((error) => {
        failure = `Could not sync the log: ${error.message}.`;
      });
      engine.endFlush(failure);
    } finally {
      this.#flushing = null;
    }
  }

  #compact() {
    // On Windows, another program may keep the new log from the place of the old one for some time.
    this.#compacting ??= retryIf(isUnsupported, () => this.#compactInSteps())
      // The log is unchanged, and the engine tries again when compaction would save more.
      .catch(() => this.#engine.abandonCompaction())
      .catch(() => {}) // The engine has crashed, which the next call reports.
      .finally(() => {
        this.#compacting = null;
      });
  }

  async #compactInSteps() {
    let isSynced = false;
    for (;;) {
      // Right after a sync of the new log comes the next step: a flush in between would make another sync necessary, and calls
      // that are flushed one by one would put off the end of the compaction for ever.
      if (!isSynced) {
        await this.#surroundings.pause();
        while (this.#flushing) await this.#flushing; // The last step closes the file that a flush syncs.
      }
      if (this.#ended) return;
      const { more, file } = this.#engine.compact(this.#engine.numbers.compactionStep);
      if (!more) break;
      isSynced = file !== undefined;
      if (file === undefined) continue;
      this.#flushing = this.#syncingNewLog = this.#syncNewLog(file);
      await this.#flushing;
      if (!this.#engine.wantsCompaction) return; // The compaction was abandoned.
    }
    this.#surroundings.whenCompacted?.();
  }

  /** Flushes wait for this: a flush that ends meanwhile would make the new log incomplete. @param {number} file */
  async #syncNewLog(file) {
    try {
      await this.#surroundings.sync(file);
    } catch {
      this.#engine.abandonCompaction();
    } finally {
      this.#flushing = this.#syncingNewLog = null;
    }
  }

  #evictInTime() {
    if (this.#ended) return;
    const now = Date.now();
    const due = Math.max(this.#engine.nextExpiry, now + this.#engine.numbers.evictionInterval);
    if (due >= this.#evictionDue) return;
    clearTimeout(this.#evictionTimer);
    this.#evictionDue = due;
    this.#evictionTimer = unrefTimer(due - now, () => {
      this.#evict().catch(() => {
        // For example, the storage is full. Reads ignore the expired records, and the next change schedules another attempt.
        this.#evictionDue = Infinity;
      });
    });
  }

  /** Removes expired records in batches, and lets other tasks run after each batch. */
  async #evict() {
    const most = this.#engine.numbers.evictedAtOnce;
    let count = most;
    while (count === most && !this.#ended) {
      count = this.#engine.sweep({ prefix: "" }, Date.now(), most);
      if (count === 0) break;
      this.#engine.apply();
      this.applied();
      await this.#surroundings.pause();
    }
    this.#evictionDue = Infinity;
    this.#evictInTime();
  }
}

/** True if the file system refuses to replace the log. @param {unknown} error */
const isUnsupported = (error) =>
  /** @type {import("../support/errors.js").PolystoreError} */ (error).code === "ERR_UNSUPPORTED";

/**
 * Starts a timer that does not keep the process running.
 * @param {number} delay In milliseconds.
 * @param {() => void} action
 */
function unrefTimer(delay, action) {
  const timer = setTimeout(action, Math.min(delay, 2 ** 31 - 1));
  /** @type {Partial<NodeJS.Timeout>} */ (timer).unref?.();
  return timer;
}
