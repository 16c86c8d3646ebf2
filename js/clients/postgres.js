import { PolystoreError, PolystoreTypeError, quotaError, show } from "../support/errors.js";
import { decodeValue, isRecord, parseValue } from "../support/record.js";
import { CallOrder } from "../support/call_order.js";
import { requireColumns } from "./kv_table.js";
import { rangeOfPrefix, requireText } from "../support/text_key.js";

/** Rows to a page of a listing, at most; it also ends with the value that makes it this long in bytes. */
const PAGE_LENGTH = 1000;
const PAGE_BYTES = 1 << 22;
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
/**
 * The next page of those rows: those after the third parameter. PostgreSQL knows the length of a long value without reading it.
 * @param {string} [condition] On the rows.
 * @param {string} [columns] More of them.
 */
const page = (condition = "TRUE", columns = "") => `
  SELECT ${ROW}, count${columns} FROM (
    SELECT *, count(*) OVER ()::int AS count,
      sum(octet_length(value)) OVER (ORDER BY id COLLATE "C") - octet_length(value) AS bytes_before
    FROM (
      SELECT * FROM kv WHERE ${IN_RANGE} AND ${condition} AND ($3::text IS NULL OR id COLLATE "C" > $3)
      ORDER BY id COLLATE "C" LIMIT ${PAGE_LENGTH}
    ) AS found
  ) AS measured
  WHERE bytes_before < ${PAGE_BYTES} ORDER BY id COLLATE "C"`;
const UPSERT = "ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at";

const READ_ONE = `SELECT ${RECORD} FROM kv WHERE id = $1`;
const READ = `SELECT ${ROW} FROM kv WHERE id = ANY($1::text[])`;
const WRITE_ONE = `INSERT INTO kv (id, value, expires_at) VALUES ($1, $2, $3) ${UPSERT}`;
const ERASE_ONE = "DELETE FROM kv WHERE id = $1";
// Statements that change several rows lock them in one order, or two of them would wait for each other. Rows that another
// transaction has locked are left out, so that the others need not wait for it.
/** What follows WITH: the rows with the keys of the first parameter that are locked for this statement. */
const FREE = `
  free AS (SELECT id FROM kv WHERE id = ANY($1::text[]) ORDER BY id COLLATE "C" FOR UPDATE SKIP LOCKED)`;
const WRITE = `
  WITH ${FREE}
  INSERT INTO kv (id, value, expires_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (id, value, expires_at)
    WHERE id IN (SELECT id FROM free) OR NOT EXISTS (SELECT FROM kv WHERE kv.id = given.id)
    ORDER BY id COLLATE "C"
  ${UPSERT} RETURNING 'k' || id AS key`;
const ERASE = `
  WITH ${FREE}, erased AS (DELETE FROM kv USING free WHERE kv.id = free.id)
  SELECT 'k' || id AS key FROM kv WHERE id = ANY($1::text[]) AND id NOT IN (SELECT id FROM free)`;
/** What tells one value from another. */
const VERSION = "hashtextextended(value, 0)::text";
/** @param {string} [whereLocked] What to do about a row that another transaction has locked; without it, wait. */
const evictStatement = (whereLocked = "") => `
  WITH given AS (SELECT * FROM unnest($1::text[], $2::float8[], $3::text[]) AS given (id, expires, version)),
    locked AS (SELECT given.* FROM kv JOIN given USING (id) ORDER BY id COLLATE "C" FOR UPDATE OF kv ${whereLocked})
  DELETE FROM kv USING locked WHERE kv.id = locked.id AND ${EXPIRES} IS NOT DISTINCT FROM locked.expires
    AND (locked.version IS NULL OR ${VERSION} = locked.version)`;
const EVICT = evictStatement();
// A reader does not wait for whoever is changing the row.
const EVICT_UNLOCKED = evictStatement("SKIP LOCKED");
const LIST_ALL = `SELECT ${ROW} FROM kv`;
const LIST = `${LIST_ALL} WHERE ${IN_RANGE}`;
const LIST_PAGE = page();
const LIST_EXPIRED = page("($4::timestamptz IS NULL OR expires_at <= $4)", `, ${VERSION} AS version`);

/** @typedef {import("../core/client.js").Evicted} Evicted */
/** @typedef {{ type: "read" | "write" | "erase", id: string, text?: string, expires?: number | null }} Single */
/** A call that is sent alone, in its place among the others. @typedef {{ type: "other", run: () => Promise<unknown> }} Other */
/** @typedef {import("../support/batch.js").Pending<Single>} Pending */
/** @typedef {{ key: string, value: string, expires: number | null, count?: number, version?: string }} Row */
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
  /** @type {import("../core/client.js").Client["can"]} */
  can = ["list", "clear", "prune"];
  /** @type {"write"} */
  copies = "write";
  #client;
  /** @type {CallOrder<Single | Other>} */
  #calls;

  /** @param {any} client */
  constructor(client) {
    this.#client = client;
    // A write that is given up goes on on its connection of the Pool, and would overwrite what another connection has written.
    this.#calls = new CallOrder((run) => this.#perform(run), connectionsOf(client), true);
  }

  /** @param {string} id */
  read(id) {
    return this.#add({ type: "read", id: keyOf(id) }, (row) => row && toRecord(row, id, decodeValue));
  }

  /**
   * @param {string} id
   * @param {unknown} value
   * @param {number | null} expires
   */
  write(id, value, expires) {
    return this.#add({ type: "write", id: keyOf(id), text: JSON.stringify(value), expires });
  }

  /** @param {string} id */
  erase(id) {
    return this.#add({ type: "erase", id: keyOf(id) });
  }

  /** @param {Evicted[]} evicted */
  evict(evicted) {
    const scope = { writes: true, keys: evicted.map(({ id }) => id) };
    return this.#alone(scope, () => this.#evict(EVICT_UNLOCKED, evicted));
  }

  /**
   * @param {string} prefix
   * @param {import("../core/client.js").Wanted} wanted
   */
  async *pages(prefix, wanted) {
    const range = rangeOf(prefix);
    if (!range) return;
    const scope = { writes: false, prefix };
    if (wanted !== "stream") {
      // To compare every key with nothing would take a tenth of the time.
      const select = () => (prefix === "" ? this.#select(LIST_ALL, []) : this.#select(LIST, range));
      yield toPage(await this.#alone(scope, select), wanted === "keys" ? parseValue : decodeValue);
      return;
    }
    /** @type {string | null} */
    let last = null;
    for (;;) {
      const select = () => this.#select(LIST_PAGE, [...range, last]);
      /** @type {Row[]} */
      const rows = await this.#alone(last === null ? scope : { writes: false }, select);
      yield toPage(rows, decodeValue);
      if (isLastPage(rows)) return;
      last = idOf(rows[rows.length - 1]);
    }
  }

  /** @param {string} prefix */
  clear(prefix) {
    return this.#alone({ writes: true, prefix }, () => this.#sweep(prefix, null));
  }

  /** @param {string} prefix */
  prune(prefix) {
    const now = toTimestamp(Date.now());
    return this.#alone({ writes: true, prefix }, () => this.#sweep(prefix, now));
  }

  close() {
    return endPostgres(this.#client);
  }

  /** @param {unknown} reply */
  giveUp(reply) {
    this.#calls.giveUp(reply);
  }

  /**
   * @param {Single} request
   * @param {(row: Row | undefined) => unknown} [finish]
   */
  #add(request, finish) {
    const { type, id } = request;
    return this.#calls.add(request, { writes: type !== "read", keys: [id], kind: type }, finish);
  }

  /**
   * @template Result
   * @param {import("../support/call_order.js").Scope} scope
   * @param {() => Promise<Result>} run
   * @returns {Promise<Result>}
   */
  #alone(scope, run) {
    return this.#calls.add({ type: "other", run }, scope);
  }

  /** @param {import("../support/batch.js").Pending<Single | Other>[]} calls Of one type. */
  async #perform(calls) {
    const [{ request, resolve }] = calls;
    if (request.type === "other") return resolve(await request.run());
    const singles = /** @type {Pending[]} */ (calls);
    if (request.type === "read") await this.#read(singles);
    else if (request.type === "write") await this.#writeTogether([...chainsOf(singles).values()]);
    else await this.#erase(singles);
  }

  /** @param {Pending[]} calls */
  async #read(calls) {
    const ids = calls.map(({ request }) => request.id);
    if (ids.length === 1) return calls[0].resolve((await this.#select(READ_ONE, ids))[0]);
    const found = new Map((await this.#select(READ, [ids])).map((row) => [idOf(row), row]));
    for (const { request, resolve } of calls) resolve(found.get(request.id));
  }

  /**
   * Writes the last value of each chain in one statement; if that fails for the sake of one record, in two, until those that
   * fail are alone.
   * @param {Pending[][]} chains Of writes to one key each.
   */
  async #writeTogether(chains) {
    if (chains.length === 1) return this.#writeAlone(chains[0]);
    let rows;
    try {
      rows = await this.#select(WRITE, transposed(chains.map((chain) => columnsOf(chain[chain.length - 1].request))));
    } catch (error) {
      if (!mayBeOfOne(error)) throw error;
      const middle = chains.length >> 1;
      await this.#writeTogether(chains.slice(0, middle));
      await this.#writeTogether(chains.slice(middle));
      return;
    }
    const written = new Set(rows.map(idOf));
    for (const chain of chains) {
      if (written.has(chain[0].request.id)) for (const { resolve } of chain) resolve();
      else this.#writeAlone(chain); // Its row is locked, which is not the affair of the others.
    }
  }

  /**
   * Writes the last value of those for one key; where the server refuses that value, the one before it.
   * @param {Pending[]} chain
   */
  async #writeAlone(chain) {
    for (let last = chain.length - 1; last >= 0; --last) {
      const { request, reject } = chain[last];
      try {
        await this.#query(WRITE_ONE, columnsOf(request));
        for (const { resolve } of chain.slice(0, last + 1)) resolve();
        return;
      } catch (error) {
        reject(writeError(request.id, error));
        if (!mayBeOfOne(error)) return chain.forEach(({ reject }) => reject(error));
      }
    }
  }

  /** @param {Pending[]} calls */
  async #erase(calls) {
    const chains = chainsOf(calls);
    const ids = [...chains.keys()];
    const locked = new Set(ids.length === 1 ? ids : (await this.#select(ERASE, [ids])).map(idOf));
    for (const [id, chain] of chains) {
      const erased = locked.has(id) ? this.#query(ERASE_ONE, [id]) : undefined;
      for (const { resolve } of chain) resolve(erased);
    }
  }

  /**
   * @param {string} statement
   * @param {(Evicted & { version?: string })[]} evicted With a version, only those whose value is still the one that was listed.
   */
  async #evict(statement, evicted) {
    if (evicted.length === 0) return 0;
    const { rowCount, affectedRows } = await this.#query(
      statement,
      transposed(evicted.map(({ id, expires, version = null }) => [id, expires, version])),
    );
    return rowCount ?? affectedRows; // Of pg, or of PGlite.
  }

  /**
   * Deletes records, and no rows of other code, nor what another connection writes meanwhile.
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
      const records = rows.filter((row) => isRecord({ expires: row.expires, value: parseValue(row.value) }));
      count += await this.#evict(
        EVICT,
        records.map((row) => ({ id: idOf(row), expires: row.expires, version: row.version })),
      );
      if (isLastPage(rows)) break;
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
 * How many statements a client can have under way.
 * @param {any} client
 */
function connectionsOf(client) {
  const isPool = typeof client.totalCount === "number";
  return isPool ? (client.options?.max ?? 10) : 1;
}

/**
 * The calls on each key, in their order.
 * @param {Pending[]} calls
 */
function chainsOf(calls) {
  /** @type {Map<string, Pending[]>} */
  const chains = new Map();
  for (const call of calls) {
    const chain = chains.get(call.request.id);
    if (chain) chain.push(call);
    else chains.set(call.request.id, [call]);
  }
  return chains;
}

/** @param {Single} request */
function columnsOf({ id, text, expires = null }) {
  return [id, text, expires === null ? null : toTimestamp(expires)];
}

/** @param {unknown[][]} rows @returns {unknown[][]} */
function transposed(rows) {
  return rows[0].map((_, i) => rows.map((row) => row[i]));
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

/**
 * @param {Row} row
 * @param {string} id
 * @param {typeof decodeValue} decode
 */
function toRecord({ expires, value }, id, decode) {
  return { expires, value: decode(value, id) };
}

/** @param {Row[]} rows */
function isLastPage(rows) {
  const { count = 0 } = rows[0] ?? {}; // How many there were before the page was cut at its number of bytes.
  return count < PAGE_LENGTH && rows.length === count;
}

/**
 * @param {Row[]} rows
 * @param {typeof decodeValue} decode
 */
function toPage(rows, decode) {
  return { ids: rows.map(idOf), found: rows.map((row) => toRecord(row, idOf(row), decode)) };
}
