import { PolystoreError, PolystoreTypeError, quotaError, show } from "../errors.js";
import { decodeValue, isRecord } from "../record.js";
import { Batch, inRuns } from "./batch.js";
import { requireColumns } from "./kv_table.js";
import { rangeOfPrefix, requireText } from "./text_key.js";

/** Rows to a page of a listing. */
const PAGE_LENGTH = 1000;
/** How often a statement is sent that lost a conflict with another; of those that conflict, one gets through. */
const ATTEMPTS = 10;

/** What there is, without a lock or a right that those who merely use the table may lack. */
const LOOK = `
  SELECT
    (SELECT string_agg(attname::text, ', ') FROM pg_attribute
     WHERE attrelid = to_regclass('kv') AND attnum > 0 AND NOT attisdropped) AS columns,
    (SELECT count(*)::text FROM pg_index WHERE indrelid = to_regclass('kv')
     AND indexrelid IN (to_regclass('idx_kv_expires_at'), to_regclass('idx_kv_id_c'))) AS indexes`;
/**
 * One statement after the other under a lock: CREATE … IF NOT EXISTS, run by two clients at once, fails in one of them.
 * @param {string} statements
 */
const underLock = (statements) =>
  `DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('polystore kv')); ${statements} END $$`;
const MAKE_TABLE = underLock(
  "CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at TIMESTAMPTZ);",
);
// Who may not make them goes without, which is only slower.
const MAKE_INDEXES = underLock(`
  CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at);
  CREATE INDEX IF NOT EXISTS idx_kv_id_c ON kv (id COLLATE "C");
  EXCEPTION WHEN insufficient_privilege OR read_only_sql_transaction THEN NULL;`);

// Exact: PostgreSQL computes it as a decimal number, and milliseconds have not more digits than a float8 holds.
const EXPIRES = "(extract(epoch FROM expires_at) * 1000)::float8";
const RECORD = `value, ${EXPIRES} AS expires`;
// With a letter before the key, for PGlite takes a U+FEFF off the beginning of a text.
const ROW = `'k' || id AS key, ${RECORD}`;
/** The keys from the first parameter on, up to the second if that is not null, by code point whatever the database's order. */
const IN_RANGE = `id COLLATE "C" >= $1 AND ($2::text IS NULL OR id COLLATE "C" < $2)`;
/** The next page of them: those after the third parameter. */
const PAGE = `AND ($3::text IS NULL OR id COLLATE "C" > $3) ORDER BY id COLLATE "C" LIMIT ${PAGE_LENGTH}`;
const UPSERT = "ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at";

const READ_ONE = `SELECT ${RECORD} FROM kv WHERE id = $1`;
const READ = `SELECT ${ROW} FROM kv WHERE id = ANY($1::text[])`;
const WRITE_ONE = `INSERT INTO kv (id, value, expires_at) VALUES ($1, $2, $3) ${UPSERT}`;
const WRITE = `
  INSERT INTO kv (id, value, expires_at) SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) ${UPSERT}`;
const ERASE_ONE = "DELETE FROM kv WHERE id = $1";
// Whoever locks several rows does so in one order, else two of them would wait for each other.
const ERASE = `
  WITH locked AS (SELECT id FROM kv WHERE id = ANY($1::text[]) ORDER BY id COLLATE "C" FOR UPDATE)
  DELETE FROM kv USING locked WHERE kv.id = locked.id`;
const EVICT = `
  WITH given AS (SELECT * FROM unnest($1::text[], $2::float8[]) AS given (id, expires)),
    locked AS (SELECT id, expires FROM kv JOIN given USING (id) ORDER BY id COLLATE "C" FOR UPDATE OF kv)
  DELETE FROM kv USING locked WHERE kv.id = locked.id AND ${EXPIRES} IS NOT DISTINCT FROM locked.expires`;
const LIST_ALL = `SELECT ${ROW} FROM kv`;
const LIST = `${LIST_ALL} WHERE ${IN_RANGE}`;
const LIST_PAGE = `${LIST} ${PAGE}`;
const LIST_EXPIRED = `${LIST} AND ($4::timestamptz IS NULL OR expires_at <= $4) ${PAGE}`;

/** @typedef {import("./client.js").Evicted} Evicted */
/** @typedef {{ type: "read" | "write" | "erase", id: string, text?: string, expires?: number | null }} Single */
/** What goes alone, in its place among the others. @typedef {{ type: "other", run: () => Promise<unknown> }} Other */
/** @typedef {{ key: string, value: string, expires: number | null }} Row */
/** @typedef {[start: string, end: string | null]} Range */

/**
 * A Client or a Pool of `pg`, or of what is made like it, or a PGlite.
 * @param {any} client
 */
export async function openPostgres(client) {
  // A connection that is lost while nobody uses it ends the process if nobody listens. Whoever makes a call learns of it.
  client.off?.("error", ignore); // Of the time before.
  client.on?.("error", ignore);
  if (isPgClient(client)) await connect(client);
  const [{ columns, indexes }] = (await client.query(LOOK)).rows;
  if (columns === null) await client.query(MAKE_TABLE);
  else requireColumns(columns.split(", "), "give kv() a connection whose search_path begins with another schema");
  if (indexes !== "2") await client.query(MAKE_INDEXES);
  return new Postgres(client);
}

/** @param {any} client */
export function endPostgres(client) {
  if (client.ending || client.closed) return undefined; // Its owner closed it.
  return client.end ? client.end() : client.close();
}

const ignore = () => {};

/** Not a Pool, whose connect() gives one of its clients. @param {any} client */
const isPgClient = (client) => typeof client._connected === "boolean";

/** @param {any} client */
async function connect(client) {
  // It would wait for ever.
  if (client._ended || client._connectionError) {
    const message =
      "This Client of pg has lost its connection, or never had one, and cannot connect again: give kv() a new one, or a Pool, which connects as often as needed.";
    throw new PolystoreError("ERR_CLIENT", message);
  }
  if (!client._connected && !client._connecting) await client.connect();
}

/** PostgreSQL: each row of the table `kv`, which is polystore's, is a record. Calls of one tick are few statements. */
class Postgres {
  type = "POSTGRES";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #client;
  /** @type {Batch<Single | Other>} */
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
    return this.#alone(() => this.#evict(evicted));
  }

  /**
   * @param {string} prefix
   * @param {import("./client.js").Wanted} wanted
   */
  async *pages(prefix, wanted) {
    const range = rangeOf(prefix);
    if (!range) return;
    if (wanted !== "stream") {
      // To compare every key with nothing would take a tenth of the time.
      yield toPage(await this.#alone(() => (prefix === "" ? this.#select(LIST_ALL, []) : this.#select(LIST, range))));
      return;
    }
    /** @type {string | null} */
    let last = null;
    for (;;) {
      /** @type {Row[]} */
      const rows = await this.#alone(() => this.#select(LIST_PAGE, [...range, last]));
      yield toPage(rows);
      if (rows.length < PAGE_LENGTH) return;
      last = idOf(rows[rows.length - 1]);
    }
  }

  /** @param {string} prefix */
  clear(prefix) {
    return this.#alone(() => this.#sweep(prefix, null));
  }

  /** @param {string} prefix */
  prune(prefix) {
    const now = toTimestamp(Date.now());
    return this.#alone(() => this.#sweep(prefix, now));
  }

  close() {
    return endPostgres(this.#client);
  }

  giveUp() {
    this.#batch.giveUp();
  }

  /**
   * @template Result
   * @param {() => Promise<Result>} run
   * @returns {Promise<Result>}
   */
  #alone(run) {
    return this.#batch.add({ type: "other", run });
  }

  /**
   * @param {(Single | Other)[]} requests Of one type.
   * @returns {Promise<unknown[]>}
   */
  async #perform(requests) {
    const [first] = requests;
    if (first.type === "other") return [await first.run()];
    const singles = /** @type {Single[]} */ (requests);
    if (first.type === "read") return this.#read(singles.map(({ id }) => id));
    if (first.type === "write") return this.#write(singles);
    const ids = singles.map(({ id }) => id);
    await (ids.length === 1 ? this.#query(ERASE_ONE, ids) : this.#query(ERASE, [ids]));
    return [];
  }

  /** @param {string[]} ids */
  async #read(ids) {
    if (ids.length === 1) return this.#select(READ_ONE, ids);
    const found = new Map((await this.#select(READ, [ids])).map((row) => [idOf(row), row]));
    return ids.map((id) => found.get(id));
  }

  /** @param {Single[]} requests */
  async #write(requests) {
    /** @type {Map<Single, unknown>} */
    const errors = new Map();
    await this.#writeSome(requests, errors);
    return requests.map((request) => (errors.has(request) ? Promise.reject(errors.get(request)) : undefined));
  }

  /**
   * Writes in one statement; if that fails for the sake of one record, in two, until those that fail are alone.
   * @param {Single[]} requests
   * @param {Map<Single, unknown>} errors Receives what failed.
   */
  async #writeSome(requests, errors) {
    try {
      // One statement may not write a row twice: the last one counts.
      const last = [...new Map(requests.map((request) => [request.id, request])).values()];
      if (last.length === 1) await this.#query(WRITE_ONE, columnsOf(last[0]));
      else await this.#query(WRITE, transposed(last.sort(byId).map(columnsOf)));
    } catch (error) {
      if (requests.length === 1) return void errors.set(requests[0], writeError(requests[0].id, error));
      if (!mayBeOfOne(error)) throw error;
      const middle = requests.length >> 1;
      await this.#writeSome(requests.slice(0, middle), errors);
      await this.#writeSome(requests.slice(middle), errors);
    }
  }

  /** @param {Evicted[]} evicted */
  async #evict(evicted) {
    if (evicted.length === 0) return 0;
    const { rowCount, affectedRows } = await this.#query(
      EVICT,
      transposed(evicted.map(({ id, expires }) => [id, expires])),
    );
    return rowCount ?? affectedRows; // Of pg, or of PGlite.
  }

  /**
   * Deletes records, and no rows of other code.
   * @param {string} prefix
   * @param {string | null} until Only those that expire until then.
   */
  async #sweep(prefix, until) {
    const range = rangeOf(prefix);
    let count = 0;
    /** @type {string | null} */
    let last = null;
    while (range) {
      /** @type {Row[]} */
      const rows = await this.#select(LIST_EXPIRED, [...range, last, until]);
      const records = rows.filter((row) => isRecord(toRecord(row)));
      count += await this.#evict(records.map((row) => ({ id: idOf(row), expires: row.expires })));
      if (rows.length < PAGE_LENGTH) break;
      last = idOf(rows[rows.length - 1]);
    }
    return count;
  }

  /**
   * @param {string} text
   * @param {unknown[]} values
   * @returns {Promise<Row[]>}
   */
  async #select(text, values) {
    return (await this.#query(text, values)).rows;
  }

  /**
   * @param {string} text
   * @param {unknown[]} values
   * @returns {Promise<any>}
   */
  async #query(text, values) {
    let conflict;
    for (let attempt = 1; ; ++attempt) {
      try {
        return await this.#client.query(text, values);
      } catch (error) {
        // In a transaction of the user's there is no second attempt.
        if (conflict && isError(error, "25P02")) throw conflict;
        if (attempt === ATTEMPTS || !isError(error, "40P01", "40001")) throw error;
        conflict = error;
      }
    }
  }
}

/**
 * What is one statement.
 * @param {Single | Other} request
 */
function kindOf({ type }) {
  return type === "other" ? undefined : type;
}

/** @param {Single} request */
function columnsOf({ id, text, expires = null }) {
  return [id, text, expires === null ? null : toTimestamp(expires)];
}

/** @param {unknown[][]} rows @returns {unknown[][]} */
function transposed(rows) {
  return rows[0].map((_, i) => rows.map((row) => row[i]));
}

/** The order in which rows are locked. @param {Single} a @param {Single} b */
function byId(a, b) {
  return a.id < b.id ? -1 : 1;
}

/**
 * An instant as PostgreSQL reads it, which writes years after 9999 without a sign.
 * @param {number} ms
 */
function toTimestamp(ms) {
  return new Date(ms).toISOString().replace(/^\+0*/, "");
}

/**
 * Whether an error of the server has one of these codes, or begins with them.
 * @param {any} error
 * @param {string[]} codes
 */
function isError(error, ...codes) {
  return codes.some((code) => String(error?.code).startsWith(code));
}

/**
 * Whether a statement that writes several records may have failed because of one: its data, its length, or a rule or a
 * trigger of the table's owner.
 * @param {unknown} error
 */
function mayBeOfOne(error) {
  return error instanceof RangeError || isError(error, "22", "23", "42501", "54", "P0");
}

/**
 * @param {string} id
 * @param {any} error
 */
function writeError(id, error) {
  if (isError(error, "53100")) return quotaError(`POSTGRES set(${show(id)})`, { cause: error });
  if (!isError(error, "54000") || !/index row/.test(error.message)) return error;
  const message = `The key ${show(id)} is too long for Postgres, whose index holds some 2,700 bytes of a key: take a shorter one, such as its hash.`;
  return new PolystoreTypeError("ERR_KEY", message, { cause: error });
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "Postgres");
  if (!id.includes("\0")) return id;
  const message = `The key ${show(id)} has the character U+0000, which Postgres cannot hold: encode it first.`;
  throw new PolystoreTypeError("ERR_KEY", message);
}

/** @param {string} prefix @returns {Range | null} Null if no key can have it. */
function rangeOf(prefix) {
  return prefix.includes("\0") ? null : rangeOfPrefix(prefix);
}

/** @param {Row} row */
function idOf({ key }) {
  return key.slice(1);
}

/** @param {Row} [row] */
function toRecord(row) {
  return row && { expires: row.expires, value: decodeValue(row.value) };
}

/** @param {Row[]} rows */
function toPage(rows) {
  return { ids: rows.map(idOf), found: rows.map(toRecord) };
}
