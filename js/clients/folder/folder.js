import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { link, lstat, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { show } from "../../support/errors.js";
import { decodeExpiry, decodeRecord, isSameText } from "../../support/record.js";
import { Batch } from "../../support/batch.js";
import { isPut, keysOf, lastChanges, onlyChange, outcomesOf, severalKeysError } from "../../support/commits.js";
import { arrangePages } from "../../support/range.js";
import { isLong, keyOf, nameOf } from "./file_name.js";
import { findCase, settleCase } from "./folder_case.js";
import { decodeFile, encodeFile, recordOf, withKey } from "./folder_file.js";
import { PAGE_BYTES, sizeOf } from "../../support/page_bytes.js";
import { MAYBE } from "../../support/hint.js";
import { KeyQueue } from "../../support/key_queue.js";
import { replaceFile, replaceFileIf } from "../../disk/replace_file.js";
import { retryBlocked } from "../../disk/retry_blocked.js";
import { SharedLock } from "../../disk/shared_lock.js";
import { removeAbandoned, temporaryPath } from "../../disk/temporary_file.js";
import { watchFolder } from "../../disk/watch_folder.js";
import {
  codeOf,
  withSlot,
  isMissing,
  makeFolder,
  readIfThere,
  syncFolder,
  withoutMark,
  mapDiskFull,
} from "../../disk/text_file.js";
import { requireText } from "../../support/text_key.js";

/** The number of files that a listing reads without a pause. */
const PAGE_LENGTH = 128;
/** The name of the lock that a process holds while it makes commits with expectations. */
const LOCK = ".polystore";

/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Expectation} Expectation */
/**
 * A change that depends on the record.
 * @typedef {object} Deciding
 * @property {string} id
 * @property {(found: unknown[]) => readonly import("../../core/client.js").Change[]} decide
 * @property {string | null | undefined} text The text of the file that it decided on; undefined if that has never been the text of a file.
 * @property {readonly import("../../core/client.js").Change[]} changes The decision.
 */
/** @typedef {import("../../support/batch.js").Pending<Deciding>} Pending */
/** @typedef {import("../../disk/lock.js").Lock} Lock */

/** @param {string} url */
export function openFolder(url) {
  return new Folder(fileURLToPath(url));
}

/** A folder with one file for each record. Calls on one key run in order. The C++ library has the same format. */
class Folder {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "FOLDER", can: ["list"], copies: "write", atomic: "origin", isTransactional: false };
  #path;
  #isSwept = false;
  #queue = new KeyQueue();
  /** Concurrent calls share a sync of the folder, which makes 1,000 of them twice as fast. @type {Batch<void>} */
  #syncs = new Batch(async (batch) => {
    await syncFolder(this.#path);
    for (const { resolve } of batch) resolve();
  });
  /** True if the files are named for a disk that ignores case; undefined if that is not known yet. @type {boolean | undefined} */
  #ignoresCase;
  /** @type {Promise<boolean | undefined>} */
  #learning = Promise.resolve(undefined);
  #lock;
  /** The changes that read and decide. Those of one key that wait for the lock at the same time share one write. @type {Batch<Deciding>} */
  #changes = new Batch((batch) => {
    /** @type {Map<string, Pending[]>} */
    const groups = new Map();
    for (const pending of batch) {
      const { id } = pending.request;
      const group = groups.get(id);
      if (group) group.push(pending);
      else groups.set(id, [pending]);
    }
    return Promise.all([...groups].map(([id, group]) => this.#changeTogether(id, group)));
  });

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
    this.#lock = new SharedLock(join(path, LOCK));
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a file name");
  }

  /** @param {string} id */
  read(id) {
    return this.#inOrder(id, async () => (await this.#find(id)).record);
  }

  /** @param {readonly Commit[]} commits */
  async commit(commits) {
    const change = onlyChange(commits);
    if (change) {
      await (isPut(change) ? this.#put(change) : this.#remove(change.id));
      return [true];
    }
    return outcomesOf(commits.map(async (commit) => [await this.#commitOne(commit)]));
  }

  /**
   * Makes a commit with expectations. The lock keeps the commits of other processes out, but not their calls without expectations; those
   * are found by comparing the record again at the last moment.
   * @param {Commit} commit
   * @returns {Promise<boolean>}
   */
  async #commitOne(commit) {
    const ids = keysOf(commit);
    if (ids.length > 1) throw severalKeysError("A Folder", ids);
    const [id] = ids;
    const [change] = lastChanges(commit);
    const { expected } = commit;
    const act = (/** @type {Lock} */ lock) => this.#commitLocked(lock, id, expected, change);
    return this.#queue.add(id, async () => {
      try {
        return await this.#lock.run(act);
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
      // There is no folder yet, and so no record.
      if (!expected.every(({ found }) => found === null)) return false;
      if (!change || !isPut(change)) return true;
      await makeFolder(this.#path);
      return this.#lock.run(act);
    });
  }

  /**
   * @param {Lock} lock
   * @param {string} id
   * @param {readonly Expectation[]} expected
   * @param {import("../../core/client.js").Change | undefined} change
   */
  async #commitLocked(lock, id, expected, change) {
    const isMade = await withSlot(async () => {
      const name = await this.#nameOf(id);
      const path = join(this.#path, name);
      const isExpected = async (file = path) => {
        const text = await readIfThere(file);
        const record = recordOf(id, name, text, decodeExpiry);
        return expected.every(({ found }) => isSameText(record ? text : null, found));
      };
      if (!(await isExpected())) return false;
      if (!change) return true;
      return this.#makeIf(isExpected, path, change, lock);
    });
    if (isMade && change) await this.#syncs.add();
    return isMade;
  }

  /**
   * Makes a change under the lock, if the record is as expected and the lock is still ours.
   * @param {(path?: string) => Promise<boolean>} isExpected
   * @param {string} path Of the record.
   * @param {import("../../core/client.js").Change} change
   * @param {Lock} lock
   * @returns {Promise<boolean>}
   */
  async #makeIf(isExpected, path, change, lock) {
    const isStillExpected = async () => {
      const isSame = await isExpected();
      lock.check("Try again.");
      return isSame;
    };
    if (isPut(change)) return this.#write(change, isStillExpected);
    lock.check("Try again.");
    return this.#removeIf(path, isExpected);
  }

  /**
   * Decides under the lock if another process was faster. Otherwise, a process that has just changed the record would read it before the
   * processes that wait for the lock, and so be faster than them each time.
   * @param {readonly string[]} ids One key.
   * @param {Deciding["decide"]} decide
   * @returns {Promise<void>}
   */
  async change([id], decide) {
    const { text, record } = await this.#inOrder(id, () => this.#find(id));
    const changes = decide([record]);
    if (changes.length > 0) await this.#changes.add({ id, decide, text, changes });
  }

  /**
   * @param {string} id
   * @param {Pending[]} group
   */
  async #changeTogether(id, group) {
    const deciding = group.map(({ request }) => request);
    const act = (/** @type {Lock} */ lock) => this.#changeLocked(lock, id, deciding);
    try {
      await this.#queue.add(id, async () => {
        try {
          return await this.#lock.run(act);
        } catch (error) {
          if (!isMissing(error)) throw error;
        }
        // There is no folder yet, and so nothing to remove.
        if (!group.some(({ request }) => request.changes.some(isPut))) return;
        await makeFolder(this.#path);
        await this.#lock.run(act);
      });
      for (const { resolve } of group) resolve();
    } catch (error) {
      for (const { reject } of group) reject(error);
    }
  }

  /**
   * Makes the changes of one key, each of which sees the ones before it, with one write; again if a call without the lock was faster.
   * @param {Lock} lock
   * @param {string} id
   * @param {Deciding[]} group
   */
  async #changeLocked(lock, id, group) {
    /** @type {import("../../core/client.js").Change | undefined} */
    let change;
    const make = async () => {
      change = undefined;
      const { name, text, record } = await this.#find(id);
      /** @type {unknown} */
      let found = record;
      for (const deciding of group) {
        const isOfFile = change === undefined;
        if (!isOfFile || deciding.text !== text) {
          deciding.changes = deciding.decide([found]);
          deciding.text = isOfFile ? text : undefined;
        }
        const [made] = deciding.changes;
        if (!made) continue;
        change = made;
        found = isPut(made) ? { value: made.value, expires: made.expires } : undefined;
      }
      if (!change) return true;
      const path = join(this.#path, name);
      const isUnchanged = async (file = path) => (await readIfThere(file)) === text;
      return this.#makeIf(isUnchanged, path, change, lock);
    };
    while (!(await withSlot(make)));
    if (change) await this.#syncs.add();
  }

  /**
   * Reads the file of a key: its name, its text, and the record in it.
   * @param {string} id
   */
  async #find(id) {
    const name = await this.#nameOf(id);
    const text = await readIfThere(join(this.#path, name));
    const record = recordOf(id, name, text, decodeRecord);
    return { name, text, record: record && { ...record, version: text } };
  }

  /** @param {import("../../core/client.js").Put} change */
  #put(change) {
    const make = async (/** @type {unknown} */ error) => {
      if (!isMissing(error)) throw error;
      await makeFolder(this.#path);
      return this.#write(change);
    };
    return this.#change(change.id, () => this.#write(change).catch(make));
  }

  /**
   * @param {import("../../core/client.js").Put} change
   * @param {() => Promise<boolean>} [condition] Nothing is written unless it holds at the last moment.
   * @returns {Promise<boolean>} True if the record was written.
   */
  #write({ id, value, expires }, condition) {
    const text = encodeFile(value, expires);
    return mapDiskFull(`Writing ${show(id)} into ${this.#path}`, async () => {
      await this.#removeAbandoned();
      const name = nameOf(id, this.#ignoresCase ?? (await this.#learn(settleCase)));
      const path = join(this.#path, name);
      const content = withKey(text, name, id);
      const written = condition ? replaceFileIf(path, content, condition) : replaceFile(path, content);
      return (await written) !== null;
    });
  }

  /** @param {string} id */
  #remove(id) {
    return this.#change(id, async () => {
      const name = await this.#nameOf(id);
      const path = join(this.#path, name);
      if (!recordOf(id, name, await readIfThere(path), decodeExpiry)) return false;
      await rm(path, { force: true });
      return true;
    });
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range.prefix, wanted), range);
  }

  /**
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(prefix, wanted) {
    const decode = wanted === "keys" ? decodeExpiry : decodeRecord;
    await this.#queue.idle();
    const ignored = this.#ignoresCase ?? (await this.#learn(findCase)) ?? false;
    const found = await readdir(this.#path, { withFileTypes: true }).catch((error) =>
      isMissing(error) ? [] : Promise.reject(error),
    );
    const names = [];
    for (const entry of found) {
      const key = keyOf(entry.name);
      if (key === undefined || !(key.startsWith(prefix) || (isLong(entry.name) && prefix.startsWith(key)))) continue;
      if (entry.isFile() || (await this.#leadsToFile(entry))) names.push(entry.name);
    }
    for (let i = 0; i < names.length;) {
      /** @type {{ id: string, record: import("../../support/record.js").StoredRecord }[]} */
      const files = [];
      const end = i + PAGE_LENGTH;
      for (let bytes = 0; i < Math.min(end, names.length) && bytes < PAGE_BYTES; ++i) {
        const file = this.#readNow(names[i], ignored, decode);
        if (!file?.id.startsWith(prefix)) continue;
        files.push(file);
        bytes += sizeOf(file.record.value);
      }
      yield { ids: files.map(({ id }) => id), found: files.map(({ record }) => record) };
      await null;
    }
  }

  /**
   * @param {import("../../core/client.js").WatchListener} listener
   * @returns {import("../../core/client.js").Watch}
   */
  watch({ changed, compare }) {
    const close = watchFolder(this.#path, (name) => {
      if (name === null || isLong(name)) return compare(); // A long name does not tell the key.
      const id = keyOf(name);
      if (id !== undefined) changed(id, MAYBE);
    });
    return { reach: "storage", compares: true, close };
  }

  /**
   * True for a symbolic link to a file. Folders belong to other code, and opening a pipe would wait for its writer.
   * @param {import("node:fs").Dirent} entry
   */
  async #leadsToFile(entry) {
    if (!entry.isSymbolicLink()) return false;
    const status = await stat(join(this.#path, entry.name)).catch(() => null);
    return status?.isFile() ?? false;
  }

  /**
   * Reads a file synchronously. For a file of this size, a promise costs several times as much as the read itself.
   * @param {string} name
   * @param {boolean} ignored
   * @param {import("./folder_file.js").Decode} decode
   */
  #readNow(name, ignored, decode) {
    try {
      const path = join(this.#path, name);
      const text = withoutMark(readFileSync(path, "utf8"));
      // A U+FFFD is in the file, or stands for bytes that are not UTF-8. It is rare, so reading the file again is cheaper.
      if (text.includes("\uFFFD") && !isUtf8(readFileSync(path))) return undefined;
      const file = decodeFile(name, text, ignored, decode);
      if (!file || decode !== decodeExpiry) return file;
      return { id: file.id, record: { ...file.record, version: text } };
    } catch (error) {
      if (isMissing(error)) return undefined; // Removed since the folder was listed.
      throw error;
    }
  }

  /**
   * Removes a record if it is still as it was found. The file is moved aside first, because another process may write it again after it
   * was read.
   * @param {string} path
   * @param {(path: string) => Promise<boolean>} isExpected
   */
  async #removeIf(path, isExpected) {
    const aside = await temporaryPath(this.#path);
    try {
      await retryBlocked(() => rename(path, aside));
    } catch (error) {
      if (isMissing(error)) return isExpected(path); // Nothing was expected there, or another process has removed it.
      throw error;
    }
    let isRemoved = false;
    try {
      isRemoved = await isExpected(aside);
    } finally {
      await (isRemoved ? rm(aside) : putBack(aside, path));
    }
    return isRemoved;
  }

  /**
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} action
   */
  #inOrder(id, action) {
    return this.#queue.add(id, () => withSlot(action));
  }

  /**
   * @param {string} id
   * @param {() => Promise<boolean>} action Resolves with true if it changed the folder.
   */
  #change(id, action) {
    return this.#queue.add(id, async () => {
      // The sync is outside withSlot(), so that other calls can write meanwhile.
      if (await withSlot(action)) await this.#syncs.add();
    });
  }

  /** Removes the temporary files of killed processes, once, if permissions allow it. */
  async #removeAbandoned() {
    if (this.#isSwept) return;
    this.#isSwept = true;
    await removeAbandoned(this.#path).catch(() => {}); // The next process that opens the folder tries again.
  }

  /** @param {string} id */
  async #nameOf(id) {
    return nameOf(id, this.#ignoresCase ?? (await this.#learn(findCase)) ?? false);
  }

  /**
   * Finds out whether the disk ignores case, unless that is known. Calls run one after the other.
   * @template {boolean | undefined} Found
   * @param {(folder: string) => Promise<Found>} find
   * @returns {Promise<boolean | Found>} Undefined if the folder has no file that shows it.
   */
  #learn(find) {
    const learn = async () => (this.#ignoresCase ??= await find(this.#path));
    const learning = this.#learning.then(learn, learn);
    this.#learning = learning;
    return learning;
  }
}

/**
 * Gives a file that was moved aside its name again, unless there is a newer file of that name; then removes it.
 * @param {string} aside
 * @param {string} path
 */
async function putBack(aside, path) {
  try {
    await link(aside, path); // A link, unlike a rename, does not replace a newer file.
  } catch (error) {
    // The file system has no links, for example FAT. Then a newer file is replaced only if it is created right now.
    if (codeOf(error) !== "EEXIST" && !(await lstat(path).catch(() => null)))
      return retryBlocked(() => rename(aside, path));
  }
  await rm(aside);
}
