import * as fs from "node:fs";
import { dirname } from "node:path";
import { isInPlaceOnly } from "../../disk/replace_file.js";
import { isBlocked } from "../../disk/retry_blocked.js";
import { isFull } from "../../disk/text_file.js";
import { PolystoreError } from "../../support/errors.js";
import { MISSING } from "../../engine/files.js";
import { IS_RESTRICTED, syncFile, syncFileLater, syncFolder, syncFolderLater, WRITE_THROUGH } from "./node_sync.js";

const { O_CREAT, O_EXCL, O_RDWR } = fs.constants;

/** The advice for a user whose log has lost its lock. */
const REMEDY = "Close the store and open it again.";

/**
 * The files of the engine in Node. Its calls wait for the system: from the cache of that, a read takes 2 µs, a fifth of what
 * the way through the pool of threads takes.
 * @implements {Files}
 */
export class NodeFiles {
  #lock;
  #mode;
  /** Of the open files. @type {Map<number, Name>} */
  #names = new Map();

  /** True if another program kept the new log from its place for the moment. */
  isBlocked = false;

  /**
   * @param {Pick<import("../../disk/lock.js").Lock, "check" | "checkNow">} lock Of the log whose files these are.
   * @param {number} [mode] How an existing file is opened.
   */
  constructor(lock, mode = O_RDWR | WRITE_THROUGH) {
    this.#lock = lock;
    this.#mode = mode;
  }

  checkLock() {
    this.#lock.check(REMEDY);
  }

  /** @param {string} path */
  open(path) {
    return attempt("open", () => {
      const found = fs.statSync(path, { throwIfNoEntry: false });
      // A log that is made takes the place of what has its name: nothing else may lose that.
      if (found && !found.isFile()) throw new Error(`${path} is not a regular file`);
      if (found) return this.#opened(path, fs.openSync(path, this.#mode), false);
      if (fs.lstatSync(path, { throwIfNoEntry: false })) throw new Error(`${path} is a dangling symbolic link`);
      return MISSING;
    });
  }

  /** @param {string} path That of a log, with ".new" behind it. */
  create(path) {
    return attempt("make", () => {
      if (isLog(path)) fs.rmSync(path);
      const old = fs.statSync(path.slice(0, path.lastIndexOf(".")), { throwIfNoEntry: false });
      try {
        // Until it has the permissions of the log, nobody else may open it. Not through a link.
        const file = this.#opened(
          path,
          fs.openSync(path, O_RDWR | O_CREAT | O_EXCL | WRITE_THROUGH, old ? 0o600 : 0o666),
          true,
        );
        if (old) imitate(path, old);
        return file;
      } catch (error) {
        if (/** @type {NodeJS.ErrnoException} */ (error).code !== "EEXIST") throw error;
        throw new Error(`it is written to ${path} first, and what is there is not a log; move it away`, {
          cause: error,
        });
      }
    });
  }

  /**
   * @param {string} from
   * @param {string} to
   */
  replace(from, to) {
    const old = this.#fileNamed(to);
    attempt(
      "replace",
      () => {
        bringBack(to); // An earlier attempt may have left it aside.
        if (old !== undefined) {
          this.#checkedName(old);
          // The permissions are the user's, who may have changed them. Before the name, so that the file never has both others and the name.
          imitate(from, fs.statSync(to));
        } else if (fs.lstatSync(to, { throwIfNoEntry: false })) {
          throw new Error(`another program has just made ${to}`);
        }
        renameOver(from, to);
        const file = /** @type {number} */ (this.#fileNamed(from));
        if (old !== undefined) this.#names.delete(old);
        this.#names.set(file, { ...this.#nameOf(file), path: to, isSynced: false });
      },
      (error) => {
        this.isBlocked = isBlocked(error);
        return old !== undefined && (this.isBlocked || isInPlaceOnly(error)) ? "ERR_UNSUPPORTED" : undefined;
      },
    );
  }

  /** @param {string} path */
  remove(path) {
    attempt("remove", () => {
      if (isLog(path)) fs.rmSync(path);
    });
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
    attempt("truncate", () => fs.ftruncateSync(file, size));
  }

  /** @param {number} file */
  sync(file) {
    attempt("sync", () => {
      this.#lock.checkNow(REMEDY);
      syncFile(file);
      const name = this.#checkedName(file);
      if (!name || name.isSynced) return;
      syncFolder(dirname(name.path));
      name.isSynced = true;
    });
  }

  /**
   * The same, while others go on.
   * @param {number} file
   */
  async syncLater(file) {
    this.#lock.checkNow(REMEDY); // A write must not be acknowledged if another process has taken the log.
    await syncFileLater(file);
    const name = this.#checkedName(file);
    if (!name || (name.isSynced && !IS_RESTRICTED)) return;
    await syncFolderLater(dirname(name.path));
    name.isSynced = true;
  }

  /** @param {number} file */
  close(file) {
    if (this.#names.delete(file)) fs.closeSync(file);
    // It has no name any more, for another took its place: to remove what it held may take its time, and nothing waits for that.
    else fs.close(file);
  }

  /**
   * @param {string} path
   * @param {number} file
   * @param {boolean} isNew
   */
  #opened(path, file, isNew) {
    const { dev, ino, nlink } = fs.fstatSync(file, { bigint: true });
    if (nlink > 1n) {
      fs.closeSync(file);
      throw new Error(
        `${path} has another name (a hard link), by which another program could open it at the same time`,
      );
    }
    // Nobody can know whether whoever gave a file that was there its name has synced that.
    this.#names.set(file, { path, dev, ino, isSynced: isNew });
    return file;
  }

  /** @param {number} file */
  #nameOf(file) {
    return /** @type {Name} */ (this.#names.get(file));
  }

  /** @param {string} path */
  #fileNamed(path) {
    return [...this.#names.keys()].find((file) => this.#nameOf(file).path === path);
  }

  /**
   * For after a sync: what is written to a file without a name is found by nobody.
   * @param {number} file
   * @returns {Name | undefined} Its name; undefined if it was closed meanwhile.
   * @throws {Error} Where its name leads to another by now, or nowhere.
   */
  #checkedName(file) {
    const name = this.#names.get(file);
    if (!name) return undefined;
    const { path, dev, ino } = name;
    const found = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
    if (found?.dev === dev && found.ino === ino) return name;
    throw new Error(
      `${path} was removed, replaced or moved away while it was open, so what is written to it would not be found again; stop that program`,
    );
  }
}

/**
 * The path that an open file goes by, what tells it from another there, and whether the name outlasts a power failure.
 * @typedef {{ path: string, dev: bigint, ino: bigint, isSynced: boolean }} Name
 */

const MAGIC = Buffer.from("polystor");

/**
 * Whether the file at a path is one that a log was written to, or was about to be when the power failed.
 * @param {string} path
 */
function isLog(path) {
  if (!fs.lstatSync(path, { throwIfNoEntry: false })?.isFile()) return false;
  const file = fs.openSync(path, "r");
  try {
    const begin = Buffer.alloc(MAGIC.length);
    const length = fs.readSync(file, begin, 0, begin.length, 0);
    return begin.subarray(0, length).equals(MAGIC.subarray(0, length)) || begin.every((byte) => byte === 0);
  } finally {
    fs.closeSync(file);
  }
}

/** Where the old log lies, on Windows, while the new one takes its place. @param {string} path */
const asideOf = (path) => `${path}.replaced`;

/**
 * Windows lets no file take the place of one that is open, and the old log is: the engine has it open, and maybe an iteration. It
 * can be moved aside; where the process ends before the new one has its name, `bringBack` finds it.
 * @param {string} from
 * @param {string} to
 */
function renameOver(from, to) {
  try {
    return fs.renameSync(from, to);
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    // Elsewhere, EBUSY means that `to` is mounted alone into a container: nothing can take its place.
    if (!(code === "EACCES" || code === "EPERM" || isBlocked(error)) || !fs.existsSync(to)) throw error;
  }
  const aside = asideOf(to);
  // An earlier compaction may have left its old log there. A file that is not a log belongs to other code and stays.
  if (isLog(aside)) fs.rmSync(aside);
  if (fs.existsSync(aside)) throw new Error(`the old log is moved to ${aside}, and what is there is not a log`);
  fs.renameSync(to, aside);
  try {
    fs.renameSync(from, to);
  } catch (error) {
    fs.renameSync(aside, to);
    throw error;
  }
  try {
    fs.rmSync(aside);
  } catch {
    // Another program looks at it; the next compaction removes it.
  }
}

/**
 * Gives a log its name again that was moved aside by a process that ended before the new one had it.
 * @param {string} path
 */
export function bringBack(path) {
  const aside = asideOf(path);
  if (!fs.lstatSync(path, { throwIfNoEntry: false }) && isLog(aside)) fs.renameSync(aside, path);
}

/**
 * Gives a file the permissions of another, and its owner, which only root may.
 * @param {string} path
 * @param {fs.Stats} other
 */
function imitate(path, other) {
  if (process.getuid?.() === 0) fs.chownSync(path, other.uid, other.gid);
  fs.chmodSync(path, other.mode & 0o7777);
}

/** The files of a log that may only be read: nothing that is done to open it changes them. */
export class ReadOnlyFiles extends NodeFiles {
  constructor() {
    super({ check() {}, checkNow() {} }, fs.constants.O_RDONLY);
  }

  remove() {}
  truncate() {}
  sync() {}
}

/** @typedef {import("../../engine/files.js").Files} Files */

/**
 * @template Result
 * @param {string} action
 * @param {() => Result} call
 * @param {(error: unknown) => import("../../support/errors.js").Code | undefined} [codeOf] Returns the code of an error that is special
 *   for this call.
 * @returns {Result}
 */
function attempt(action, call, codeOf) {
  try {
    return call();
  } catch (error) {
    const code = codeOf?.(error) ?? (isFull(error) ? "ERR_QUOTA" : "ERR_CLIENT");
    const text = `Could not ${action} the log: ${/** @type {Error} */ (error).message}.`;
    throw new PolystoreError(code, text, { cause: error });
  }
}
