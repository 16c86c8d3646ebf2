import { PolystoreError, PolystoreTypeError, quotaError, show } from "../support/errors.js";
import { decodeValue, isRecord, parseValue } from "../support/record.js";
import { CallOrder } from "../support/call_order.js";
import { requireColumns } from "./kv_table.js";
import { isPut, onlyChange } from "../support/commits.js";
import { boundsOf, isPrefixOnly } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** A page of a listing ends after this number of rows, or with the value that makes it this long in bytes. */
const PAGE_LENGTH = 1000;
const PAGE_BYTES = 1 << 22;
/** The number of times that a statement is sent if it loses conflicts with others. Of conflicting statements, one always succeeds. */
const ATTEMPTS = 10;

/** Finds the table and its indexes, without a lock, and without rights that a mere user of the table may lack. */
const LOOK = `
  SELECT
    (SELECT string_agg(attname::text, ', ') FROM pg_attribute
     WHERE attrelid = to_regclass('kv') AND attnum > 0 AND NOT attisdropped) AS columns,
    (SELECT count(*)::text FROM pg_index WHERE indrelid = to_regclass('kv')
     AND indexrelid IN (to_regclass('idx_kv_expires_at'), to_regclass('idx_kv_id_c'))) AS indexes`;
/**
 * Runs statements under a lock: if two clients run CREATE … IF NOT EXISTS at once, it fails in one of them.
 * @param {string} statements
 */
const underLock = (statements) =>
  `DO $$ BEGIN PERFORM pg_advisory_xact_lock(hashtext('polystore kv')); ${statements} END $$`;
const MAKE_TABLE = underLock(
  "CREATE TABLE IF NOT EXISTS kv (id TEXT PRIMARY KEY, value TEXT NOT NULL, expires_at TIMESTAMPTZ);",
);
// A user without the right to create indexes goes on without them, which is only slower.
const MAKE_INDEXES = underLock(`
  CREATE INDEX IF NOT EXISTS idx_kv_expires_at ON kv (expires_at);
  CREATE INDEX IF NOT EXISTS idx_kv_id_c ON kv (id COLLATE "C");
  EXCEPTION WHEN insufficient_privilege OR read_only_sql_transaction THEN NULL;`);

// Exact: PostgreSQL computes this as a decimal number, and milliseconds have no more digits than a float8 holds.
const EXPIRES = "(extract(epoch FROM expires_at) * 1000)::float8";
const RECORD = `value, ${EXPIRES} AS expires`;
// A letter is put before the key, because PGlite removes a U+FEFF from the start of a text.
const ROW = `'k' || id AS key, ${RECORD}`;
/** The keys from $1 up to $2 (null means to the last key), in the order of code points, whatever the collation of the database. */
const IN_RANGE = `id COLLATE "C" >= $1 AND ($2::text IS NULL OR id COLLATE "C" < $2)`;
/**
 * Selects the next page of these rows: those after the key $3. PostgreSQL knows the length of a long value without reading it.
 * @param {string} [condition] A condition that the rows must meet.
 * @param {string} [columns] Additional columns.
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
const PUT_ONE = `INSERT INTO kv (id, value, expires_at) VALUES ($1, $2, $3) ${UPSERT}`;
const REMOVE_ONE = "DELETE FROM kv WHERE id = $1";
// Statements that change several rows lock them in one order, because two statements could deadlock otherwise. Rows that another
// transaction has locked are skipped, so that the other rows need not wait for that transaction.
/** A common table expression that locks the rows with the keys in $1, except those that another transaction has locked. */
const FREE = `
  free AS (SELECT id FROM kv WHERE id = ANY($1::text[]) ORDER BY id COLLATE "C" FOR UPDATE SKIP LOCKED)`;
const PUT = `
  WITH ${FREE}
  INSERT INTO kv (id, value, expires_at)
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[]) AS given (id, value, expires_at)
    WHERE id IN (SELECT id FROM free) OR NOT EXISTS (SELECT FROM kv WHERE kv.id = given.id)
    ORDER BY id COLLATE "C"
  ${UPSERT} RETURNING 'k' || id AS key`;
const REMOVE = `
  WITH ${FREE}, removed AS (DELETE FROM kv USING free WHERE kv.id = free.id)
  SELECT 'k' || id AS key FROM kv WHERE id = ANY($1::text[]) AND id NOT IN (SELECT id FROM free)`;
/** The version of a value: a hash. */
const VERSION = "hashtextextended(value, 0)::text";
/** @param {string} [whereLocked] The clause for rows that another transaction has locked; without it, the statement waits. */
const removeIfStatement = (whereLocked = "") => `
  WITH given AS (SELECT * FROM unnest($1::text[], $2::float8[], $3::text[]) AS given (id, expires, version)),
    locked AS (SELECT given.* FROM kv JOIN given USING (id) ORDER BY id COLLATE "C" FOR UPDATE OF kv ${whereLocked})
  DELETE FROM kv USING locked WHERE kv.id = locked.id AND ${EXPIRES} IS NOT DISTINCT FROM locked.expires
    AND (locked.version IS NULL OR ${VERSION} = locked.version)
  RETURNING 'k' || kv.id AS key`;
const REMOVE_IF = removeIfStatement();
// A reader removes expired records too. It must not wait for a transaction that changes the row.
const REMOVE_IF_UNLOCKED = removeIfStatement("SKIP LOCKED");
const LIST_ALL = `SELECT ${ROW} FROM kv`;
const LIST = `${LIST_ALL} WHERE ${IN_RANGE}`;
const LIST_FORWARD = `${LIST} ORDER BY id COLLATE "C" LIMIT $3`;
const LIST_REVERSE = `${LIST} ORDER BY id COLLATE "C" DESC LIMIT $3`;
const LIST_PAGE = page();
const LIST_EXPIRED = page("($4::timestamptz IS NULL OR expires_at <= $4)", `, ${VERSION} AS version`);

/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Expectation} Expectation */
/** @typedef {{ type: "read" | "put" | "remove", id: string, text?: string, expires?: number | null }} Single */
/** A call that is sent alone, in order with the other calls. @typedef {{ type: "other", run: () => Promise<unknown> }} Other */
/** @typedef {import("../support/batch.js").Pending<Single>} Pending */
/** @typedef {{ key: string, value: string, expires: number | null, count?: number, version?: string }} Row */
/** @typedef {import("../support/range.js").Bounds} Limits */

/** The outcomes of one successful commit. */
const MADE = [true];

/**
 * Opens a Client or a Pool of `pg` or of a compatible library, or a PGlite.
 * @param {any} client
 */
export async function openPostgres(client) {
  // If an idle connection is lost, pg emits `error`, which ends the process unless there is a listener. Later calls reject with it.
  client.off?.("error", ignore); // Remove the listener from before the client was closed.
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

/** True for a Client, false for a Pool: connect() of a Pool returns one of its clients. @param {any} client */
const isPgClient = (client) => typeof client._connected === "boolean";

/** @param {any} client */
async function connect(client) {
  // Calls on such a client would wait for ever.
  if (client._ended || client._connectionError) {
    const message =
      "This Client of pg lost its connection, or failed to connect, and cannot connect again. Pass a new Client to kv(), or a Pool, which reconnects itself.";
    throw new PolystoreError("ERR_CLIENT", message);
  }
  if (!client._connected && !client._connecting) await client.connect();
}

/** PostgreSQL: each row of the table `kv`, as polystore makes it, is a record. The calls of one tick share a few statements. */
class Postgres {
  /** @type {import("../core/client.js").Traits} */
  traits = {
    type: "POSTGRES",
    can: ["list", "sweeps_all", "sweeps_expired"],
    copies: "write",
    atomic: "storage",
    isTransactional: true,
  };
  #client;
  /** @type {CallOrder<Single | Other>} */
  #calls;

  /** @param {any} client */
  constructor(client) {
    this.#client = client;
    // A write that timed out still runs on its connection of the Pool, and could overwrite what another connection wrote later.
    this.#calls = new CallOrder((run) => this.#perform(run), connectionsOf(client), true);
  }

  /**
   * @param {string} id
   * @throws {PolystoreTypeError} ERR_KEY
   */
  checkKey(id) {
    requireText(id, "Postgres");
    if (!id.includes("\0")) return;
    const message = `The key ${show(id)} contains the character U+0000, which Postgres cannot store. Encode the key first.`;
    throw new PolystoreTypeError("ERR_KEY", message);
  }

  /** @param {string} id */
  read(id) {
    return this.#add({ type: "read", id }, (row) => row && toRecord(row, id, decodeValue));
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    const change = onlyChange(commits);
    if (change) {
      const { id } = change;
      if (!isPut(change)) return this.#add({ type: "remove", id });
      return this.#add({ type: "put", id, text: JSON.stringify(change.value), expires: change.expires });
    }
    const expected = commits.flatMap((commit) => commit.expected);
    const scope = { writes: true, keys: expected.map(({ id }) => id) };
    return this.#alone(scope, async () => {
      const removed = await this.#removeIf(REMOVE_IF_UNLOCKED, expected);
      return expected.map(({ id }) => removed.has(id));
    });
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {import("../core/client.js").Wanted} wanted
   */
  async *scan(range, wanted) {
    const limits = limitsOf(range);
    if (!limits) return;
    const { prefix } = range;
    const scope = { writes: false, prefix };
    if (!isPrefixOnly(range)) return yield* this.#inOrder(range, limits, scope);
    if (wanted !== "stream") {
      // Without a prefix there is no condition: comparing every key costs 10 % of the query.
      const select = () => (prefix === "" ? this.#select(LIST_ALL, []) : this.#select(LIST, limits));
      yield toPage(await this.#alone(scope, select), wanted === "keys" ? parseValue : decodeValue);
      return;
    }
    /** @type {string | null} */
    let last = null;
    for (;;) {
      const select = () => this.#select(LIST_PAGE, [...limits, last]);
      /** @type {Row[]} */
      const rows = await this.#alone(last === null ? scope : { writes: false }, select);
      yield toPage(rows, decodeValue);
      if (isLastPage(rows)) return;
      last = idOf(rows[rows.length - 1]);
    }
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {Limits} limits
   * @param {import("../support/call_order.js").Scope} scope
   */
  async *#inOrder({ reverse, limit = Infinity }, [start, end], scope) {
    for (let left = limit; left > 0;) {
      const length = Math.min(left, PAGE_LENGTH);
      const values = [start, end, length];
      const select = () => this.#select(reverse ? LIST_REVERSE : LIST_FORWARD, values);
      /** @type {Row[]} */
      const rows = await this.#alone(left === limit ? scope : { writes: false }, select);
      yield toPage(rows, decodeValue);
      if (rows.length < length) return;
      left -= length;
      const last = idOf(rows[rows.length - 1]);
      if (reverse) end = last;
      else start = `${last}\u0001`; // The next possible text, because no text contains U+0000.
    }
  }

  /**
   * @param {import("../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep(range, until) {
    const limits = limitsOf(range);
    if (!limits) return 0;
    const scope = { writes: true, prefix: range.prefix };
    return this.#alone(scope, () => this.#sweep(limits, until === null ? null : toTimestamp(until)));
  }

  close() {
    return endPostgres(this.#client);
  }

  /** @param {unknown} reply */
  onTimeout(reply) {
    this.#calls.abandon(reply);
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

  /** @param {import("../support/batch.js").Pending<Single | Other>[]} calls Calls of one type. */
  async #perform(calls) {
    const [{ request, resolve }] = calls;
    if (request.type === "other") return resolve(await request.run());
    const singles = /** @type {Pending[]} */ (calls);
    if (request.type === "read") await this.#read(singles);
    else if (request.type === "put") await this.#writeTogether([...chainsOf(singles).values()]);
    else await this.#remove(singles);
  }

  /** @param {Pending[]} calls */
  async #read(calls) {
    const ids = calls.map(({ request }) => request.id);
    if (ids.length === 1) return calls[0].resolve((await this.#select(READ_ONE, ids))[0]);
    const found = new Map((await this.#select(READ, [ids])).map((row) => [idOf(row), row]));
    for (const { request, resolve } of calls) resolve(found.get(request.id));
  }

  /**
   * Writes the last value of each chain in one statement. If the statement fails because of one record, it is split in halves, until
   * each failing record is alone.
   * @param {Pending[][]} chains Each chain has the writes to one key.
   */
  async #writeTogether(chains) {
    if (chains.length === 1) return this.#writeAlone(chains[0]);
    let rows;
    try {
      rows = await this.#select(PUT, transposed(chains.map((chain) => columnsOf(chain[chain.length - 1].request))));
    } catch (error) {
      if (!mayBeOfOne(error)) throw error;
      const middle = chains.length >> 1;
      await this.#writeTogether(chains.slice(0, middle));
      await this.#writeTogether(chains.slice(middle));
      return;
    }
    const written = new Set(rows.map(idOf));
    for (const chain of chains) {
      if (written.has(chain[0].request.id)) for (const { resolve } of chain) resolve(MADE);
      else this.#writeAlone(chain); // Its row is locked. Write it alone, so that the others need not wait.
    }
  }

  /**
   * Writes the last value of a chain. If the server refuses that value, writes the one before it.
   * @param {Pending[]} chain
   */
  async #writeAlone(chain) {
    for (let last = chain.length - 1; last >= 0; --last) {
      const { request, reject } = chain[last];
      try {
        await this.#query(PUT_ONE, columnsOf(request));
        for (const { resolve } of chain.slice(0, last + 1)) resolve(MADE);
        return;
      } catch (error) {
        reject(writeError(request.id, error));
        if (!mayBeOfOne(error)) return chain.forEach(({ reject }) => reject(error));
      }
    }
  }

  /** @param {Pending[]} calls */
  async #remove(calls) {
    const chains = chainsOf(calls);
    const ids = [...chains.keys()];
    const locked = new Set(ids.length === 1 ? ids : (await this.#select(REMOVE, [ids])).map(idOf));
    for (const [id, chain] of chains) {
      const removing = locked.has(id) ? this.#query(REMOVE_ONE, [id]).then(() => MADE) : MADE;
      for (const { resolve } of chain) resolve(removing);
    }
  }

  /**
   * Removes records that are still as they were found.
   * @param {string} statement
   * @param {readonly Expectation[]} expected
   * @returns {Promise<Set<string>>} The keys of the removed records.
   */
  async #removeIf(statement, expected) {
    if (expected.length === 0) return new Set();
    const values = transposed(expected.map(({ id, found }) => [id, found?.expires ?? null, found?.version ?? null]));
    return new Set((await this.#select(statement, values)).map(idOf));
  }

  /**
   * Deletes records, but neither rows of other code nor records that another connection writes meanwhile.
   * @param {Limits} limits
   * @param {string | null} until
   */
  async #sweep(limits, until) {
    let count = 0;
    /** @type {string | null} */
    let last = null;
    for (;;) {
      /** @type {Row[]} */
      const rows = await this.#select(LIST_EXPIRED, [...limits, last, until]);
      const found = toPage(rows, parseValue).found;
      const expected = rows
        .map((row, i) => ({ id: idOf(row), found: found[i] }))
        .filter(({ found }) => isRecord(found));
      count += (await this.#removeIf(REMOVE_IF, expected)).size;
      if (isLastPage(rows)) return count;
      last = idOf(rows[rows.length - 1]);
    }
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
        // Inside a transaction of the user a retry fails with 25P02, so the conflict itself is thrown.
        if (conflict && isError(error, "25P02")) throw conflict;
        if (attempt === ATTEMPTS || !isError(error, "40P01", "40001")) throw error;
        conflict = error;
      }
    }
  }
}

/**
 * Returns the number of statements that a client can run at once.
 * @param {any} client
 */
function connectionsOf(client) {
  const isPool = typeof client.totalCount === "number";
  return isPool ? (client.options?.max ?? 10) : 1;
}

/**
 * Groups calls by key, in order.
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
 * Formats an instant for PostgreSQL, which expects years after 9999 without a sign.
 * @param {number} ms
 */
function toTimestamp(ms) {
  return new Date(ms).toISOString().replace(/^\+0*/, "");
}

/**
 * True if the code of a server's error starts with one of these.
 * @param {any} error
 * @param {string[]} codes
 */
function isError(error, ...codes) {
  return codes.some((code) => String(error?.code).startsWith(code));
}

/**
 * True if a statement that writes several records may have failed because of one record: its data, its length, or a rule or a trigger of
 * the table.
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
  const message = `The key ${show(id)} is too long for Postgres, whose index holds about 2,700 bytes of a key. Use a shorter key, for example a hash of it.`;
  return new PolystoreTypeError("ERR_KEY", message, { cause: error });
}

/**
 * @param {import("../core/client.js").Range} range
 * @returns {Limits | null} Null if no key can lie in the range.
 */
function limitsOf(range) {
  const bounds = range.prefix.includes("\0") ? null : boundsOf(range);
  if (!bounds) return null;
  // Neither a key nor a parameter may contain U+0000. The next possible text after it starts with U+0001 in that place.
  const [start, end] = bounds;
  return [start.replace(/\0.*/s, "\u0001"), end === null ? null : end.replace(/\0.*/s, "\u0001")];
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
function toRecord({ expires, value, version }, id, decode) {
  return { expires, value: decode(value, id), version };
}

/** @param {Row[]} rows */
function isLastPage(rows) {
  const { count = 0 } = rows[0] ?? {}; // The number of rows before the page was cut at its limit of bytes.
  return count < PAGE_LENGTH && rows.length === count;
}

/**
 * @param {Row[]} rows
 * @param {typeof decodeValue} decode
 */
function toPage(rows, decode) {
  return { ids: rows.map(idOf), found: rows.map((row) => toRecord(row, idOf(row), decode)) };
}
