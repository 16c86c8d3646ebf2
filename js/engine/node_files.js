import * as fs from "node:fs";
import { dirname } from "node:path";
import { isFull } from "../clients/text_file.js";
import { PolystoreError } from "../errors.js";
import { MISSING } from "./files.js";
import { syncFile, syncFolder, WRITE_THROUGH } from "./node_sync.js";

const { O_CREAT, O_RDWR, O_TRUNC } = fs.constants;

/**
 * The files of the engine in Node. Its calls wait for the system: from the cache of that, a read takes 2 µs, a fifth of what
 * the way through the pool of threads takes.
 * @implements {Files}
 */
export class NodeFiles {
  #lock;
  #mode;

  /**
   * @param {{ check: () => void }} lock Of the log whose files these are.
   * @param {number} [mode] How an existing file is opened.
   */
  constructor(lock, mode = O_RDWR | WRITE_THROUGH) {
    this.#lock = lock;
    this.#mode = mode;
  }

  checkLock() {
    this.#lock.check();
  }

  /** @param {string} path */
  open(path) {
    return attempt("open", () => {
      const found = fs.statSync(path, { throwIfNoEntry: false });
      // A log that is made takes the place of what has its name: nothing else may lose that.
      if (found && !found.isFile()) throw new Error(`${path} is no file`);
      if (found) return fs.openSync(path, this.#mode);
      if (fs.lstatSync(path, { throwIfNoEntry: false })) throw new Error(`${path} is a link to what is not there`);
      return MISSING;
    });
  }

  /** @param {string} path */
  create(path) {
    return attempt("make", () => fs.openSync(path, O_RDWR | O_CREAT | O_TRUNC | WRITE_THROUGH));
  }

  /**
   * @param {string} from
   * @param {string} to
   */
  replace(from, to) {
    attempt("replace", () => {
      const old = fs.statSync(to, { throwIfNoEntry: false });
      // The permissions are the user's, and the owner too, which only root is not already. Before the name, so that the file never has both others and the name.
      if (old) {
        if (process.getuid?.() === 0) fs.chownSync(from, old.uid, old.gid);
        fs.chmodSync(from, old.mode & 0o7777);
      }
      fs.renameSync(from, to);
      syncFolder(dirname(to));
    });
  }

  /** @param {string} path */
  remove(path) {
    attempt("remove", () => fs.rmSync(path, { force: true }));
  }

  /** @param {string} path */
  room(path) {
    return attempt("look at", () => {
      try {
        const { bavail, bsize } = fs.statfsSync(dirname(path));
        return bavail * bsize;
      } catch (error) {
        // Deno without --allow-sys: a full disk shows when something is written.
        if (/** @type {Error} */ (error).name === "NotCapable") return Number.MAX_SAFE_INTEGER;
        throw error;
      }
    });
  }

  /** @param {number} file */
  size(file) {
    return attempt("look at", () => fs.fstatSync(file).size);
  }

  /**
   * @param {number} file
   * @param {number} offset
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  read(file, offset, bytes) {
    attempt("read", () => {
      for (let done = 0; done < bytes.length;) {
        const length = fs.readSync(file, bytes, done, bytes.length - done, offset + done);
        if (length === 0) throw new Error(`it ends at ${offset + done}, before what is to be read`);
        done += length;
      }
    });
  }

  /**
   * @param {number} file
   * @param {number} offset
   * @param {Uint8Array<ArrayBuffer>} bytes
   */
  write(file, offset, bytes) {
    attempt("write", () => {
      for (let done = 0; done < bytes.length;) {
        done += fs.writeSync(file, bytes, done, bytes.length - done, offset + done);
      }
    });
  }

  /**
   * @param {number} file
   * @param {number} size
   */
  truncate(file, size) {
    attempt("cut off", () => fs.ftruncateSync(file, size));
  }

  /** @param {number} file */
  sync(file) {
    attempt("sync", () => syncFile(file));
  }

  /** @param {number} file */
  close(file) {
    fs.closeSync(file);
  }
}

/** The files of a log that may only be read: nothing that is done to open it changes them. */
export class ReadOnlyFiles extends NodeFiles {
  constructor() {
    super({ check() {} }, fs.constants.O_RDONLY);
  }

  remove() {}
  truncate() {}
  sync() {}
}

/** @typedef {import("./files.js").Files} Files */

/**
 * @template Result
 * @param {string} action
 * @param {() => Result} call
 * @returns {Result}
 */
function attempt(action, call) {
  try {
    return call();
  } catch (error) {
    throw failure(action, error);
  }
}

/**
 * @param {string} action
 * @param {unknown} error
 */
function failure(action, error) {
  const text = `Could not ${action} the log: ${/** @type {Error} */ (error).message}.`;
  return new PolystoreError(isFull(error) ? "ERR_QUOTA" : "ERR_CLIENT", text, { cause: error });
}
