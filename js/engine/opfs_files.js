import { PolystoreError } from "../errors.js";
import { MISSING } from "./files.js";

/** How often a handle is asked for that another has, and how long to wait in between, in milliseconds. */
const ATTEMPTS = 50;
const PAUSE = 100;

/**
 * A synchronous access handle, which TypeScript's library of the DOM does not have.
 * @typedef {object} AccessHandle
 * @property {() => number} getSize
 * @property {(bytes: Uint8Array, options: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void} flush
 * @property {() => void} close
 */
/** @typedef {import("./files.js").Files} Files */

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
  #room = 0;

  /**
   * @param {FileSystemDirectoryHandle} folder
   * @returns {Promise<OpfsFiles>}
   * @throws {PolystoreError} ERR_UNSUPPORTED where the browser has no synchronous access to files.
   */
  static async open(folder) {
    /** @type {AccessHandle[]} */
    const opened = [];
    try {
      for (const name of ["current", "0.kv", "1.kv"]) opened.push(await openFile(folder, name));
      const files = new OpfsFiles(opened);
      await files.measureRoom();
      return files;
    } catch (error) {
      for (const handle of opened) handle.close();
      throw error;
    }
  }

  /** @param {AccessHandle[]} handles */
  constructor([current, ...logs]) {
    this.#current = current;
    this.#logs = logs;
    const byte = new Uint8Array(1);
    this.#log = current.read(byte, { at: 0 }) === 1 ? byte[0] - ZERO : MISSING;
    // What a compaction left that a crash ended.
    for (const [number, log] of logs.entries()) if (number !== this.#log) log.truncate(0);
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
    const other = this.#log === 0 ? 1 : 0;
    writeAll(this.#current, 0, Uint8Array.of(ZERO + other));
    this.#current.flush();
    this.#log = other;
  }

  /** Nothing to do: what is not the log is emptied when the engine lets go of it. */
  remove() {}

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
    this.#logs[file].flush();
  }

  /** @param {number} file */
  close(file) {
    if (file !== this.#log) this.#empty(file);
  }

  /** @param {number} file */
  #empty(file) {
    this.#room += this.#logs[file].getSize();
    this.#logs[file].truncate(0);
  }
}

/** The character, as a byte: `current` is for people, too. */
const ZERO = 48;

/**
 * @param {FileSystemDirectoryHandle} folder
 * @param {string} name
 * @returns {Promise<AccessHandle>}
 */
async function openFile(folder, name) {
  const file = /** @type {any} */ (await folder.getFileHandle(name, { create: true }));
  if (typeof file.createSyncAccessHandle !== "function") throw unsupported("it has no synchronous access to files");
  const handle = await patiently(() => file.createSyncAccessHandle());
  if (typeof handle.getSize() === "number") return handle;
  await handle.close();
  throw unsupported("its access to files is asynchronous"); // As it was before 2023.
}

/**
 * We have the lock, so whoever else has a file is gone; but a browser takes a while to notice, after a reload say.
 * @template Result
 * @param {() => Promise<Result>} open
 */
async function patiently(open) {
  for (let attempt = 1; ; ++attempt) {
    try {
      return await open();
    } catch (error) {
      if (/** @type {DOMException} */ (error).name !== "NoModificationAllowedError" || attempt === ATTEMPTS)
        throw error;
      await new Promise((resolve) => setTimeout(resolve, PAUSE));
    }
  }
}

/** @param {string} reason */
function unsupported(reason) {
  return new PolystoreError("ERR_UNSUPPORTED", `This browser cannot keep a log: ${reason}.`);
}

/**
 * @param {AccessHandle} handle
 * @param {number} offset
 * @param {Uint8Array} bytes
 */
function writeAll(handle, offset, bytes) {
  // A browser at its limit throws, or writes a part.
  if (handle.write(bytes, { at: offset }) === bytes.length) return;
  throw new PolystoreError("ERR_QUOTA", "The browser has no room for more.");
}
