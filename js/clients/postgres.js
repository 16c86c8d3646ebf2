import { PolystoreTypeError, show } from "../errors.js";
import { decodeValue } from "../record.js";
import { Batch, inRuns } from "./batch.js";
import { endOfPrefix, requireText } from "./text_key.js";

/** Rows to a page of a listing. */
const PAGE_LENGTH = 1000;
// One statement after the other under a lock: CREATE … IF NOT EXISTS, run by two clients at once, fails in one of them.
const SCHEMA = `
  DO $$ BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('polystore kv'));
    CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at TIMESTAMPTZ);
    CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at);
    CREATE INDEX IF NOT EXISTS idx_kv_id_c ON kv (id COLLATE "C");
  END $$`;
// With a letter before the key, for PGlite takes a U+FEFF off the beginning of a text.
const COLUMNS = "'k' || id AS key, value, (extract(epoch FROM expires_at) * 1000)::float8 AS expires";
/** The keys from the first parameter on, up to the second if that is not null, by code point whatever the database's order. */
const IN_RANGE = `id COLLATE "C" >= $1 AND ($2::text IS NULL OR id COLLATE "C" < $2)`;

const READ = `SELECT ${COLUMNS} FROM kv WHERE id = ANY($1::text[])`;
const WRITE = `
  INSERT INTO kv (id, value, expires_at)
  SELECT id, value, to_timestamp(expires / 1000)
  FROM unnest($1::text[], $2::text[], $3::float8[]) AS given (id, value, expires)
  ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at`;
const ERASE = "DELETE FROM kv WHERE id = ANY($1::text[])";
const EVICT = `
  DELETE FROM kv USING unnest($1::text[], $2::float8[]) AS given (id, expires)
  WHERE kv.id = given.id AND kv.expires_at IS NOT DISTINCT FROM to_timestamp(given.expires / 1000)`;
const LIST = `
  SELECT ${COLUMNS} FROM kv WHERE ${IN_RANGE} AND ($3::text IS NULL OR id COLLATE "C" > $3)
  ORDER BY id COLLATE "C" LIMIT ${PAGE_LENGTH}`;
const PRUNE = `DELETE FROM kv WHERE ${IN_RANGE} AND expires_at <= to_timestamp($3::float8 / 1000)`;

/** @typedef {import("./client.js").Evicted} Evicted */
/** @typedef {{ type: "read" | "write" | "erase", id: string, text?: string, expires?: number | null }} Single */
/** @typedef {Single | { type: "evict", evicted: Evicted[] }} Request */
/** @typedef {{ key: string, value: string, expires: number | null }} Row */

/**
 * A Client or a Pool of `pg`, or a PGlite.
 * @param {any} client
 */
export async function openPostgres(client) {
  // A connection that is lost while nobody uses it ends the process if nobody listens. Whoever makes a call learns of it.
  client.on?.("error", () => {});
  const isPool = "totalCount" in client;
  if (!isPool && client._connected === false && !client._connecting) await client.connect();
  await client.query(SCHEMA);
  return new Postgres(client);
}

/** PostgreSQL: each row of the table `kv`, which is polystore's, is a record. Calls of one tick are few statements. */
class Postgres {
  type = "POSTGRES";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list", "prune"];
  /** @type {"write"} */
  copies = "write";
  #client;
  /** @type {Batch<Request>} */
  #batch = new Batch(inRuns(kindOf, (requests) => this.#perform(requests)));

  /** @param {any} client */
  constructor(client) {
    this.#client = client;
  }

  /** @param {string} id */
  async read(id) {
    return toRecord(await this.#batch.add({ type: "read", id: keyOf(id) }));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    return this.#batch.add({ type: "write", id: keyOf(id), text: JSON.stringify(value), expires });
  }

  /** @param {string} id */
  erase(id) {
    return this.#batch.add({ type: "erase", id: keyOf(id) });
  }

  /** @param {Evicted[]} evicted */
  evict(evicted) {
    return this.#batch.add({ type: "evict", evicted });
  }

  /** @param {string} prefix */
  async *pages(prefix) {
    await this.evict([]); // What was called before the listing comes before it.
    const range = rangeOf(prefix);
    /** @type {string | null} */
    let last = null;
    for (;;) {
      /** @type {{ rows: Row[] }} */
      const { rows } = await this.#client.query(LIST, [...range, last]);
      yield { ids: rows.map(idOf), found: rows.map(toRecord) };
      if (rows.length < PAGE_LENGTH) return;
      last = idOf(rows[rows.length - 1]);
    }
  }

  /** @param {string} prefix */
  async prune(prefix) {
    await this.evict([]);
    return countOf(await this.#client.query(PRUNE, [...rangeOf(prefix), Date.now()]));
  }

  close() {
    return this.#client.end ? this.#client.end() : this.#client.close();
  }

  /**
   * @param {Request[]} requests Of one type.
   * @returns {Promise<unknown[]>}
   */
  async #perform(requests) {
    const [first] = requests;
    if (first.type === "evict") return [await this.#evict(first.evicted)];
    const singles = /** @type {Single[]} */ (requests);
    const ids = singles.map(({ id }) => id);
    if (first.type === "read") {
      /** @type {{ rows: Row[] }} */
      const { rows } = await this.#client.query(READ, [ids]);
      const found = new Map(rows.map((row) => [idOf(row), row]));
      return ids.map((id) => found.get(id));
    }
    if (first.type === "erase") {
      await this.#client.query(ERASE, [ids]);
      return [];
    }
    // One statement may not write a row twice: the last one counts.
    const last = [...new Map(singles.map((request) => [request.id, request])).values()];
    const columns = [last.map(({ id }) => id), last.map(({ text }) => text), last.map(({ expires }) => expires)];
    await this.#client.query(WRITE, columns);
    return [];
  }

  /** @param {Evicted[]} evicted */
  async #evict(evicted) {
    if (evicted.length === 0) return 0;
    const columns = [evicted.map(({ id }) => id), evicted.map(({ expires }) => expires)];
    return countOf(await this.#client.query(EVICT, columns));
  }
}

/**
 * What is one statement. An eviction, of several records already, goes alone.
 * @param {Request} request
 */
function kindOf({ type }) {
  return type === "evict" ? undefined : type;
}

/** @param {{ rowCount?: number, affectedRows?: number }} result Of pg, or of PGlite. */
function countOf({ rowCount, affectedRows = 0 }) {
  return rowCount ?? affectedRows;
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "Postgres");
  if (!id.includes("\0")) return id;
  const message = `The key ${show(id)} has the character U+0000, which Postgres cannot hold: encode it first.`;
  throw new PolystoreTypeError("ERR_KEY", message);
}

/**
 * @param {string} prefix
 * @returns {[start: string, end: string | null]}
 */
function rangeOf(prefix) {
  return [keyOf(prefix), endOfPrefix(prefix)];
}

/** @param {Row} row */
function idOf({ key }) {
  return key.slice(1);
}

/** @param {Row | undefined} row */
function toRecord(row) {
  return row && { expires: row.expires, value: decodeValue(row.value) };
}
