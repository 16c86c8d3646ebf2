import { isUtf8 } from "node:buffer";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { kind, PolystoreError } from "../../support/errors.js";
import { decodeExpiry, decodeRecord, isRecord, isSameRecord } from "../../support/record.js";
import { Batch } from "../../support/batch.js";
import { isPut } from "../../support/commits.js";
import { arrangePages } from "../../support/range.js";
import { encodeFile } from "../folder/folder_file.js";
import { membersOf } from "./json_members.js";
import { Lock } from "../../disk/lock.js";
import { replaceFile } from "../../disk/replace_file.js";
import { removeAbandoned } from "../../disk/temporary_file.js";
import {
  inTurn,
  isForbidden,
  isMissing,
  makeFolder,
  resolveLinks,
  syncFolder,
  withoutMark,
  withRoom,
} from "../../disk/text_file.js";
import { requireText } from "../../support/text_key.js";

/** Records to a page of a listing. */
const PAGE_LENGTH = 512;
/** How many Files that are idle keep what they have read, with a descriptor each: those that were used last. */
const KEPT = 64;
/** @type {Set<File>} */
const kept = new Set();

/**
 * What a call does to the members of the file; it says whether it changed them, and gives a result.
 * @typedef {object} Request
 * @property {boolean} writes
 * @property {(members: Map<string, string>) => { changed: boolean, result?: unknown }} run
 */
/** @typedef {import("../../support/batch.js").Pending<Request>} Pending */
/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Range} Range */

/** The last request, which nothing is read for. @type {Request} */
const CLOSING = { writes: false, run: () => ({ changed: false }) };

/** @param {string} url */
export function openFile(url) {
  return new File(fileURLToPath(url));
}

/**
 * A file with one JSON object, whose members are records. It is read again only when it has changed, and the calls of one tick
 * are one write. Members that nobody changes keep their text, for a program in another language may hold numbers in it that
 * JavaScript would round. The C++ library has the same format.
 */
class File {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "FILE", can: ["list", "sweeps_all"], copies: "write" };
  #path;
  /** The text of each member. @type {Map<string, string>} */
  #members = new Map();
  /**
   * The file that was read. Held open, so that its inode is not given to a new one; but on Windows, where no inode is used twice
   * and what is open cannot be replaced.
   * @type {import("node:fs/promises").FileHandle | null}
   */
  #file = null;
  /** The stamp of the file that was read; empty if none was. */
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
    return this.#read((members) => decodeRecord(members.get(id) ?? null, id));
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    return this.#write((members) => {
      let changed = false;
      const outcomes = commits.map(({ expected, changes }) => {
        const isExpected = expected.every(({ id, found }) => isSameRecord(recordIn(members, id), found));
        if (isExpected) for (const change of changes) changed = makeChange(members, change) || changed;
        return isExpected;
      });
      return { changed, result: outcomes };
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
    // All texts are in memory, for they are one file; values are made of them a page at a time.
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
    await inTurn(() => this.#load(this.#path));
    for (const { request, resolve, reject } of batch) {
      try {
        resolve(request.run(this.#members).result);
      } catch (error) {
        reject(error);
      }
    }
  }

  /** @param {Pending[]} batch */
  async #sendChanges(batch) {
    await withRoom(`Writing ${this.#path}`, async () => {
      // Now, for a link may lead elsewhere than it did.
      const target = await resolveLinks(this.#path);
      await makeFolder(dirname(target));
      // Where there may be no lock beside the file, it is at most written in place, and nobody is kept out.
      const lock = await Lock.wait(target).catch((error) => (isForbidden(error) ? null : Promise.reject(error)));
      try {
        await this.#change(target, batch);
      } finally {
        lock?.release();
      }
    });
  }

  /**
   * Does the calls of a batch. Where the disk has no room for what they make of the file together, each half is tried on its own,
   * so that one value too large fails alone.
   * @param {string} target
   * @param {Pending[]} batch
   */
  async #change(target, batch) {
    try {
      const results = await withRoom(`Writing ${target}`, () => inTurn(() => this.#changeAtOnce(target, batch)));
      for (const [i, { resolve, reject }] of batch.entries()) {
        if ("error" in results[i]) reject(results[i].error);
        else resolve(results[i].result);
      }
    } catch (error) {
      const full = error instanceof PolystoreError && error.code === "ERR_QUOTA";
      if (!full || batch.length === 1) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await this.#change(target, batch.slice(0, middle));
      await this.#change(target, batch.slice(middle));
    }
  }

  /**
   * @param {string} target
   * @param {Pending[]} batch
   */
  async #changeAtOnce(target, batch) {
    await this.#load(target);
    try {
      const outcomes = batch.map(({ request }) => {
        try {
          return request.run(this.#members);
        } catch (error) {
          // A record that cannot be read fails its own call. What is too long for a text may be short enough alone.
          if (error instanceof RangeError) throw error;
          return { changed: false, error };
        }
      });
      if (outcomes.some(({ changed }) => changed)) await this.#replace(target);
      return outcomes;
    } catch (error) {
      await this.#forget(); // What is in memory is not what is in the file.
      throw error;
    }
  }

  /** @param {string} target */
  async #replace(target) {
    const folder = dirname(target);
    if (!this.#isSwept) await removeAbandoned(folder).catch(() => {}); // It is tried again by the next one that writes there.
    this.#isSwept = true;
    const members = Array.from(this.#members, ([id, text]) => `  ${JSON.stringify(id)}: ${text}`);
    const text = members.length === 0 ? "{}" : `{\n${members.join(",\n")}\n}`;
    await this.#release();
    const stamp = stampOf(await replaceFile(target, text));
    await syncFolder(folder);
    const file = await open(target, "r");
    const isOurs = stampOf(await file.stat({ bigint: true })) === stamp;
    await this.#hold(file, stamp);
    if (!isOurs) await this.#forget(); // A program that asks for no lock has replaced it since.
  }

  /**
   * Makes the members those of the file as it is now.
   * @param {string} path
   * @returns {Promise<void>}
   */
  async #load(path) {
    const now = await stat(path, { bigint: true }).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
    if (now === null) return this.#forget();
    if (stampOf(now) === this.#stamp) return;
    await this.#forget();
    const file = await open(path, "r");
    // Looked at before it is read, so that what is written meanwhile is not missed the next time.
    const stamp = stampOf(await file.stat({ bigint: true }));
    try {
      this.#members = this.#parse(await file.readFile());
    } catch (error) {
      const isSame = stampOf(await file.stat({ bigint: true })) === stamp;
      await file.close();
      if (isSame) throw error;
      return this.#load(path); // It was being written in place.
    }
    await this.#hold(file, stamp);
  }

  /**
   * @param {import("node:fs/promises").FileHandle} file What the members are of.
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

  /** Keeps what was read for the next call, and lets the File forget that was not used for the longest time. */
  async #keep() {
    if (this.#stamp === "") return;
    kept.add(this);
    if (kept.size <= KEPT) return;
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
    throw this.#corrupt(`the outermost thing in it is ${found}, where an object was expected`);
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
 * What is at a key, with its expiry and maybe another value.
 * @param {Map<string, string>} members
 * @param {string} id
 */
function recordIn(members, id) {
  return decodeExpiry(members.get(id) ?? null);
}

/**
 * @param {Map<string, string>} members
 * @param {import("../../core/client.js").Change} change
 * @returns {boolean} Whether it made a difference: what is not a record is not removed.
 */
function makeChange(members, change) {
  const { id } = change;
  if (!isPut(change)) return isRecord(recordIn(members, id)) && members.delete(id);
  members.set(id, encodeFile(change.value, change.expires).replaceAll("\n", "\n  "));
  return true;
}

/**
 * What tells one state of a file from another, as long as that is held open.
 * @param {import("node:fs").BigIntStats} stats
 */
function stampOf({ dev, ino, size, mtimeNs }) {
  return [dev, ino, size, mtimeNs].join();
}
