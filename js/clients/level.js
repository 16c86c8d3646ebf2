import { decodeRecord, encodeRecord, isRecord } from "../record.js";
import { Batch, inRuns } from "./batch.js";
import { requireText } from "./text_key.js";

/** Records to a page of a listing. */
const PAGE_LENGTH = 1000;
// Said at every call, so that it does not matter which encodings the database was opened with. Text, and not JSON as with
// polystore, because one value that is not JSON would end a whole listing; the bytes are the same.
const TEXT = { keyEncoding: "utf8", valueEncoding: "utf8" };

/**
 * @typedef {object} Request
 * @property {"get" | "put" | "del" | "evict"} type
 * @property {string} [key]
 * @property {string} [value]
 * @property {import("./client.js").Evicted[]} [evicted]
 */

/** An `abstract-level`: each value is the JSON text of a record. Calls of one tick are one atomic batch, or one `getMany`. */
export class Level {
  type = "LEVEL";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"write"} */
  copies = "write";
  #database;
  /** @type {Batch<Request>} */
  #batch = new Batch(inRuns(kindOf, (requests) => this.#perform(requests)));

  /** @param {any} database */
  constructor(database) {
    this.#database = database;
  }

  /** @param {string} id */
  async read(id) {
    return decodeRecord((await this.#batch.add({ type: "get", key: keyOf(id) })) ?? null);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  async write(id, value, expires) {
    await this.#batch.add({ type: "put", key: keyOf(id), value: encodeRecord(value, expires) });
  }

  /** @param {string} id */
  async erase(id) {
    await this.#batch.add({ type: "del", key: keyOf(id) });
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    return this.#batch.add({ type: "evict", evicted });
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    await this.evict([]); // What was called before the listing comes before it.
    // Level's ranges have no end for a prefix whose last character is the last there is: hence the look at each key.
    const iterator = this.#database.iterator({ gte: keyOf(prefix), ...TEXT });
    try {
      for (;;) {
        const entries = /** @type {[string, string][]} */ (await iterator.nextv(PAGE_LENGTH));
        const inside = entries.filter(([id]) => id.startsWith(prefix));
        yield { ids: inside.map(([id]) => id), found: inside.map(([, text]) => decodeRecord(text)) };
        if (entries.length === 0 || inside.length < entries.length) return;
      }
    } finally {
      await iterator.close();
    }
  }

  close() {
    return this.#database.close();
  }

  /**
   * @param {Request[]} requests Of one kind.
   * @returns {Promise<unknown[]>}
   */
  async #perform(requests) {
    const [{ type, evicted = [] }] = requests;
    if (type === "get")
      return this.#database.getMany(
        requests.map(({ key }) => key),
        TEXT,
      );
    if (type === "evict") return [await this.#evict(evicted)];
    await this.#database.batch(requests, TEXT);
    return [];
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  async #evict(evicted) {
    if (evicted.length === 0) return 0;
    const texts = await this.#database.getMany(
      evicted.map(({ id }) => id),
      TEXT,
    );
    const stale = evicted.filter(({ expires }, i) => {
      const record = decodeRecord(texts[i] ?? null);
      return isRecord(record) && record.expires === expires;
    });
    await this.#database.batch(
      stale.map(({ id }) => ({ type: "del", key: id })),
      TEXT,
    );
    return stale.length;
  }
}

/**
 * What goes to the database together: reads, or writes. An eviction, which is both, goes alone.
 * @param {Request} request
 */
function kindOf({ type }) {
  if (type === "evict") return undefined;
  return type === "get" ? "read" : "write";
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "Level");
  return id;
}
