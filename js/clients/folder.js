import { isUtf8 } from "node:buffer";
import { readFileSync } from "node:fs";
import { link, readdir, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { randomUUID } from "node:crypto";
import { fileURLToPath } from "node:url";
import { PolystoreTypeError, show } from "../errors.js";
import { decodeRecord, isRecord } from "../record.js";
import { KeyQueue } from "./key_queue.js";
import { inTurn, isMissing, makeFolder, readIfThere, replaceFile, syncFolder, withRoom } from "./text_file.js";
import { requireText } from "./text_key.js";

const EXTENSION = ".json";
/** What the file systems of Linux, macOS and Windows allow, in bytes. */
const LONGEST_NAME = 255;
/** Files that a listing reads without a pause. */
const PAGE_LENGTH = 128;

/** @param {string} url */
export function openFolder(url) {
  return new Folder(fileURLToPath(url));
}

/** A folder with a file a record. Calls on one key take place in their order. The C++ library has the same format. */
class Folder {
  type = "FOLDER";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"write"} */
  copies = "write";
  #path;
  #queue = new KeyQueue();

  /** @param {string} path */
  constructor(path) {
    this.#path = path;
  }

  /** @param {string} id */
  read(id) {
    const path = this.#pathTo(id);
    return this.#afterwards(id, async () => decodeRecord(await readIfThere(path)));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    const path = this.#pathTo(id);
    const text = JSON.stringify({ expires, value }, null, 2);
    return this.#afterwards(id, () =>
      withRoom(`Writing ${path}`, async () => {
        await makeFolder(this.#path);
        const file = await replaceFile(path, text);
        await file.close();
      }),
    );
  }

  /** @param {string} id */
  erase(id) {
    const path = this.#pathTo(id);
    return this.#afterwards(id, async () => {
      if (!isRecord(decodeRecord(await readIfThere(path)))) return;
      await rm(path, { force: true });
      await syncFolder(this.#path);
    });
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  async evict(evicted) {
    const results = await Promise.all(
      evicted.map(({ id, expires }) => this.#afterwards(id, () => this.#evictOne(id, expires))),
    );
    await syncFolder(this.#path);
    return results.filter(Boolean).length;
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    await this.#queue.idle();
    const found = await readdir(this.#path, { withFileTypes: true }).catch((error) =>
      isMissing(error) ? [] : Promise.reject(error),
    );
    const ids = [];
    for (const entry of found) {
      const id = keyOf(entry.name);
      if (id?.startsWith(prefix) && (entry.isFile() || (await this.#leadsToFile(entry)))) ids.push(id);
    }
    for (let i = 0; i < ids.length; i += PAGE_LENGTH) {
      const page = ids.slice(i, i + PAGE_LENGTH);
      yield { ids: page, found: page.map((id) => this.#readNow(id)) };
      await null;
    }
  }

  /**
   * Whether something that is no file is a link to one: a folder is other code's, and a pipe would wait for its writer.
   * @param {import("node:fs").Dirent} entry
   */
  async #leadsToFile(entry) {
    if (!entry.isSymbolicLink()) return false;
    const status = await stat(join(this.#path, entry.name)).catch(() => null);
    return status?.isFile() ?? false;
  }

  /**
   * Without a promise, which for a file of this size costs several times as much as reading it.
   * @param {string} id
   */
  #readNow(id) {
    try {
      const path = this.#pathTo(id);
      const text = readFileSync(path, "utf8");
      // Rare, and either in the file or in the place of what is no UTF-8, as which it is cheaper to read.
      return text.includes("\uFFFD") && !isUtf8(readFileSync(path)) ? undefined : decodeRecord(text);
    } catch (error) {
      if (isMissing(error)) return undefined; // Removed since the folder was listed.
      throw error;
    }
  }

  /**
   * Moved aside first, because another process may have written anew since the record was read.
   * @param {string} id
   * @param {number | null} expires
   */
  async #evictOne(id, expires) {
    const path = this.#pathTo(id);
    if (decodeRecord(await readIfThere(path))?.expires !== expires) return false;
    const aside = join(this.#path, `.polystore-${randomUUID()}.tmp`);
    try {
      await rename(path, aside);
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    const evicted = decodeRecord(await readIfThere(aside))?.expires === expires;
    if (!evicted) {
      // Unless somebody wrote yet another: that one is newer.
      await link(aside, path).catch((error) => (error.code === "EEXIST" ? undefined : Promise.reject(error)));
    }
    await rm(aside);
    return evicted;
  }

  /**
   * @template Result
   * @param {string} id
   * @param {() => Promise<Result>} action
   */
  #afterwards(id, action) {
    return this.#queue.add(id, () => inTurn(action));
  }

  /** @param {string} id */
  #pathTo(id) {
    return join(this.#path, nameOf(id));
  }
}

/** @param {string} id */
function encode(id) {
  return encodeURIComponent(id).replaceAll("*", "%2A"); // Which Windows does not allow in a name.
}

/**
 * @param {string} id
 * @returns {string}
 */
function nameOf(id) {
  requireText(id, "a file name");
  const name = encode(id) + EXTENSION;
  if (name.length <= LONGEST_NAME) return name;
  const message = `The key ${show(id)} makes a file name of ${name.length} bytes, and no file system allows more than 255. Use a shorter key, or one file for all (file://….json).`;
  throw new PolystoreTypeError("ERR_KEY", message);
}

/**
 * @param {string} name
 * @returns {string | undefined} Nothing for the name of another's file.
 */
function keyOf(name) {
  if (!name.endsWith(EXTENSION) || name.length > LONGEST_NAME) return undefined;
  const encoded = name.slice(0, -EXTENSION.length);
  try {
    const id = decodeURIComponent(encoded);
    return encode(id) === encoded ? id : undefined;
  } catch {
    return undefined; // Such as 100%.json.
  }
}
