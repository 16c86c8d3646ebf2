import { PolystoreError, show } from "../../support/errors.js";
import { sleep } from "../../support/real_timers.js";
import { writeAll } from "./access_handle.js";
import { MISSING } from "../../engine/files.js";
import { bringIn } from "./journal.js";

/** How often a handle is asked for that another has, and how long to wait in between, in milliseconds. */
const ATTEMPTS = 50;
const PAUSE = 100;

/** The files of a log, in its folder. */
export const NAMES = ["current", "0.kv", "1.kv"];

/** @typedef {import("./access_handle.js").AccessHandle} AccessHandle */
/** @typedef {import("../../engine/files.js").Files} Files */

/**
 * The files of one engine in the browser's private file system. They can only be opened asynchronously, and not be renamed while
 * they are open, but the engine asks for both at once. So there are two, `0.kv` and `1.kv`, both open: one is the log, and the
 * other becomes the log that takes its place. A third file, `current`, says in one byte which one is the log.
 * @implements {Files}
 */
export class OpfsFiles {
  #current;
  #logs;
  /** Which of the two is the log; MISSING if there is none yet. */
  #log;
  /** Whether `current` is known to say so even after a power failure. */
  #isCertain = false;
  #room = 0;

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} log Its name.
   * @returns {Promise<OpfsFiles>}
   * @throws {PolystoreError} ERR_UNSUPPORTED where the browser has no synchronous access to files, ERR_CORRUPT where nobody can
   *   know which file is the log.
   */
  static async open(folder, log) {
    /** @type {AccessHandle[]} */
    const opened = [];
    try {
      for (const name of NAMES) opened.push(await openFile(folder, name));
      // As it was before 2023.
      if (typeof opened[0].getSize() !== "number") throw unsupported("its access to files is asynchronous");
      await bringIn(log, opened);
      const files = new OpfsFiles(opened, folder.name);
      await files.measureRoom();
      return files;
    } catch (error) {
      for (const handle of opened) handle.close();
      throw error;
    }
  }

  /**
   * @param {AccessHandle[]} handles
   * @param {string} folder Its name.
   */
  constructor([current, ...logs], folder) {
    this.#current = current;
    this.#logs = logs;
    const sizes = logs.map((log) => log.getSize());
    this.#log = findLog(firstCharacter(current), sizes, folder);
    // What a compaction left that ended halfway.
    if (this.#log !== MISSING && sizes[1 - this.#log] > 0) this.#empty(1 - this.#log);
  }

  /** Lets go of all files. */
  end() {
    for (const handle of [this.#current, ...this.#logs]) handle.close();
  }

  /** Asks the browser how much may still be written; `room` goes by that until the next time. */
  async measureRoom() {
    const { quota = Infinity, usage = 0 } = await navigator.storage.estimate();
    this.#room = Math.max(0, quota - usage);
  }

  open() {
    return this.#log;
  }

  create() {
    const other = this.#log === 0 ? 1 : 0;
    this.#empty(other);
    return other;
  }

  replace() {
    this.#select(this.#log === 0 ? 1 : 0);
  }

  /** Nothing to do: what is not the log is emptied when the engine lets go of it. */
  remove() {}

  /** The browser takes the lock of a worker from it with its life only. */
  checkLock() {}

  room() {
    return this.#room;
  }

  /** @param {number} file */
  size(file) {
    return this.#logs[file].getSize();
  }

  /**
   * @param {number} file
   * @param {number} offset
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  read(file, offset, bytes) {
    const length = this.#logs[file].read(bytes, { at: offset });
    if (length !== bytes.length) throw new Error(`The log ends at ${offset + length}, before what is to be read.`);
  }

  /**
   * @param {number} file
   * @param {number} offset
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  write(file, offset, bytes) {
    writeAll(this.#logs[file], offset, bytes);
    this.#room -= bytes.length;
  }

  /**
   * @param {number} file
   * @param {number} size
   */
  truncate(file, size) {
    this.#logs[file].truncate(size);
  }

  /** @param {number} file */
  sync(file) {
    return this.#logs[file].flush();
  }

  /**
   * Saves what was written, where that takes more than to write it.
   * @returns {Promise<void> | undefined}
   */
  commit() {
    return undefined;
  }

  /** @param {number} file */
  close(file) {
    // When `replace` has failed either may be the log: the next to open them goes by what `current` says then.
    if (this.#isCertain && file !== this.#log) this.#empty(file);
  }

  /**
   * Lets one of the two be the log, for good. It is written even if `current` says so: where a flush failed before, the browser
   * flushes only what is written anew.
   * @param {number} log
   */
  #select(log) {
    this.#isCertain = false;
    writeAll(this.#current, 0, encoder.encode(String(log)));
    this.#current.flush();
    this.#log = log;
    this.#isCertain = true;
  }

  /**
   * Empties the one that is not the log, once it is certain that it is not.
   * @param {number} file
   */
  #empty(file) {
    if (!this.#isCertain && this.#log !== MISSING) this.#select(this.#log);
    const size = this.#logs[file].getSize();
    this.#logs[file].truncate(0);
    this.#room += size;
  }
}

/** The bytes of a log before its first record (src/polystore/engine/log_format.hpp). */
const HEADER_SIZE = 24;

const encoder = new TextEncoder();

/** What `current` says, which is for people, too. @param {AccessHandle} current */
function firstCharacter(current) {
  const byte = new Uint8Array(1);
  return new TextDecoder().decode(byte.subarray(0, current.read(byte, { at: 0 })));
}

/**
 * Which of the two is the log; MISSING if there is none yet. A log has its header before `current` names it, and no record
 * before that.
 * @param {string} named What `current` says.
 * @param {number[]} sizes Of the two.
 * @param {string} folder
 * @throws {PolystoreError} ERR_CORRUPT
 */
function findLog(named, sizes, folder) {
  const log = ["0", "1"].indexOf(named);
  if (sizes[log] >= HEADER_SIZE) return log;
  if (sizes.every((size) => size <= HEADER_SIZE)) return MISSING;
  if (log === -1 && sizes.includes(0)) return sizes[0] > 0 ? 0 : 1;
  const message = `In the folder ${show(folder)} of a log, 0.kv has ${sizes[0]} bytes, 1.kv has ${sizes[1]}, and current says ${show(named)}: nobody can know which of them is the log. They were left as they are; to use one of them, remove the other and current.`;
  throw new PolystoreError("ERR_CORRUPT", message);
}

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<AccessHandle>}
 */
async function openFile(folder, name) {
  const file = /** @type {any} */ (await folder.getFileHandle(name, { create: true }));
  if (typeof file.createSyncAccessHandle !== "function") throw unsupported("it has no synchronous access to files");
  try {
    return await patiently(() => file.createSyncAccessHandle());
  } catch (error) {
    if (/** @type {DOMException} */ (error).name === "NotSupportedError")
      throw unsupported("it has none to these files");
    throw error;
  }
}

/**
 * We have the lock, so whoever else has a file is gone; but a browser takes a while to notice, after a reload say.
 * @template Result
 * @param {() => Promise<Result>} open
 */
export async function patiently(open) {
  for (let attempt = 1; ; ++attempt) {
    try {
      return await open();
    } catch (error) {
      if (/** @type {DOMException} */ (error).name !== "NoModificationAllowedError" || attempt === ATTEMPTS)
        throw error;
      await sleep(PAUSE);
    }
  }
}

/** @param {string} reason */
function unsupported(reason) {
  return new PolystoreError("ERR_UNSUPPORTED", `This browser cannot keep a log: ${reason}.`);
}
