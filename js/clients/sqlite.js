import { PolystoreError, quotaError, show } from "../support/errors.js";
import { decodeValue, isRecord, parseValue, WITHOUT_EXPIRY } from "../support/record.js";
import { requireColumns } from "./kv_table.js";
import { PAGE_BYTES, sizeOf } from "../support/page_bytes.js";
import { rangeOfPrefix, requireText } from "../support/text_key.js";

/** Rows to a page of a listing. */
const PAGE_LENGTH = 1000;
/** From one key on, up to another, or to the end of all texts: SQLite sorts blobs behind them, the empty one first. */
const IN_RANGE = "id >= ? AND id < coalesce(?, x'')";
/** A record for sure. What is none was put there by other code; SQLite's JSON is less deep than ours, so some is ours. */
const IS_RECORD = "(typeof(value) = 'text' AND json_valid(value) AND value <> 'null')";
// A number in JavaScript also where the database gives integers as BigInt, or cannot give one that large.
const EXPIRES = "CAST(expires_at AS REAL) AS expires";

/** @typedef {{ id: string, value: unknown, expires: number | null }} Row */

/**
 * A prepared statement, of whichever library.
 * @typedef {object} Statement
 * @property {(...values: unknown[]) => any} get
 * @property {(...values: unknown[]) => any[]} all
 * @property {(...values: unknown[]) => Iterable<any>} [iterate]
 * @property {(...values: unknown[]) => any} run
 * @property {() => void} [finalize]
 */

/** A database of node:sqlite, better-sqlite3 or bun:sqlite: each row of the table `kv`, which is polystore's, is a record. */
export class Sqlite {
  type = "SQLITE";
  /** @type {import("../core/client.js").Client["can"]} */
  can = ["list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #database;
  #statements;

  /** @param {any} database */
  constructor(database) {
    this.#database = database;
    if (database.isOpen === false) database.open(); // As node:sqlite has it.
    const prepare = (/** @type {string} */ sql) => /** @type {Statement} */ (database.prepare(sql));
    const look = (/** @type {string} */ sql) => {
      const statement = prepare(sql);
      const rows = statement.all?.(); // There may be no such method: then it is another library.
      statement.finalize?.();
      return rows;
    };
    requireAnswers(look);
    makeTable(database, look);
    const inRange = `FROM kv WHERE ${IN_RANGE}`;
    const page = `${inRange} ORDER BY id LIMIT ${PAGE_LENGTH}`;
    const sweep = (/** @type {string} */ from) => ({
      records: prepare(`DELETE ${from} AND ${IS_RECORD} RETURNING 1`),
      others: prepare(`SELECT id, value, ${EXPIRES} ${from} AND NOT ${IS_RECORD}`),
    });
    // Prepared once; SQLite compiles a statement in about the time in which it runs one.
    this.#statements = {
      read: prepare(`SELECT value, ${EXPIRES} FROM kv WHERE id = ?`),
      // Half the time of INSERT OR REPLACE, which deletes the row first, from each index too.
      write: prepare(`
        INSERT INTO kv (id, value, expires_at) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`),
      erase: prepare("DELETE FROM kv WHERE id = ?"),
      evict: prepare("DELETE FROM kv WHERE id = ? AND expires_at IS ? RETURNING 1"),
      list: prepare(`SELECT id, value, ${EXPIRES} ${page}`),
      // In one row: to make an object of each takes a library three times as long as SQLite takes for all the rest.
      listKeys: prepare(`
        SELECT count(*) AS count, max(id) AS last,
          json_group_array(id) FILTER (WHERE is_record AND expires_at IS NULL) AS lasting,
          json_group_array(json_array(id, expires_at)) FILTER (WHERE is_record AND expires_at IS NOT NULL) AS expiring,
          json_group_array(id) FILTER (WHERE NOT is_record) AS others
        FROM (SELECT id, expires_at, ${IS_RECORD} AS is_record ${page})`),
      clear: sweep(inRange),
      prune: sweep(`${inRange} AND expires_at <= ?`),
    };
  }

  /** @param {string} id */
  read(id) {
    return this.#find(id, decodeValue);
  }

  /**
   * @param {string} id
   * @param {Decode} decode
   */
  #find(id, decode) {
    const row = this.#statements.read.get(keyOf(id));
    return row && toRecord({ ...row, id }, decode);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    try {
      this.#statements.write.run(keyOf(id), JSON.stringify(value), expires);
    } catch (error) {
      const isFull = isError(error, "SQLITE_FULL", 13) || isError(error, "SQLITE_TOOBIG", 18);
      throw isFull ? quotaError(`SQLITE set(${show(id)})`, { cause: error }) : error;
    }
  }

  /** @param {string} id */
  erase(id) {
    this.#statements.erase.run(keyOf(id));
  }

  /** @param {import("../core/client.js").Evicted[]} evicted */
  evict(evicted) {
    return this.#together(() => evicted.reduce((erased, record) => erased + this.#evictOne(record), 0));
  }

  /**
   * @param {string} prefix
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Generator<import("../core/client.js").Page, void>}
   */
  *pages(prefix, wanted) {
    let [start, end] = rangeOf(prefix);
    if (wanted === "keys") return yield* this.#keyPages(start, end);
    for (;;) {
      const { rows, isLast } = this.#listPage(start, end);
      yield { ids: rows.map(({ id }) => id), found: rows.map((row) => toRecord(row, decodeValue)) };
      if (isLast) return;
      start = `${/** @type {Row} */ (rows.at(-1)).id}\0`; // The next text there can be.
    }
  }

  /**
   * @param {string} start
   * @param {string | null} end
   */
  #listPage(start, end) {
    /** @type {Row[]} */
    const rows = [];
    let bytes = 0;
    const { list } = this.#statements;
    // Without iterate(), as in node:sqlite before Node 22.13, more is read than is kept.
    for (const row of /** @type {Iterable<Row>} */ (list.iterate?.(start, end) ?? list.all(start, end))) {
      bytes += sizeOf(row.value);
      if (rows.push(row) === PAGE_LENGTH || bytes >= PAGE_BYTES) return { rows, isLast: false };
    }
    return { rows, isLast: true };
  }

  /**
   * @param {string} start
   * @param {string | null} end
   * @returns {Generator<import("../core/client.js").Page, void>}
   */
  *#keyPages(start, end) {
    for (;;) {
      const { count, last, ...texts } = this.#statements.listKeys.get(start, end);
      /** @type {string[]} */
      const lasting = JSON.parse(texts.lasting);
      /** @type {[id: string, expires: number][]} */
      const expiring = JSON.parse(texts.expiring);
      /** @type {string[]} */
      const others = JSON.parse(texts.others);
      yield {
        ids: [...lasting, ...expiring.map(([id]) => id), ...others],
        found: [
          ...lasting.map(() => WITHOUT_EXPIRY),
          ...expiring.map(([, expires]) => ({ expires, value: true })),
          ...others.map((id) => this.#find(id, parseValue)),
        ],
      };
      if (Number(count) < PAGE_LENGTH) return;
      start = `${last}\0`; // The next text there can be.
    }
  }

  /** @param {string} prefix */
  clear(prefix) {
    this.#sweep(this.#statements.clear, rangeOf(prefix));
  }

  /** @param {string} prefix */
  prune(prefix) {
    return this.#sweep(this.#statements.prune, [...rangeOf(prefix), Date.now()]);
  }

  /**
   * Deletes records, and no rows of other code.
   * @param {{ records: Statement, others: Statement }} statements
   * @param {unknown[]} which
   */
  #sweep({ records, others }, which) {
    return this.#together(() => {
      // Writes first: SQLite waits for another writer only as long as a transaction has not read.
      const erased = records.all(...which).length;
      const ours = /** @type {Row[]} */ (others.all(...which)).filter((row) => isRecord(toRecord(row, parseValue)));
      return ours.reduce((count, row) => count + this.#evictOne(row), erased);
    });
  }

  /** @param {import("../core/client.js").Evicted} evicted @returns {number} */
  #evictOne({ id, expires }) {
    return this.#statements.evict.all(id, expires).length;
  }

  /**
   * Runs statements as one, also within a transaction of the user's: all of them wait for the disk once.
   * @param {() => number} run
   */
  #together(run) {
    this.#database.exec("SAVEPOINT polystore");
    try {
      const count = run();
      this.#database.exec("RELEASE polystore");
      return count;
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  #abandon() {
    try {
      this.#database.exec("ROLLBACK TO polystore; RELEASE polystore");
    } catch {
      // An error such as that of a full disk has ended the transaction already.
    }
  }

  close() {
    // Its owner closed it: so node:sqlite and better-sqlite3 say.
    if (this.#database.isOpen === false || this.#database.open === false) return;
    // In Bun, statements keep a database open that is closed.
    const { clear, prune, ...others } = this.#statements;
    const statements = [clear, prune, others].flatMap((group) => /** @type {Statement[]} */ (Object.values(group)));
    for (const statement of statements) statement.finalize?.();
    this.#database.close();
  }
}

/** @param {string} id */
function keyOf(id) {
  requireText(id, "SQLite");
  return id;
}

/**
 * @param {string} prefix
 * @returns {[start: string, end: string | null]}
 */
function rangeOf(prefix) {
  return rangeOfPrefix(prefix) ?? ["", ""]; // Where no key can lie.
}

/**
 * How the text of a value is decoded: by `parseValue` where it is not used.
 * @typedef {(text: string, id: string) => any} Decode
 */

/**
 * @param {Row} row
 * @param {Decode} decode
 */
function toRecord({ id, value, expires }, decode) {
  return { expires, value: typeof value === "string" ? decode(value, id) : undefined };
}

/**
 * Refuses a library that has methods of the same names, and answers later, or otherwise.
 * @param {(sql: string) => any} look
 */
function requireAnswers(look) {
  const { one, encoding } = look("SELECT 1 AS one, encoding FROM pragma_encoding")?.[0] ?? {};
  if (Number(one) !== 1) {
    const message =
      "kv() cannot use this library for SQLite, whose statements do not answer at once with a row as an object: give it a database of node:sqlite, better-sqlite3 or bun:sqlite.";
    throw new PolystoreError("ERR_CLIENT", message);
  }
  if (encoding === "UTF-8") return;
  const message = `kv() cannot use this database, whose encoding is ${encoding}, where the keys under a prefix do not lie side by side: make it with PRAGMA encoding = 'UTF-8', the default.`;
  throw new PolystoreError("ERR_CLIENT", message);
}

/**
 * Makes what is not there: a database that may only be read has it already.
 * @param {any} database
 * @param {(sql: string) => { name: string }[]} look
 */
function makeTable(database, look) {
  const columns = look("SELECT name FROM pragma_table_info('kv')").map(({ name }) => name);
  if (columns.length > 0) requireColumns(columns, "give kv() another database");
  // Without a look at what is there: another process may make it at this moment.
  database.exec("CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER)");
  try {
    database.exec("CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at)");
  } catch (error) {
    if (!isError(error, "SQLITE_READONLY", 8)) throw error; // Without it, prune() is slower; and nobody can prune.
  }
}

/**
 * @param {any} error
 * @param {string} code As better-sqlite3 and bun:sqlite have it, maybe with more behind.
 * @param {number} number As node:sqlite has it, maybe with more in its higher bits.
 */
function isError(error, code, number) {
  return String(error?.code).startsWith(code) || (error?.errcode & 255) === number;
}
