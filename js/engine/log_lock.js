import { randomUUID } from "node:crypto";
import { existsSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { readdir, readFile, utimes } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { isAlive, ourselves, showHolder } from "../clients/process_identity.js";
import { isFull, isMissing } from "../clients/text_file.js";
import { PolystoreError } from "../errors.js";
import { clearInterval, Date, performance, setInterval, sleep } from "../real_timers.js";

/** How often a holder renews its lock, and how long it may be silent before others take it for gone; in milliseconds. */
const BEAT = 10_000;
const SILENCE = 60_000;
/** Two that ask at the same moment see each other and both withdraw; they ask again after a pause, in milliseconds. */
const ATTEMPTS = 10;
const PAUSE = 20;
/** What the name of a lock ends with until it says whose it is: it is none yet, and, of a process that was killed, never. */
const UNFINISHED = ".new";

/**
 * The lock of a log, as the C++ library has it (src/polystore/engine/posix_lock.hpp). Node has no flock(2). So each who wants
 * the lock makes a file of its own, `<log>.lock-<token>`, that says which process it is; only then it looks for those of others.
 * If there is one whose process runs, it withdraws: of two that look, one at least sees the other, so never both go on. Files
 * of processes that are gone may be removed by anybody, at any time.
 *
 * A process of another machine or container cannot be looked for, nor one whose file has no text because the disk is full: it
 * counts as running as long as its file is renewed.
 */
export class LogLock {
  #path;
  #beat;
  #renewed = performance.now();

  /**
   * @param {string} log The path of the log.
   * @throws {PolystoreError} ERR_CLIENT, and who has it, when it is taken; ERR_QUOTA without room for a name.
   */
  static async take(log) {
    for (let attempt = 1; ; ++attempt) {
      const lock = await LogLock.#ask(`${log}.lock-${randomUUID()}`);
      const holder = await lock.#other(`${basename(log)}.lock-`).catch((error) => {
        lock.release();
        throw error;
      });
      if (holder === null) return lock;
      lock.release();
      if (attempt === ATTEMPTS) throw heldError(log, holder, await isAlive(holder));
      await sleep(PAUSE * Math.random());
    }
  }

  /** @param {string} path */
  static async #ask(path) {
    const text = JSON.stringify(await ourselves);
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
    return new LogLock(path);
  }

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
    this.#beat = setInterval(() => this.#renew(), BEAT);
    this.#beat.unref();
  }

  /**
   * To be called before something is written.
   * @throws {PolystoreError} ERR_CLIENT where this process was silent for so long that another may have taken the lock.
   */
  check() {
    if (performance.now() - this.#renewed < SILENCE / 2 || existsSync(this.#path)) return;
    const message = `This process was stopped for so long that another took the log of ${this.#path}. Close the store and open it again.`;
    throw new PolystoreError("ERR_CLIENT", message);
  }

  release() {
    clearInterval(this.#beat);
    rmSync(this.#path, { force: true });
  }

  async #renew() {
    const now = new Date();
    // Whose lock was taken away, or whose disk is full, finds out at the next check.
    await utimes(this.#path, now, now).then(
      () => (this.#renewed = performance.now()),
      () => {},
    );
  }

  /**
   * What another lock says whose process runs; null if there is none.
   * @param {string} prefix Of the names of all locks.
   */
  async #other(prefix) {
    const folder = dirname(this.#path);
    for (const name of await readdir(folder)) {
      const path = join(folder, name);
      if (!name.startsWith(prefix) || path === this.#path) continue;
      if (name.endsWith(UNFINISHED)) {
        if (!this.#isRenewed(path)) rmSync(path, { force: true });
        continue;
      }
      const text = await readFile(path, "utf8").catch((error) => (isMissing(error) ? null : Promise.reject(error)));
      if (text === null) continue;
      if ((await isAlive(text)) ?? this.#isRenewed(path)) return text;
      rmSync(path, { force: true });
    }
    return null;
  }

  /** By the clock of the disk, for those of two machines may differ. @param {string} path */
  #isRenewed(path) {
    const { mtimeMs } = statSync(path, { throwIfNoEntry: false }) ?? { mtimeMs: 0 };
    return statSync(this.#path).mtimeMs - mtimeMs < SILENCE;
  }
}

/**
 * @param {string} log
 * @param {string} holder
 * @param {boolean | undefined} alive
 */
function heldError(log, holder, alive) {
  const where = holder === "" ? "a process that had no room to say which it is" : showHolder(holder);
  const advice =
    alive === undefined
      ? `Whether that still runs cannot be known from here, for example when its container was started again: if it has ended, wait a minute, or remove ${log}.lock-*, and open the log again.`
      : "One at a time may have it: close it there first.";
  const message = `The log ${log} is open already, in ${where}. ${advice}`;
  return new PolystoreError("ERR_CLIENT", message);
}

/**
 * @param {string} path
 * @param {unknown} cause
 */
function roomError(path, cause) {
  const message = `There is no room for ${path}, without which the log cannot be opened. What is stored is unchanged: make room on its disk.`;
  return new PolystoreError("ERR_QUOTA", message, { cause });
}
