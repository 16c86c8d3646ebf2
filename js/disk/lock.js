// The lock on a file: of a log, of a File, and of the naming scheme of a Folder. The C++ library takes the same one
// (src/polystore/posix/token_lock.hpp), so JavaScript and C++ keep each other out. Node has no flock(2).
//
// Each process that wants the lock creates a lock file of its own beside the locked file, with its identity (see
// process_identity.js). Only then it looks for the lock files of others. If it sees one whose process is running, it does not
// proceed. Of two processes that look, at least one sees the other, so never do both proceed. A lock file whose process has
// ended may be removed by any process at any time.
//
//     lock file = <path> ".lock-" token
//     unwritten = <path> ".lock-" token ".new"    ; until the identity is written; it does not count yet
//     waiting   = <path> ".lock-" token ".wait"   ; the place of a process in the queue; it keeps nobody out
//     token     = 16 to 36 of the characters "0" to "9", "a" to "f" and "-"; here, the time in milliseconds since the epoch
//                 in 11 hexadecimal digits, and 8 random ones
//
// A file with another name after ".lock-" belongs to other code: it neither counts nor is it removed.
//
// A process that waits renames its lock file to its place in the queue, and renames it back when it is first. The queue is
// only for fairness. A process that stops while it is first holds up the others for 0.1 s.
//
// A process of another machine or container cannot be checked. Nor can a process whose lock file is empty because the disk
// was full. Such a process counts as running as long as it renews the date of its lock file.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive, ourselves, showHolder } from "./process_identity.js";
import { retryBlocked } from "./retry_blocked.js";
import { isForbidden, isFull, isMissing } from "./text_file.js";
import { PolystoreError } from "../support/errors.js";
import { clearInterval, Date, performance, setInterval, sleep } from "../support/real_timers.js";

// The numbers are those of src/polystore/posix/token_lock.cpp; all times are in milliseconds.

/** How often the holder of a log renews its lock, and for how long it may be silent before others take the lock over. */
const BEAT = 10_000;
const SILENCE = 60_000;
/** For how long a holder writes without checking its lock: a check takes as long as a write. */
const UNCHECKED = 100;
/** Two processes that ask for a log at the same time may both be refused. They ask again after a random pause. */
const ATTEMPTS = 10;
const MAX_ATTEMPT_PAUSE = 20;
/** The same as BEAT and SILENCE for a lock that is held as long as one write takes, and how long one holder is waited for. */
const WRITE_BEAT = 2_000;
const WRITE_SILENCE = 10_000;
const PATIENCE = 20_000;
/** How long a free lock is left to the first process of the queue. */
const COURTESY = 100;
/**
 * The pauses between two looks. The first process of the queue doubles its pause while it sees the same holder; the others look the less
 * often the longer the queue before them is.
 */
const MIN_PAUSE = 1;
const PAUSE_IN_QUEUE = 4;
const MAX_PAUSE = 20;
const UNWRITTEN = ".new";
const WAITING = ".wait";
/** What follows the path and ".lock-": the token, and the state. */
const TOKEN = /^([0-9a-f-]{16,36})(\.new|\.wait)?$/;

/** The names of the lock files of other processes on a file, in the order of their tokens. @typedef {{ locks: string[], waiting: string[], unwritten: string[] }} Found */
/** The lock of another process that is running. @typedef {{ name: string, identity: string }} Holder */
/** Decides whether a lock is renewed, about which nothing else can be determined. @typedef {(path: string, modified: number) => boolean} IsRenewed */

export class Lock {
  #target;
  #beat;
  #token = Date.now().toString(16).padStart(11, "0") + randomBytes(4).toString("hex");
  #isWaiting = false;
  #checked = performance.now();

  /**
   * Takes a lock that will be held for long, as that of a log.
   * @param {string} log The path of the log.
   * @throws {PolystoreError} ERR_CLIENT with the holder if another process has the lock; ERR_QUOTA if the disk is full.
   */
  static async take(log) {
    for (let attempt = 1; ; ++attempt) {
      const lock = await Lock.#ask(log, BEAT);
      // By the clock of the disk, because the clocks of two machines may differ.
      const isRenewed = (/** @type {string} */ _, /** @type {number} */ modified) =>
        statSync(lock.#path).mtimeMs - modified < SILENCE;
      const holder = await lock.#orRelease(async () => firstRunning(log, (await lock.#find()).locks, isRenewed));
      if (!holder) return lock;
      lock.release();
      if (attempt === ATTEMPTS) throw openError(log, holder.identity, await isAlive(holder.identity));
      await sleep(MAX_ATTEMPT_PAUSE * Math.random());
    }
  }

  /**
   * Waits for a lock that will be held as long as one write takes. Others take it over if this process is silent for 10 s, so it has to be
   * checked just before the write takes effect.
   * @param {string} path The path of the file.
   * @throws {PolystoreError} ERR_CLIENT with the holder if one process has the lock for 20 s; ERR_QUOTA if the disk is full.
   */
  static async wait(path) {
    const lock = await Lock.#ask(path, WRITE_BEAT);
    await lock.#orRelease(() => lock.#waitForTurn());
    return lock;
  }

  /**
   * Like wait(), but resolves with null if permissions do not allow a lock file beside the file.
   * @param {string} path
   */
  static waitIfAllowed(path) {
    return Lock.wait(path).catch((error) => (isForbidden(error) ? null : Promise.reject(error)));
  }

  /**
   * @param {string} target
   * @param {number} beat
   */
  static async #ask(target, beat) {
    const lock = new Lock(target, beat);
    await lock.#orRelease(() => lock.#create());
    return lock;
  }

  /**
   * @param {string} target
   * @param {number} beat
   */
  constructor(target, beat) {
    this.#target = target;
    this.#beat = setInterval(() => this.#renew(), beat);
    this.#beat.unref();
  }

  /**
   * Must be called before something is written.
   * @param {string} remedy The advice for a user whose lock is lost.
   * @throws {PolystoreError} ERR_CLIENT if another process has taken the lock over.
   */
  check(remedy) {
    if (performance.now() - this.#checked >= UNCHECKED) this.checkNow(`Nothing was written. ${remedy}`);
  }

  /**
   * The same, but never relies on an earlier check. For a flush, before which something was written.
   * @param {string} rest What the loss means for the call, and what to do.
   */
  checkNow(rest) {
    const now = performance.now();
    if (!existsSync(this.#path)) throw lostError(this.#target, rest);
    this.#checked = now;
  }

  release() {
    clearInterval(this.#beat);
    rmSync(this.#path, { force: true });
  }

  get #path() {
    return this.#pathOf(this.#isWaiting);
  }

  /** @param {boolean} isWaiting */
  #pathOf(isWaiting) {
    return `${this.#target}.lock-${this.#token}${isWaiting ? WAITING : ""}`;
  }

  /**
   * Runs an action, and releases the lock if it fails.
   * @template Result
   * @param {() => Promise<Result>} action
   */
  async #orRelease(action) {
    try {
      return await action();
    } catch (error) {
      this.release();
      throw error;
    }
  }

  async #create() {
    const identity = JSON.stringify(await ourselves);
    const unwritten = this.#path + UNWRITTEN;
    try {
      try {
        writeFileSync(unwritten, identity, { flag: "wx" });
      } catch (error) {
        // A full disk often has room for an empty file still. Others judge a lock without a text by its date.
        if (!isFull(error) || !existsSync(unwritten)) throw error;
      }
      await retryBlocked(() => renameSync(unwritten, this.#path));
    } catch (error) {
      rmSync(unwritten, { force: true });
      throw isFull(error) ? roomError(this.#path, error) : error;
    }
  }

  async #waitForTurn() {
    const isRenewed = renewalWatch();
    let held = { name: "", since: 0 };
    let pause = MIN_PAUSE;
    let freeSince = NaN;
    for (;;) {
      const found = await this.#find();
      const ahead = found.waiting.filter((name) => name < basename(this.#pathOf(true)));
      let other = await firstRunning(this.#target, found.locks, isRenewed);
      const now = performance.now();
      if (other) freeSince = NaN;
      else {
        if (Number.isNaN(freeSince)) freeSince = now;
        if (now - freeSince <= COURTESY * ahead.length) other = await firstRunning(this.#target, ahead, isRenewed);
      }
      if (!other) {
        if (!this.#isWaiting) return;
        await this.#setWaiting(false);
        continue;
      }
      if (!this.#isWaiting) await this.#setWaiting(true);
      if (held.name !== other.name) {
        held = { name: other.name, since: now };
        pause = MIN_PAUSE;
      }
      if (now - held.since > PATIENCE) throw heldError(this.#target, other.identity);
      await sleep(ahead.length === 0 ? pause : Math.min(PAUSE_IN_QUEUE * ahead.length, MAX_PAUSE));
      pause = Math.min(2 * pause, MAX_PAUSE);
    }
  }

  /**
   * Renames the lock file to the process's place in the queue, or back.
   * @param {boolean} isWaiting
   */
  async #setWaiting(isWaiting) {
    try {
      await retryBlocked(() => renameSync(this.#path, this.#pathOf(isWaiting)));
      this.#isWaiting = isWaiting;
    } catch (error) {
      if (!isMissing(error)) throw error;
      // Others removed the lock file, because this process was silent for too long.
      this.#isWaiting = false;
      await this.#create();
    }
  }

  async #renew() {
    const now = new Date();
    // If this fails, for example because others have removed the lock file, the next check reports it.
    await utimes(this.#path, now, now).catch(() => {});
  }

  /** Lists the lock files of other processes, and removes those that killed processes left before they wrote their identity. */
  async #find() {
    const prefix = `${basename(this.#target)}.lock-`;
    /** @type {Found} */
    const found = { locks: [], waiting: [], unwritten: [] };
    for (const name of await readdir(dirname(this.#target))) {
      if (!name.startsWith(prefix)) continue;
      const [, token, state] = TOKEN.exec(name.slice(prefix.length)) ?? [];
      if (token === undefined || token === this.#token) continue;
      (state === UNWRITTEN ? found.unwritten : state === WAITING ? found.waiting : found.locks).push(name);
    }
    for (const name of found.unwritten) this.#removeIfOld(join(dirname(this.#target), name));
    found.locks.sort();
    found.waiting.sort();
    return found;
  }

  /** @param {string} unwritten */
  #removeIfOld(unwritten) {
    const own = statSync(this.#path, { throwIfNoEntry: false });
    const status = statSync(unwritten, { throwIfNoEntry: false });
    const isOld = own && status?.isFile() && own.mtimeMs - status.mtimeMs > SILENCE;
    if (isOld) rmSync(unwritten, { force: true });
  }
}

/**
 * Returns the first of these locks on a file whose process is running. Removes those before it: their processes have ended.
 * @param {string} target
 * @param {string[]} names
 * @param {IsRenewed} isRenewed
 * @returns {Promise<Holder | null>}
 */
async function firstRunning(target, names, isRenewed) {
  for (const name of names) {
    const path = join(dirname(target), name);
    const status = statSync(path, { throwIfNoEntry: false });
    if (!status?.isFile()) continue;
    const identity = textOf(path);
    if (identity === null) continue;
    if ((await isAlive(identity)) ?? isRenewed(path, status.mtimeMs)) return { name, identity };
    rmSync(path, { force: true });
  }
  return null;
}

/** @param {string} path */
function textOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null; // It was released or renamed since the folder was listed.
    throw error;
  }
}

/**
 * Decides for a process that looks again and again: a lock is renewed until its date has not changed for 10 s, by the process's own clock.
 * @returns {IsRenewed}
 */
function renewalWatch() {
  /** @type {Map<string, { modified: number, since: number }>} */
  const seen = new Map();
  return (path, modified) => {
    const now = performance.now();
    const last = seen.get(path);
    if (last?.modified === modified) return now - last.since <= WRITE_SILENCE;
    seen.set(path, { modified, since: now });
    return true;
  };
}

/**
 * @param {string} log
 * @param {string} holder
 * @param {boolean | undefined} alive
 */
function openError(log, holder, alive) {
  const advice =
    alive === undefined
      ? `It cannot be determined whether that process is still running, for example because its container was restarted. If it has ended, wait a minute, or remove ${log}.lock-*, and open the log again.`
      : "Only one process can open a log: close it there first.";
  return new PolystoreError("ERR_CLIENT", `The log ${log} is already open in ${show(holder)}. ${advice}`);
}

/**
 * @param {string} path
 * @param {string} holder
 */
function heldError(path, holder) {
  const message = `${path} has been locked for ${PATIENCE / 1000} s by ${show(holder)}. Nothing was written. End that process, or try again.`;
  return new PolystoreError("ERR_CLIENT", message);
}

/**
 * @param {string} path
 * @param {string} rest What that means for the call, and what to do.
 */
function lostError(path, rest) {
  const message = `Another process has taken over the lock on ${path}, because this process was stopped for too long, or the clock was changed. ${rest}`;
  return new PolystoreError("ERR_CLIENT", message);
}

/** @param {string} holder */
function show(holder) {
  return holder === "" ? "an unknown process (its lock file is empty)" : showHolder(holder);
}

/**
 * @param {string} path
 * @param {unknown} cause
 */
function roomError(path, cause) {
  const message = `The disk is full, so the lock file ${path} cannot be created. The stored data is unchanged. Make room on that disk.`;
  return new PolystoreError("ERR_QUOTA", message, { cause });
}
