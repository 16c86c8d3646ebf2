import { PolystoreError, quotaError, show } from "../support/errors.js";
import { decodeValue, encodeValue, isRecord, isSameRecord, parseValue, WITHOUT_EXPIRY } from "../support/record.js";
import { requireColumns } from "./kv_table.js";
import { isPut, onlyChange } from "../support/commits.js";
import { PAGE_BYTES, sizeOf } from "../support/page_bytes.js";
import { boundsOf, isPrefixOnly } from "../support/range.js";
import { clearInterval, setInterval } from "../support/real_timers.js";
import { requireText } from "../support/text_key.js";

/** The number of rows in a page of a listing. */
const PAGE_LENGTH = 1000;
/** How often a watcher asks whether another connection has written, in milliseconds. The question takes some microseconds. */
const POLL = 100;
/** Keys from one key up to another, or to the last text: SQLite sorts blobs after all texts, the empty blob first. */
const IN_RANGE = "id >= ? AND id < coalesce(?, x'')";
/**
 * Matches only valid records. The rows that it rejects may be other code's, or records that are nested too deeply for SQLite's
 * json_valid(); those are checked in JavaScript.
 */
const IS_RECORD = "(typeof(value) = 'text' AND json_valid(value) AND value <> 'null')";
// A number in JavaScript, even if the database returns integers as BigInt or cannot return one that large.
const EXPIRES = "CAST(expires_at AS REAL) AS expires";

/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {{ id: string, value: unknown, expires: number | null }} Row */

/**
 * A prepared statement of any of the libraries.
 * @typedef {object} Statement
 * @property {(...values: unknown[]) => any} get
 * @property {(...values: unknown[]) => any[]} all
 * @property {(...values: unknown[]) => Iterable<any>} [iterate]
 * @property {(...values: unknown[]) => any} run
 * @property {() => void} [finalize]
 */

/** A database of node:sqlite, better-sqlite3 or bun:sqlite. Each row of the table `kv`, as polystore makes it, is a record. */
export class Sqlite {
  /** @type {import("../core/client.js").Traits} */
  traits = {
    type: "SQLITE",
    can: ["list", "sweeps_all", "sweeps_expired"],
    copies: "write",
    atomic: "storage",
    isTransactional: true,
  };
  #database;
  #statements;

  /** @param {any} database */
  constructor(database) {
    this.#database = database;
    if (database.isOpen === false) database.open(); // node:sqlite
    const prepare = (/** @type {string} */ sql) => /** @type {Statement} */ (database.prepare(sql));
    const look = (/** @type {string} */ sql) => {
      const statement = prepare(sql);
      const rows = statement.all?.(); // Another library may lack this method.
      statement.finalize?.();
      return rows;
    };
    requireAnswers(look);
    makeTable(database, look);
    const inRange = `FROM kv WHERE ${IN_RANGE}`;
    const page = (/** @type {string} */ order) => `${inRange} ORDER BY id ${order} LIMIT ?`;
    const sweep = (/** @type {string} */ from) => ({
      records: prepare(`DELETE ${from} AND ${IS_RECORD} RETURNING 1`),
      others: prepare(`SELECT id, value, ${EXPIRES} ${from} AND NOT ${IS_RECORD}`),
    });
    // Prepared once, because SQLite takes about as long to compile a statement as to run it.
    this.#statements = {
      read: prepare(`SELECT value, ${EXPIRES} FROM kv WHERE id = ?`),
      // Twice as fast as INSERT OR REPLACE, which deletes the row and its index entries first.
      put: prepare(`
        INSERT INTO kv (id, value, expires_at) VALUES (?, ?, ?)
        ON CONFLICT (id) DO UPDATE SET value = excluded.value, expires_at = excluded.expires_at`),
      remove: prepare("DELETE FROM kv WHERE id = ?"),
      list: prepare(`SELECT id, value, ${EXPIRES} ${page("ASC")}`),
      listReverse: prepare(`SELECT id, value, ${EXPIRES} ${page("DESC")}`),
      // In one row: making an object for each key takes a library three times as long as the query itself.
      listKeys: prepare(`
        SELECT count(*) AS count, max(id) AS last,
          json_group_array(id) FILTER (WHERE is_record AND expires_at IS NULL) AS lasting,
          json_group_array(json_array(id, expires_at)) FILTER (WHERE is_record AND expires_at IS NOT NULL) AS expiring,
          json_group_array(id) FILTER (WHERE NOT is_record) AS others
        FROM (SELECT id, expires_at, ${IS_RECORD} AS is_record ${page("ASC")})`),
      lock: prepare("DELETE FROM kv WHERE 0"),
      // Another number after each change that another connection has committed.
      dataVersion: prepare("PRAGMA data_version"),
      sweepAll: sweep(inRange),
      sweepExpired: sweep(`${inRange} AND expires_at <= ?`),
    };
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "SQLite");
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
    const row = this.#statements.read.get(id);
    return row && { ...toRecord({ ...row, id }, decode), version: row.value };
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    const change = onlyChange(commits);
    if (change) return [this.#change(change)];
    try {
      return this.#commitAll(commits);
    } catch (error) {
      if (commits.length === 1) throw error;
      return commits.map((commit) => this.#commitAlone(commit)); // One bad commit must not make the others fail.
    }
  }

  /** @param {readonly Commit[]} commits */
  #commitAll(commits) {
    return this.#together(() => {
      // A write first, because SQLite waits for another writer only if the transaction has not read anything yet.
      this.#statements.lock.run();
      return commits.map((commit) => this.#commitOne(commit));
    });
  }

  /**
   * @param {Commit} commit
   * @returns {import("../core/client.js").Outcome}
   */
  #commitAlone(commit) {
    try {
      return this.#commitAll([commit])[0];
    } catch (error) {
      return { error };
    }
  }

  /** @param {Commit} commit */
  #commitOne({ expected, changes }) {
    const isExpected = expected.every(({ id, found }) => isSameRecord(this.#find(id, parseValue), found));
    return isExpected && changes.every((change) => this.#change(change));
  }

  /** @param {import("../core/client.js").Change} change */
  #change(change) {
    const { id } = change;
    try {
      if (isPut(change)) this.#statements.put.run(id, encodeValue(change.value), change.expires);
      else this.#statements.remove.run(id);
    } catch (error) {
      const isFull = isError(error, "SQLITE_FULL", 13) || isError(error, "SQLITE_TOOBIG", 18);
      throw isFull ? quotaError(`SQLITE set(${show(id)})`, { cause: error }) : error;
    }
    return true;
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   * @returns {Generator<import("../core/client.js").Page, void>}
   */
  *scan(range, wanted) {
    let [start, end] = limitsOf(range);
    if (wanted === "keys" && isPrefixOnly(range)) return yield* this.#keyPages(start, end);
    const { reverse, limit = Infinity } = range;
    const list = reverse ? this.#statements.listReverse : this.#statements.list;
    for (let left = limit; left > 0;) {
      const { rows, isLast } = listPage(list, start, end, Math.min(left, PAGE_LENGTH));
      yield { ids: rows.map(({ id }) => id), found: rows.map((row) => toRecord(row, decodeValue)) };
      if (isLast) return;
      left -= rows.length;
      const last = /** @type {Row} */ (rows.at(-1)).id;
      if (reverse) end = last;
      else start = `${last}\0`; // The next possible text.
    }
  }

  /**
   * @param {string} start
   * @param {string | null} end
   * @returns {Generator<import("../core/client.js").Page, void>}
   */
  *#keyPages(start, end) {
    for (;;) {
      const { count, last, ...texts } = this.#statements.listKeys.get(start, end, PAGE_LENGTH);
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
      start = `${last}\0`; // The next possible text.
    }
  }

  /**
   * Deletes records, but not the rows of other code.
   * @param {import("../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep(range, until) {
    const limits = limitsOf(range);
    const { records, others } = until === null ? this.#statements.sweepAll : this.#statements.sweepExpired;
    const which = until === null ? limits : [...limits, until];
    return this.#together(() => {
      // Writes first: SQLite waits for another writer only if the transaction has not read anything yet.
      const removed = records.all(...which).length;
      const ours = /** @type {Row[]} */ (others.all(...which)).filter((row) => isRecord(toRecord(row, parseValue)));
      for (const { id } of ours) this.#statements.remove.run(id);
      return removed + ours.length;
    });
  }

  /**
   * Runs statements as one savepoint, which also works inside a transaction of the user. They wait for the disk only once.
   * @template Result
   * @param {() => Result} run
   * @returns {Result}
   */
  #together(run) {
    this.#database.exec("SAVEPOINT polystore");
    try {
      const result = run();
      this.#database.exec("RELEASE polystore");
      return result;
    } catch (error) {
      this.#abandon();
      throw error;
    }
  }

  #abandon() {
    try {
      this.#database.exec("ROLLBACK TO polystore; RELEASE polystore");
    } catch {
      // Some errors, for example a full disk, have ended the transaction already.
    }
  }

  /**
   * @param {import("../core/client.js").WatchListener} listener
   * @returns {import("../core/client.js").Watch}
   */
  watch({ compare }) {
    const ask = () => this.#statements.dataVersion.get().data_version;
    let version = ask();
    const poll = () => {
      try {
        if (version === (version = ask())) return;
      } catch {
        return; // For example, another connection has locked the database. The next question tells of its changes.
      }
      compare();
    };
    const timer = setInterval(poll, POLL);
    /** @type {Partial<NodeJS.Timeout>} */ (timer).unref?.(); // A watcher keeps no process alive.
    return { reach: "storage", compares: true, close: () => clearInterval(timer) };
  }

  close() {
    // Its owner closed it (isOpen is node:sqlite's, open is better-sqlite3's).
    if (this.#database.isOpen === false || this.#database.open === false) return;
    // In Bun, a closed database stays open until its statements are finalized.
    const { sweepAll, sweepExpired, ...others } = this.#statements;
    const statements = [sweepAll, sweepExpired, others].flatMap(
      (group) => /** @type {Statement[]} */ (Object.values(group)),
    );
    for (const statement of statements) statement.finalize?.();
    this.#database.close();
  }
}

/**
 * Reads the rows of a page, which ends at a number of rows or of bytes.
 * @param {Statement} list
 * @param {string} start
 * @param {string | null} end
 * @param {number} length
 */
function listPage(list, start, end, length) {
  /** @type {Row[]} */
  const rows = [];
  let bytes = 0;
  // Without iterate(), as in node:sqlite before Node 22.13, more is read than is kept.
  for (const row of /** @type {Iterable<Row>} */ (list.iterate?.(start, end, length) ?? list.all(start, end, length))) {
    bytes += sizeOf(row.value);
    if (rows.push(row) === length || bytes >= PAGE_BYTES) return { rows, isLast: false };
  }
  return { rows, isLast: true };
}

/**
 * @param {import("../core/client.js").Range} range
 * @returns {[start: string, end: string | null]}
 */
function limitsOf(range) {
  return boundsOf(range) ?? ["", ""]; // An empty range, if no key can lie in it.
}

/**
 * Decodes the text of a value; `parseValue` if the value itself is not used.
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
 * Refuses a library whose methods have the same names but are asynchronous, or return rows in another form.
 * @param {(sql: string) => any} look
 */
function requireAnswers(look) {
  const { one, encoding } = look("SELECT 1 AS one, encoding FROM pragma_encoding")?.[0] ?? {};
  if (Number(one) !== 1) {
    const message =
      "kv() cannot use this SQLite library, because its statements do not return rows as objects synchronously. Pass a database of node:sqlite, better-sqlite3 or bun:sqlite.";
    throw new PolystoreError("ERR_CLIENT", message);
  }
  if (encoding === "UTF-8") return;
  const message = `kv() cannot use this database, because its encoding is ${encoding}, in which the keys with one prefix are not adjacent. Create it with PRAGMA encoding = 'UTF-8', the default.`;
  throw new PolystoreError("ERR_CLIENT", message);
}

/**
 * Creates the table and its index if they are missing. A read-only database must have the table already.
 * @param {any} database
 * @param {(sql: string) => { name: string }[]} look
 */
function makeTable(database, look) {
  const columns = look("SELECT name FROM pragma_table_info('kv')").map(({ name }) => name);
  if (columns.length > 0) requireColumns(columns, "pass another database to kv()");
  // Even if the table was missing just now, another process may create it at this moment.
  database.exec("CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at INTEGER)");
  try {
    database.exec("CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at)");
  } catch (error) {
    if (!isError(error, "SQLITE_READONLY", 8)) throw error; // A read-only database can do without the index: only prune() uses it.
  }
}

/**
 * @param {any} error
 * @param {string} code The code of better-sqlite3 and bun:sqlite, which may have a suffix.
 * @param {number} number The code of node:sqlite, which may have more in its higher bits.
 */
function isError(error, code, number) {
  return String(error?.code).startsWith(code) || (error?.errcode & 255) === number;
}
