import { PolystoreError, show } from "../../support/errors.js";
import { sleep } from "../../support/real_timers.js";
import { writeAll } from "./access_handle.js";
import { MISSING } from "../../engine/files.js";
import { bringIn } from "./journal.js";

/** The number of attempts to open a file that is still open elsewhere, and the pause between them, in milliseconds. */
const ATTEMPTS = 50;
const PAUSE = 100;

/** The names of the files of a log, in its folder. */
export const NAMES = ["current", "0.kv", "1.kv"];

/** @typedef {import("./access_handle.js").AccessHandle} AccessHandle */
/** @typedef {import("../../engine/files.js").Files} Files */

/**
 * The files of one engine in the browser's private file system. The engine opens and renames files synchronously. The browser can
 * only open them asynchronously, and cannot rename an open file. So two files, `0.kv` and `1.kv`, are always open: one is the log,
 * and compaction writes the next log into the other. One byte in a third file, `current`, tells which file is the log.
 * @implements {Files}
 */
export class OpfsFiles {
  #current;
  #logs;
  /** The number of the file that is the log; MISSING if there is no log yet. */
  #log;
  /** True if `current` is known to name this file even after a power failure. */
  #isCertain = false;
  #room = 0;

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @param {string} log The name of the log.
   * @returns {Promise<OpfsFiles>}
   * @throws {PolystoreError} ERR_UNSUPPORTED if the browser has no synchronous access to files; ERR_CORRUPT if it cannot be
   *   determined which file is the log.
   */
  static async open(folder, log) {
    /** @type {AccessHandle[]} */
    const opened = [];
    try {
      for (const name of NAMES) opened.push(await openFile(folder, name));
      // Browsers from before 2023 return a promise here.
      if (typeof opened[0].getSize() !== "number")
        throw unsupported("its access handles are asynchronous, as they were before 2023");
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
   * @param {string} folder The name of the folder.
   */
  constructor([current, ...logs], folder) {
    this.#current = current;
    this.#logs = logs;
    const sizes = logs.map((log) => log.getSize());
    this.#log = findLog(firstCharacter(current), sizes, folder);
    // An interrupted compaction left an incomplete log in the other file.
    if (this.#log !== MISSING && sizes[1 - this.#log] > 0) this.#empty(1 - this.#log);
  }

  /** Closes all files. */
  end() {
    for (const handle of [this.#current, ...this.#logs]) handle.close();
  }

  /** Asks the browser how many bytes can still be written. `room` is based on this number until the next call. */
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

  /** Does nothing: `close` empties the file that is not the log. */
  remove() {}

  /** Does nothing: a worker keeps its lock until it ends. */
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
    if (length !== bytes.length)
      throw new Error(`The log ends at offset ${offset + length}, before the end of the record to read.`);
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
   * Saves what was written, if writing to the files does not save it already.
   * @returns {Promise<void> | undefined}
   */
  commit() {
    return undefined;
  }

  /** @param {number} file */
  close(file) {
    // If `replace` failed, either file may be the log. Keep both: the next owner reads `current`.
    if (this.#isCertain && file !== this.#log) this.#empty(file);
  }

  /**
   * Makes one of the two files the log, durably. `current` is written even if it already names that file: after a failed flush, the
   * browser flushes only what is written again.
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
   * Empties the file that is not the log, after `current` is certain to name the other one.
   * @param {number} file
   */
  #empty(file) {
    if (!this.#isCertain && this.#log !== MISSING) this.#select(this.#log);
    const size = this.#logs[file].getSize();
    this.#logs[file].truncate(0);
    this.#room += size;
  }
}

/** The size of a log's header, in bytes (src/polystore/engine/log_format.hpp). */
const HEADER_SIZE = 24;

const encoder = new TextEncoder();

/** The character in `current`: "0" or "1". It is text so that people can read it, too. @param {AccessHandle} current */
function firstCharacter(current) {
  const byte = new Uint8Array(1);
  return new TextDecoder().decode(byte.subarray(0, current.read(byte, { at: 0 })));
}

/**
 * Returns the number of the file that is the log; MISSING if there is no log yet. A log has its header before `current` names it,
 * and gets its first record after that.
 * @param {string} named The content of `current`.
 * @param {number[]} sizes The sizes of both files.
 * @param {string} folder
 * @throws {PolystoreError} ERR_CORRUPT
 */
function findLog(named, sizes, folder) {
  const log = ["0", "1"].indexOf(named);
  if (sizes[log] >= HEADER_SIZE) return log;
  if (sizes.every((size) => size <= HEADER_SIZE)) return MISSING;
  if (log === -1 && sizes.includes(0)) return sizes[0] > 0 ? 0 : 1;
  const message = `In the folder ${show(folder)} of a log, 0.kv has ${sizes[0]} bytes, 1.kv has ${sizes[1]}, and current contains ${show(named)}: it cannot be determined which file is the log. The files were left unchanged. To use one of them, remove the other one and current.`;
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
      throw unsupported("it has no synchronous access to these files");
    throw error;
  }
}

/**
 * Retries to open a file that is still open elsewhere. This worker holds the lock, so the earlier owner has ended; but the browser may
 * take a while to close its files, for example after a reload.
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
  return new PolystoreError("ERR_UNSUPPORTED", `This browser cannot store a log: ${reason}.`);
}
