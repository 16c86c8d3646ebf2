import { clearTimeout, performance, setTimeout, sleep } from "../support/real_timers.js";

/** Bytes that compaction copies before it lets others go on: half a millisecond. */
const STEP = 256 * 1024;
/** How long what was written may wait for a flush, in milliseconds. The C++ library has the same bound. */
const RELAXED = 1000;
/** How long calls that answer at once, and are awaited one by one, may keep all else from running, in milliseconds. */
const LONGEST_RUN = 10;
/** The same while a log is compacted: less than a step copies is written meanwhile, or it would never end. */
const COMPACTING_RUN = 0.2;
/**
 * How often expired records are removed, in milliseconds, and how many at a time: some 2 ms of work. Nobody sees them
 * meanwhile. The C++ library has the same numbers.
 */
const EVICTION = 1000;
const EVICTED = 512;

/**
 * @typedef {object} Surroundings
 * @property {(file: number) => Promise<unknown>} sync Resolves once what was written to a file outlasts a power failure.
 * @property {() => Promise<unknown>} pause Lets others go on; calls that are made meanwhile share the next flush.
 * @property {() => void} [whenCompacted] Is called when a new file has taken the place of the old one.
 */

/**
 * What an open engine needs beside the calls of its users: flushes, which many calls share; compaction; and the removal of what
 * has expired.
 */
export class Upkeep {
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
  /** Lets others go on, what is to be done here too. @type {Promise<void> | null} */
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

  /** Says that something was changed which may be flushed later. */
  applied() {
    if (this.#flushTimer === undefined) {
      this.#flushDue = performance.now() + RELAXED;
      this.#flushTimer = later(RELAXED, () => {
        this.#flushTimer = undefined;
        // Where it fails the engine writes no more, and every later call says why.
        this.flush().catch(() => {});
      });
    }
    if (this.#engine.wantsCompaction) this.#compact();
    this.#evictInTime();
  }

  /**
   * What a change is to wait for before it is acknowledged, where there is something to do: a loop of calls that answer at once,
   * and are awaited one by one, lets no timer run, and so neither flushes nor compacts.
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
    if (now - this.#pausingSince < (this.#compacting ? COMPACTING_RUN : LONGEST_RUN)) return undefined;
    // What is written while a new log is synced has to be copied afterwards, so a disk that is slow has to slow down the loop.
    return this.#syncingNewLog ? Promise.race([this.#syncingNewLog, sleep(LONGEST_RUN)]) : this.#pausing;
  }

  /**
   * Resolves once all that was changed before outlasts a power failure.
   * @throws {import("../support/errors.js").PolystoreError} ERR_CLIENT
   */
  async flush() {
    const wanted = this.#engine.applied;
    while (this.#engine.flushed < wanted) await (this.#flushing ??= this.#flushOnce());
  }

  /** Flushes, says so in the log, and lets go of the engine. */
  async end() {
    this.#ended = true;
    clearTimeout(this.#flushTimer);
    clearTimeout(this.#evictionTimer);
    try {
      await this.#compacting;
      await this.#flushing; // Also where nothing is left to flush: it ends with the engine.
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
    this.#compacting ??= this.#compactInSteps()
      // What is stored is as it was, and the engine tries again when there is more to gain.
      .catch(() => {})
      .finally(() => {
        this.#compacting = null;
      });
  }

  async #compactInSteps() {
    for (;;) {
      await this.#surroundings.pause();
      while (this.#flushing) await this.#flushing; // The last step closes the file that this syncs.
      if (this.#ended) return;
      const { more, file } = this.#engine.compact(STEP);
      if (!more) break;
      if (file === undefined) continue;
      this.#flushing = this.#syncingNewLog = this.#syncNewLog(file);
      await this.#flushing;
      if (!this.#engine.wantsCompaction) return; // It was given up.
    }
    this.#surroundings.whenCompacted?.();
  }

  /** Flushes wait for it: one that ended meanwhile would make it incomplete. @param {number} file */
  async #syncNewLog(file) {
    try {
      await this.#surroundings.sync(file);
    } catch {
      this.#engine.giveUpCompaction();
    } finally {
      this.#flushing = this.#syncingNewLog = null;
    }
  }

  #evictInTime() {
    if (this.#ended) return;
    const now = Date.now();
    const due = Math.max(this.#engine.nextExpiry, now + EVICTION);
    if (due >= this.#evictionDue) return;
    clearTimeout(this.#evictionTimer);
    this.#evictionDue = due;
    this.#evictionTimer = later(due - now, () => {
      this.#evict().catch(() => {
        // For example, the storage is full: they stay, unseen, and the next call that writes tries again.
        this.#evictionDue = Infinity;
      });
    });
  }

  /** Removes what has expired, and lets other calls go on after each part of it. */
  async #evict() {
    let count = EVICTED;
    while (count === EVICTED && !this.#ended) {
      count = this.#engine.sweep({ prefix: "" }, Date.now(), EVICTED);
      if (count === 0) break;
      this.#engine.apply();
      this.applied();
      await this.#surroundings.pause();
    }
    this.#evictionDue = Infinity;
    this.#evictInTime();
  }
}

/**
 * A timer that keeps no process running.
 * @param {number} delay In milliseconds.
 * @param {() => void} action
 */
function later(delay, action) {
  const timer = setTimeout(action, Math.min(delay, 2 ** 31 - 1));
  /** @type {Partial<NodeJS.Timeout>} */ (timer).unref?.();
  return timer;
}
