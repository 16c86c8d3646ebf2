import { isUtf8 } from "node:buffer";
import { open, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { kind, PolystoreError } from "../errors.js";
import { isRecord } from "../record.js";
import { Batch } from "./batch.js";
import { withLock } from "./lock_file.js";
import { inTurn, isMissing, makeFolder, replaceFile, resolveLinks, syncFolder, withRoom } from "./text_file.js";
import { requireText } from "./text_key.js";

/** Records to a page of a listing. */
const PAGE_LENGTH = 512;

/**
 * What a call does to the members of the file; it says whether it changed them, and gives a result.
 * @typedef {object} Request
 * @property {boolean} writes
 * @property {(members: Map<string, unknown>) => { changed: boolean, result?: unknown }} run
 */
/** @typedef {import("./batch.js").Pending<Request>} Pending */

/** @param {string} url */
export async function openFile(url) {
  return new File(await resolveLinks(fileURLToPath(url)));
}

/**
 * A file with one JSON object, whose members are records. It is read again only when it has changed, and the calls of one tick
 * are one write. The C++ library has the same format.
 */
class File {
  type = "FILE";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list", "clear"];
  /** @type {"both"} */
  copies = "both";
  #path;
  /** @type {Map<string, unknown>} */
  #members = new Map();
  /** The file that was read. Held open, so that its inode is not given to a new one. @type {import("node:fs/promises").FileHandle | null} */
  #file = null;
  #stamp = "";
  /** @type {Batch<Request>} */
  #batch = new Batch((batch) => this.#send(batch));

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** @param {string} id */
  read(id) {
    checkKey(id);
    return this.#read((members) => members.get(id));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    checkKey(id);
    return this.#write((members) => {
      members.set(id, { expires, value });
      return { changed: true };
    });
  }

  /** @param {string} id */
  erase(id) {
    return this.#write((members) => ({ changed: isRecord(members.get(id)) && members.delete(id) }));
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    return this.#write((members) => {
      const stale = evicted.filter(({ id, expires }) => {
        const record = members.get(id);
        return isRecord(record) && record.expires === expires && members.delete(id);
      });
      return { changed: stale.length > 0, result: stale.length };
    });
  }

  /** @param {string} prefix */
  clear(prefix) {
    return this.#write((members) => {
      const ids = [...members].filter(([id, member]) => id.startsWith(prefix) && isRecord(member));
      for (const [id] of ids) members.delete(id);
      return { changed: ids.length > 0 };
    });
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    const entries = await this.#read((members) => [...members].filter(([id]) => id.startsWith(prefix)));
    for (let i = 0; i < entries.length; i += PAGE_LENGTH) {
      const page = entries.slice(i, i + PAGE_LENGTH);
      yield { ids: page.map(([id]) => id), found: page.map(([, member]) => member) };
    }
  }

  async close() {
    await this.#batch.add({ writes: false, run: () => ({ changed: false }) });
    await this.#forget();
  }

  /**
   * @template Result
   * @param {(members: Map<string, unknown>) => Result} look
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
    if (!batch.some(({ request }) => request.writes)) {
      await inTurn(() => this.#load());
      for (const { request, resolve } of batch) resolve(request.run(this.#members).result);
      return;
    }
    await withRoom(`Writing ${this.#path}`, async () => {
      await makeFolder(dirname(this.#path));
      await withLock(`${this.#path}.lock`, () => this.#change(batch));
    });
  }

  /**
   * Does the calls of a batch. Where the disk has no room for what they make of the file together, each half is tried on its own,
   * so that one value too large fails alone.
   * @param {Pending[]} batch
   */
  async #change(batch) {
    try {
      const results = await withRoom(`Writing ${this.#path}`, () => inTurn(() => this.#changeAtOnce(batch)));
      for (const [i, { resolve }] of batch.entries()) resolve(results[i]);
    } catch (error) {
      const full = error instanceof PolystoreError && error.code === "ERR_QUOTA";
      if (!full || batch.length === 1) {
        for (const { reject } of batch) reject(error);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await this.#change(batch.slice(0, middle));
      await this.#change(batch.slice(middle));
    }
  }

  /** @param {Pending[]} batch */
  async #changeAtOnce(batch) {
    await this.#load();
    try {
      const outcomes = batch.map(({ request }) => request.run(this.#members));
      if (outcomes.some(({ changed }) => changed)) {
        const text = JSON.stringify(Object.fromEntries(this.#members), null, 2);
        await this.#keep(await replaceFile(this.#path, text));
        await syncFolder(dirname(this.#path));
      }
      return outcomes.map(({ result }) => result);
    } catch (error) {
      await this.#forget(); // What is in memory is not what is in the file.
      throw error;
    }
  }

  /** Makes the members those of the file as it is now. */
  async #load() {
    const now = await stat(this.#path, { bigint: true }).catch((error) =>
      isMissing(error) ? null : Promise.reject(error),
    );
    if (now === null) return this.#forget();
    if (this.#file && stampOf(now) === this.#stamp) return;
    await this.#forget();
    const file = await open(this.#path, "r");
    try {
      // Looked at before it is read, so that what is written meanwhile is not missed the next time.
      await this.#keep(file);
      this.#members = this.#parse(await file.readFile());
    } catch (error) {
      await this.#forget();
      throw error;
    }
  }

  /** @param {import("node:fs/promises").FileHandle} file */
  async #keep(file) {
    await this.#file?.close();
    this.#file = file;
    this.#stamp = stampOf(await file.stat({ bigint: true }));
  }

  async #forget() {
    const file = this.#file;
    this.#file = null;
    this.#members = new Map();
    await file?.close();
  }

  /** @param {Buffer} bytes */
  #parse(bytes) {
    if (!isUtf8(bytes)) throw this.#corrupt("its bytes are not UTF-8");
    const text = bytes.toString();
    if (text === "") return new Map();
    /** @type {unknown} */
    let document;
    try {
      document = JSON.parse(text);
    } catch (error) {
      throw this.#corrupt(/** @type {Error} */ (error).message, error);
    }
    if (typeof document === "object" && document !== null && !Array.isArray(document)) {
      return new Map(Object.entries(document));
    }
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

/** @param {string} id */
function checkKey(id) {
  requireText(id, "a JSON file that C++ reads too");
}

/**
 * What tells one state of a file from another, as long as that is held open.
 * @param {import("node:fs").BigIntStats} stats
 */
function stampOf({ dev, ino, size, mtimeNs }) {
  return [dev, ino, size, mtimeNs].join();
}
