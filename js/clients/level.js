import { decodeRecord, encodeRecord, isRecord } from "../record.js";
import { Batch } from "./batch.js";
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
/** @typedef {import("./batch.js").Pending<Request>} Pending */

/** An `abstract-level`: each value is the JSON text of a record. Calls of one tick are one atomic batch, or one `getMany`. */
export class Level {
  type = "LEVEL";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list"];
  /** @type {"write"} */
  copies = "write";
  #database;
  /** @type {Batch<Request>} */
  #batch = new Batch((batch) => this.#send(batch));

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
    // What was called before the listing is there when the queue has come to it.
    await this.#batch.add({ type: "evict", evicted: [] });
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

  /** @param {Pending[]} batch */
  async #send(batch) {
    for (let i = 0; i < batch.length;) {
      const run = runFrom(batch, i);
      i += run.length;
      try {
        const results = await this.#perform(run.map(({ request }) => request));
        for (const [j, { resolve }] of run.entries()) resolve(results[j]);
      } catch (error) {
        for (const { reject } of run) reject(error);
      }
    }
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
 * The requests from here on that go to the database together: reads, or writes, or one eviction, which is both.
 * @param {Pending[]} batch
 * @param {number} start
 */
function runFrom(batch, start) {
  const kind = (/** @type {number} */ i) => (batch[i].request.type === "del" ? "put" : batch[i].request.type);
  let end = start + 1;
  while (end < batch.length && kind(end) === kind(start) && kind(start) !== "evict") ++end;
  return batch.slice(start, end);
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "Level");
  return id;
}
