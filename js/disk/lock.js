import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive, ourselves, showHolder } from "./process_identity.js";
import { isFull, isMissing } from "./text_file.js";
import { PolystoreError } from "../support/errors.js";
import { clearInterval, Date, performance, setInterval, sleep } from "../support/real_timers.js";

/** How often a holder renews its lock, and how long it may be silent before others take it for gone; in milliseconds. */
const BEAT = 10_000;
const SILENCE = 60_000;
/** How long a holder writes without looking whether the lock is still its own: to look takes as long as a write. */
const UNSEEN = 100;
/** Two that ask at the same moment may both withdraw; they ask again after a pause, in milliseconds. */
const ATTEMPTS = 10;
const PAUSE = 20;
/** The same for a lock that is held for as long as one write takes, and how long one holder is waited for. */
const WRITE_BEAT = 2_000;
const WRITE_SILENCE = 10_000;
const PATIENCE = 20_000;
const SHORTEST_PAUSE = 2;
/** What the name of a lock ends with until it says whose it is: it is none yet, and, of a process that was killed, never. */
const UNFINISHED = ".new";
/** What follows the name of what is locked, and `.lock-`. Other names are other code's: they are left alone. */
const TOKEN = /^[0-9a-f-]{16,36}(\.new)?$/;

/**
 * The lock of another process that runs.
 * @typedef {object} Other
 * @property {string} name Of its file.
 * @property {string} text What it says.
 */
/** Whether a lock is renewed of which nothing else can be known. @typedef {(path: string, modified: number) => boolean} IsRenewed */

/**
 * The lock of a log, a File or a folder's names, as the C++ library has it (src/polystore/engine/posix_lock.hpp). Node has no
 * flock(2). So each who wants the lock makes a file of its own, `<path>.lock-<token>`, that says which process it is; only then
 * it looks for those of others. If there is one whose process runs, it does not go on: of two that look, one at least sees the
 * other, so never both have the lock. Files of processes that are gone may be removed by anybody, at any time.
 *
 * A process of another machine or container cannot be looked for, nor one whose file has no text because the disk is full: it
 * counts as running as long as its file is renewed.
 */
export class Lock {
  #target;
  #path;
  #beat;
  #seen = performance.now();

  /**
   * Takes the lock that a log has for as long as it is open.
   * @param {string} log The path of the log.
   * @throws {PolystoreError} ERR_CLIENT, with the holder, when it is taken; ERR_QUOTA without room for a name.
   */
  static async take(log) {
    for (let attempt = 1; ; ++attempt) {
      const lock = await Lock.#ask(log, BEAT);
      // By the clock of the disk, for those of two machines may differ.
      const [other] = await lock.#others((_, modified) => statSync(lock.#path).mtimeMs - modified < SILENCE);
      if (!other) return lock;
      lock.release();
      if (attempt === ATTEMPTS) throw openError(log, other.text, await isAlive(other.text));
      await sleep(PAUSE * Math.random());
    }
  }

  /**
   * Waits for the lock on a file, to be held while that is written. Of those that ask at the same moment, the one whose token comes
   * first keeps its place, and the others withdraw until they see no lock.
   * @param {string} path Of the file.
   * @throws {PolystoreError} ERR_CLIENT, with the holder, when one holds it for 20 s; ERR_QUOTA without room for a name.
   */
  static async wait(path) {
    const isRenewed = renewalWatch();
    let holder = "";
    let heldSince = 0;
    let pause = SHORTEST_PAUSE;
    let lock = /** @type {Lock | null} */ (await Lock.#ask(path, WRITE_BEAT));
    for (;;) {
      const others = await (lock ? lock.#others(isRenewed) : look(path, null, isRenewed));
      if (others.length === 0) {
        if (lock) return lock;
        lock = await Lock.#ask(path, WRITE_BEAT);
        continue;
      }
      const now = performance.now();
      const held = others.find(({ name }) => name === holder);
      if (!held) {
        holder = others[0].name;
        heldSince = now;
      }
      const isTooLong = now - heldSince > PATIENCE;
      const own = lock && basename(lock.#path);
      if (lock && (isTooLong || others.some(({ name }) => name < String(own)))) {
        lock.release();
        lock = null;
      }
      if (held && isTooLong) throw heldError(path, held.text);
      await sleep(pause * Math.random());
      pause = Math.min(2 * pause, PAUSE);
    }
  }

  /**
   * @param {string} target
   * @param {number} beat
   */
  static async #ask(target, beat) {
    const text = JSON.stringify(await ourselves);
    const path = `${target}.lock-${randomBytes(8).toString("hex")}`;
    const unfinished = path + UNFINISHED;
    try {
      writeFileSync(unfinished, text, { flag: "wx" });
    } catch (error) {
      if (!isFull(error)) {
        rmSync(unfinished, { force: true });
        throw error;
      }
      // A full disk has room for a name still, mostly, and where the text is missing others go by the age of the file.
      if (!existsSync(unfinished)) throw roomError(path, error);
    }
    try {
      renameSync(unfinished, path);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw isFull(error) ? roomError(path, error) : error;
    }
    return new Lock(target, path, beat);
  }

  /**
   * @param {string} target
   * @param {string} path
   * @param {number} beat
   */
  constructor(target, path, beat) {
    this.#target = target;
    this.#path = path;
    this.#beat = setInterval(() => this.#renew(), beat);
    this.#beat.unref();
  }

  /**
   * To be called before something is written.
   * @throws {PolystoreError} ERR_CLIENT where this process was silent for so long that another may have taken the lock.
   */
  check() {
    const now = performance.now();
    if (now - this.#seen < UNSEEN) return;
    if (existsSync(this.#path)) {
      this.#seen = now;
      return;
    }
    const message = `This process was stopped for so long, or the clock set so far, that another took the log ${this.#target}. Close the store and open it again.`;
    throw new PolystoreError("ERR_CLIENT", message);
  }

  release() {
    clearInterval(this.#beat);
    rmSync(this.#path, { force: true });
  }

  async #renew() {
    const now = new Date();
    // A process whose lock was taken away, or whose disk is full, finds out at the next check.
    await utimes(this.#path, now, now).catch(() => {});
  }

  /**
   * The locks of others whose processes run. Those of processes that are gone are removed. If that fails, this lock is released.
   * @param {IsRenewed} isRenewed
   */
  async #others(isRenewed) {
    try {
      return await look(this.#target, this.#path, isRenewed);
    } catch (error) {
      this.release();
      throw error;
    }
  }
}

/**
 * The locks on a file of processes that run. Those of processes that are gone are removed.
 * @param {string} target
 * @param {string | null} own The path of a lock that is left out, and tells the time by the clock of the disk.
 * @param {IsRenewed} isRenewed
 */
async function look(target, own, isRenewed) {
  const folder = dirname(target);
  const prefix = `${basename(target)}.lock-`;
  /** @type {Other[]} */
  const others = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    if (!name.startsWith(prefix) || !TOKEN.test(name.slice(prefix.length)) || path === own) continue;
    const status = statSync(path, { throwIfNoEntry: false });
    if (!status?.isFile()) continue;
    if (name.endsWith(UNFINISHED)) {
      if (own && statSync(own).mtimeMs - status.mtimeMs > SILENCE) rmSync(path, { force: true });
      continue;
    }
    const text = textOf(path);
    if (text === null) continue;
    if ((await isAlive(text)) ?? isRenewed(path, status.mtimeMs)) others.push({ name, text });
    else rmSync(path, { force: true });
  }
  return others;
}

/** @param {string} path */
function textOf(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null; // Released since the folder was listed.
    throw error;
  }
}

/**
 * For who looks again and again: a lock is renewed until its date has not changed for 10 s, by our own clock.
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
      ? `Whether that still runs cannot be known from here, for example when its container was started again: if it has ended, wait a minute, or remove ${log}.lock-*, and open the log again.`
      : "One at a time may have it: close it there first.";
  const message = `The log ${log} is open already, in ${show(holder)}. ${advice}`;
  return new PolystoreError("ERR_CLIENT", message);
}

/**
 * @param {string} path
 * @param {string} holder
 */
function heldError(path, holder) {
  const message = `${path} has been locked for ${PATIENCE / 1000} s by ${show(holder)}. Nothing was written: end that process, or try again.`;
  return new PolystoreError("ERR_CLIENT", message);
}

/** @param {string} holder */
function show(holder) {
  return holder === "" ? "a process that had no room to say which it is" : showHolder(holder);
}

/**
 * @param {string} path
 * @param {unknown} cause
 */
function roomError(path, cause) {
  const message = `There is no room for the lock ${path}. What is stored is unchanged: make room on its disk.`;
  return new PolystoreError("ERR_QUOTA", message, { cause });
}
