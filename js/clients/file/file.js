import { isUtf8 } from "node:buffer";
import { open, stat } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { kind, PolystoreError } from "../../support/errors.js";
import { decodeExpiry, decodeRecord, decodeVersion, isRecord, isSameText } from "../../support/record.js";
import { Batch } from "../../support/batch.js";
import { isPut } from "../../support/commits.js";
import { inHalves } from "../../support/in_halves.js";
import { arrangePages } from "../../support/range.js";
import { isSame } from "../folder/file_name.js";
import { encodeFile } from "../folder/folder_file.js";
import { membersOf } from "./json_members.js";
import { Lock } from "../../disk/lock.js";
import { replaceFileIf } from "../../disk/replace_file.js";
import { removeAbandoned } from "../../disk/temporary_file.js";
import { watchFolder } from "../../disk/watch_folder.js";
import {
  withSlot,
  isMissing,
  makeFolder,
  resolveLinks,
  syncFolder,
  withoutMark,
  mapDiskFull,
} from "../../disk/text_file.js";
import { requireText } from "../../support/text_key.js";

/** The number of records in a page of a listing. */
const PAGE_LENGTH = 512;
/** The number of idle Files that keep their content in memory, each with an open descriptor: the ones that were used last. */
const MAX_KEPT = 64;
/** @type {Set<File>} */
const kept = new Set();

/**
 * A call: `run` reads or changes the members of the file, and returns whether it changed them, and a result.
 * @typedef {object} Request
 * @property {boolean} writes
 * @property {(members: Map<string, string>) => { changed: boolean, result?: unknown }} run
 */
/** @typedef {import("../../support/batch.js").Pending<Request>} Pending */
/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Range} Range */

/** The last request. The file is not read for it. @type {Request} */
const CLOSING = { writes: false, run: () => ({ changed: false }) };

/** @param {string} url */
export function openFile(url) {
  return new File(fileURLToPath(url));
}

/**
 * A file with one JSON object, whose members are records. The file is read again only if it has changed, and the calls of one tick share
 * one write. Unchanged members keep their text, because it may contain numbers from a program in another language that JavaScript would
 * round. The C++ library has the same format.
 */
class File {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "FILE", can: ["list", "sweeps_all"], copies: "write", atomic: "origin", isTransactional: true };
  #path;
  /** The text of each member. @type {Map<string, string>} */
  #members = new Map();
  /**
   * The file that was read. It is kept open, so that its inode is not reused for a new file. On Windows it is closed: an open file cannot
   * be replaced there, and inodes are not reused.
   * @type {import("node:fs/promises").FileHandle | null}
   */
  #file = null;
  /** The stamp of the file that was read; empty if no file was read. */
  #stamp = "";
  #isSwept = false;
  /** @type {Batch<Request>} */
  #batch = new Batch((batch) => this.#send(batch));

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a JSON file that C++ reads too");
  }

  /** @param {string} id */
  read(id) {
    return this.#read((members) => decodeVersion(members.get(id) ?? null, id));
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    return this.#write((members) => {
      let changed = false;
      const outcomes = commits.map(({ expected, changes }) => {
        const isExpected = expected.every(({ id, found }) => isSameText(members.get(id) ?? null, found));
        if (isExpected) for (const change of changes) changed = makeChange(members, change) || changed;
        return isExpected;
      });
      return { changed, result: outcomes };
    });
  }

  /**
   * Decides under the lock if another process was faster. Otherwise, a process that has just changed the file would read it before the
   * processes that wait for the lock, and so be faster than them each time.
   * @param {readonly string[]} ids
   * @param {(found: unknown[]) => readonly import("../../core/client.js").Change[]} decide
   * @returns {Promise<void>}
   */
  async change(ids, decide) {
    /** The texts that were decided on last, and the decision. @type {{ texts: (string | null)[], changes: readonly import("../../core/client.js").Change[] }} */
    let decided = { texts: [], changes: [] };
    const decideOn = (/** @type {Map<string, string>} */ members) => {
      const texts = ids.map((id) => members.get(id) ?? null);
      if (decided.texts.length > 0 && texts.every((text, i) => text === decided.texts[i])) return;
      decided = { texts, changes: decide(texts.map((text, i) => decodeVersion(text, ids[i]))) };
    };
    await this.#read(decideOn);
    if (decided.changes.length === 0) return;
    await this.#write((members) => {
      decideOn(members);
      return { changed: decided.changes.map((change) => makeChange(members, change)).includes(true) };
    });
  }

  /**
   * @param {Range} range
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
    // All texts are in memory, because they are one file. They are decoded page by page.
    const entries = await this.#read((members) => [...members].filter(([id]) => id.startsWith(prefix)));
    for (let i = 0; i < entries.length; i += PAGE_LENGTH) {
      const page = entries.slice(i, i + PAGE_LENGTH);
      const decode = wanted === "keys" ? decodeExpiry : decodeRecord;
      yield { ids: page.map(([id]) => id), found: page.map(([id, text]) => decode(text, id)) };
    }
  }

  /** @param {Range} range */
  sweep({ prefix }) {
    return this.#write((members) => {
      const ids = [...members.keys()].filter((id) => id.startsWith(prefix) && isRecord(recordIn(members, id)));
      for (const id of ids) members.delete(id);
      return { changed: ids.length > 0, result: ids.length };
    });
  }

  /**
   * @param {import("../../core/client.js").WatchListener} listener
   * @returns {Promise<import("../../core/client.js").Watch>}
   */
  async watch({ compare }) {
    const target = await resolveLinks(this.#path);
    // Its folder, because a writer replaces the file.
    const close = watchFolder(dirname(target), (name) => {
      if (name === null || isSame(name, basename(target))) compare();
    });
    return { reach: "storage", compares: true, close };
  }

  async close() {
    await this.#batch.add(CLOSING);
    kept.delete(this);
    await this.#forget();
  }

  /**
   * @template Result
   * @param {(members: Map<string, string>) => Result} look
   * @returns {Promise<Result>}
   */
  #read(look) {
    return this.#batch.add({ writes: false, run: (members) => ({ changed: false, result: look(members) }) });
  }

  /** @param {Request["run"]} run */
  #write(run) {
    return this.#batch.add({ writes: true, run });
  }

  /** @param {Pending[]} batch */
  async #send(batch) {
    kept.delete(this);
    if (batch[0].request === CLOSING) return batch[0].resolve();
    try {
      await (batch.some(({ request }) => request.writes) ? this.#sendChanges(batch) : this.#sendReads(batch));
    } finally {
      await this.#keep();
    }
  }

  /** @param {Pending[]} batch */
  async #sendReads(batch) {
    await this.#loadUnlocked();
    for (const { request, resolve, reject } of batch) {
      try {
        resolve(request.run(this.#members).result);
      } catch (error) {
        reject(error);
      }
    }
  }

  async #loadUnlocked() {
    try {
      await withSlot(() => this.#load(this.#path));
    } catch (error) {
      if (!(error instanceof PolystoreError)) throw error;
      // Another process may be writing the file in place: read it again when that process has released the lock.
      const target = await resolveLinks(this.#path);
      const lock = await Lock.waitIfAllowed(target);
      try {
        await withSlot(() => this.#load(target));
      } finally {
        lock?.release();
      }
    }
  }

  /** @param {Pending[]} batch */
  async #sendChanges(batch) {
    await mapDiskFull(`Writing ${this.#path}`, async () => {
      // Resolved with each write, because the target of a link may have changed.
      const target = await resolveLinks(this.#path);
      await makeFolder(dirname(target));
      // If permissions forbid a lock file beside the file, the file can only be written in place, without a lock.
      const lock = await Lock.waitIfAllowed(target);
      try {
        // The disk may be too full for one of the values only.
        await inHalves(batch, (some) => this.#change(target, some, lock), isFull);
      } finally {
        lock?.release();
      }
    });
  }

  /**
   * Makes the changes of a batch with one write.
   * @param {string} target
   * @param {Pending[]} batch
   * @param {Lock | null} lock
   */
  async #change(target, batch, lock) {
    const results = await mapDiskFull(`Writing ${target}`, () =>
      withSlot(() => this.#changeAtOnce(target, batch, lock)),
    );
    for (const [i, { resolve, reject }] of batch.entries()) {
      if ("error" in results[i]) reject(results[i].error);
      else resolve(results[i].result);
    }
  }

  /**
   * @param {string} target
   * @param {Pending[]} batch
   * @param {Lock | null} lock
   */
  async #changeAtOnce(target, batch, lock) {
    await this.#load(target);
    try {
      const outcomes = batch.map(({ request }) => {
        try {
          return request.run(this.#members);
        } catch (error) {
          // A damaged record only fails its own call. A RangeError (the text is too long) fails the write, so that halves are tried.
          if (error instanceof RangeError) throw error;
          return { changed: false, error };
        }
      });
      if (outcomes.some(({ changed }) => changed)) await this.#replace(target, lock);
      return outcomes;
    } catch (error) {
      await this.#forget(); // The content in memory differs from the file now.
      throw error;
    }
  }

  /**
   * @param {string} target
   * @param {Lock | null} lock
   */
  async #replace(target, lock) {
    const folder = dirname(target);
    if (!this.#isSwept) await removeAbandoned(folder).catch(() => {}); // The next process that writes there tries again.
    this.#isSwept = true;
    const members = Array.from(this.#members, ([id, text]) => `  ${JSON.stringify(id)}: ${text}`);
    const text = members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n}`;
    await this.#release();
    const stats = await replaceFileIf(target, text, async () => {
      lock?.check("Try again.");
      return true;
    });
    const stamp = stampOf(/** @type {import("node:fs").BigIntStats} */ (stats));
    await syncFolder(folder);
    const file = await open(target, "r");
    const isOurs = stampOf(await file.stat({ bigint: true })) === stamp;
    await this.#hold(file, stamp);
    if (!isOurs) await this.#forget(); // A program that does not use the lock has replaced the file since.
  }

  /**
   * Reads the members again, if the file has changed.
   * @param {string} path
   * @returns {Promise<void>}
   */
  async #load(path) {
    const now = await stat(path, { bigint: true }).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
    if (now === null) return this.#forget();
    if (stampOf(now) === this.#stamp) return;
    await this.#forget();
    const file = await open(path, "r");
    // The stamp is taken before the read, so that a write during the read is noticed the next time.
    const stamp = stampOf(await file.stat({ bigint: true }));
    try {
      this.#members = this.#parse(await file.readFile());
    } catch (error) {
      const isSame = stampOf(await file.stat({ bigint: true })) === stamp;
      await file.close();
      if (isSame) throw error;
      return this.#load(path); // Another program was writing it in place.
    }
    await this.#hold(file, stamp);
  }

  /**
   * @param {import("node:fs/promises").FileHandle} file The file that the members were read from.
   * @param {string} stamp
   */
  async #hold(file, stamp) {
    this.#stamp = stamp;
    this.#file = file;
    if (process.platform === "win32") await this.#release();
  }

  async #release() {
    const file = this.#file;
    this.#file = null;
    await file?.close();
  }

  async #forget() {
    this.#members = new Map();
    this.#stamp = "";
    await this.#release();
  }

  /** Keeps the content for the next call. If too many Files do so, the least recently used one forgets its content. */
  async #keep() {
    if (this.#stamp === "") return;
    kept.add(this);
    if (kept.size <= MAX_KEPT) return;
    const [oldest] = kept;
    kept.delete(oldest);
    await oldest.#forget();
  }

  /** @param {Buffer} bytes */
  #parse(bytes) {
    if (!isUtf8(bytes)) throw this.#corrupt("its bytes are not UTF-8");
    const text = withoutMark(bytes.toString());
    if (text === "") return new Map();
    /** @type {unknown} */
    let document;
    try {
      document = JSON.parse(text);
    } catch (error) {
      throw this.#corrupt(/** @type {Error} */ (error).message, error);
    }
    if (typeof document === "object" && document !== null && !Array.isArray(document)) return membersOf(text);
    const found = typeof document === "object" && document !== null ? kind(document) : JSON.stringify(document);
    throw this.#corrupt(`it contains ${found} instead of an object`);
  }

  /**
   * @param {string} reason
   * @param {unknown} [cause]
   */
  #corrupt(reason, cause) {
    const message = `The file ${this.#path} is not a store: ${reason}. It was left as it is; repair it, or move it away.`;
    return new PolystoreError("ERR_CORRUPT", message, { cause });
  }
}

/**
 * Decodes the record at a key: its expiry, but not always its value.
 * @param {Map<string, string>} members
 * @param {string} id
 */
function recordIn(members, id) {
  return decodeExpiry(members.get(id) ?? null);
}

/**
 * @param {Map<string, string>} members
 * @param {import("../../core/client.js").Change} change
 * @returns {boolean} True if the members changed. A member that is not a record is not removed.
 */
function makeChange(members, change) {
  const { id } = change;
  if (!isPut(change)) return isRecord(recordIn(members, id)) && members.delete(id);
  members.set(id, encodeFile(change.value, change.expires).replaceAll("\n", "\n  "));
  return true;
}

/** @param {unknown} error */
function isFull(error) {
  return error instanceof PolystoreError && error.code === "ERR_QUOTA";
}

/**
 * Returns a text that differs for each state of a file, as long as the file is kept open.
 * @param {import("node:fs").BigIntStats} stats
 */
function stampOf({ dev, ino, size, mtimeNs }) {
  return [dev, ino, size, mtimeNs].join();
}
