import { decodeValue } from "../record.js";
import { rangeOfPrefix, requireText } from "./text_key.js";

/** Rows to a page of a listing. */
const PAGE_LENGTH = 1000;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER);
  CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at);`;
/** From one key on, up to another, or to the end of all texts: SQLite sorts blobs behind them, the empty one first. */
const IN_RANGE = "id >= ? AND id < coalesce(?, x'')";
/** What is not a record was put there by other code: it is neither listed nor deleted. */
const IS_RECORD = "json_valid(value) AND value <> 'null'";

/** @typedef {{ id: string, value: string, expires_at: number | null }} Row */

/**
 * A prepared statement, of whichever library.
 * @typedef {object} Statement
 * @property {(...values: unknown[]) => any} get
 * @property {(...values: unknown[]) => any[]} all
 * @property {(...values: unknown[]) => any} run
 */

/** A database of node:sqlite, better-sqlite3 or bun:sqlite: each row of the table `kv`, which is polystore's, is a record. */
export class Sqlite {
  type = "SQLITE";
  /** @type {import("./client.js").Client["can"]} */
  can = ["list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #database;
  #statements;

  /** @param {any} database */
  constructor(database) {
    this.#database = database;
    database.exec(SCHEMA);
    const prepare = (/** @type {string} */ sql) => /** @type {Statement} */ (database.prepare(sql));
    const page = `FROM kv WHERE ${IN_RANGE} ORDER BY id LIMIT ${PAGE_LENGTH}`;
    // Prepared once; SQLite compiles a statement in about the time in which it runs one.
    this.#statements = {
      read: prepare("SELECT value, expires_at FROM kv WHERE id = ?"),
      write: prepare("INSERT OR REPLACE INTO kv (id, value, expires_at) VALUES (?, ?, ?)"),
      erase: prepare("DELETE FROM kv WHERE id = ?"),
      evict: prepare("DELETE FROM kv WHERE id = ? AND expires_at IS ? RETURNING 1"),
      list: prepare(`SELECT id, value, expires_at ${page}`),
      listKeys: prepare(`SELECT id, ${IS_RECORD} AS value, expires_at ${page}`),
      clear: prepare(`DELETE FROM kv WHERE ${IN_RANGE} AND ${IS_RECORD}`),
      prune: prepare(`DELETE FROM kv WHERE expires_at <= ? AND ${IN_RANGE} AND ${IS_RECORD} RETURNING 1`),
    };
  }

  /** @param {string} id */
  read(id) {
    const row = this.#statements.read.get(keyOf(id));
    return row && toRecord(row);
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    this.#statements.write.run(keyOf(id), JSON.stringify(value), expires);
  }

  /** @param {string} id */
  erase(id) {
    this.#statements.erase.run(keyOf(id));
  }

  /** @param {import("./client.js").Evicted[]} evicted */
  evict(evicted) {
    return evicted.reduce((erased, { id, expires }) => erased + this.#statements.evict.all(id, expires).length, 0);
  }

  /**
   * @param {string} prefix
   * @param {import("./client.js").Wanted} wanted
   * @returns {Generator<import("./client.js").Page, void>}
   */
  *pages(prefix, wanted) {
    const keysOnly = wanted === "keys";
    const statement = keysOnly ? this.#statements.listKeys : this.#statements.list;
    let [start, end] = rangeOf(prefix);
    for (;;) {
      const rows = /** @type {Row[]} */ (statement.all(start, end));
      const toFound = keysOnly ? toExpiry : toRecord;
      yield { ids: rows.map(({ id }) => id), found: rows.map(toFound) };
      if (rows.length < PAGE_LENGTH) return;
      start = `${/** @type {Row} */ (rows.at(-1)).id}\0`; // The next text there can be.
    }
  }

  /** @param {string} prefix */
  clear(prefix) {
    this.#statements.clear.run(...rangeOf(prefix));
  }

  /** @param {string} prefix */
  prune(prefix) {
    return this.#statements.prune.all(Date.now(), ...rangeOf(prefix)).length;
  }

  close() {
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

/** @param {Row} row A record as far as its value is JSON, as IS_RECORD has it. */
function toRecord({ value, expires_at: expires }) {
  return { expires, value: decodeValue(value) };
}

/** @param {{ value: unknown, expires_at: number | null }} row */
function toExpiry({ value, expires_at: expires }) {
  return value ? { expires, value: true } : undefined;
}
