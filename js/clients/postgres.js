import { PolystoreError, PolystoreTypeError, quotaError, show } from "../support/errors.js";
import { decodeValue, encodeValue, isRecord, parseValue } from "../support/record.js";
import { CallOrder } from "../support/call_order.js";
import { inHalves } from "../support/in_halves.js";
import { requireColumns } from "./kv_table.js";
import { foundOf, isPut, keysOf, lastChanges, onlyChange, outcomesOf } from "../support/commits.js";
import { boundsOf, isPrefixOnly } from "../support/range.js";
import { requireText } from "../support/text_key.js";

/** A page of a listing ends after this number of rows, or with the value that makes it this long in bytes. */
const PAGE_LENGTH = 1000;
const PAGE_BYTES = 1 << 22;
/**
 * The number of times that a statement is sent if it loses conflicts with others. Of conflicting statements one always succeeds, but several
 * connections can send more than ten of them at once.
 */
const ATTEMPTS = 100;

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
/** The hash of a value: the version of a record that is listed to be removed. */
const HASH = "hashtextextended(value, 0)::text";
/**
 * @param {string} version The expression for the version of a row.
 * @param {string} [whereLocked] The clause for rows that another transaction has locked; without it, the statement waits.
 */
const removeIfStatement = (version, whereLocked = "") => `
  WITH given AS (SELECT * FROM unnest($1::text[], $2::float8[], $3::text[]) AS given (id, expires, version)),
    locked AS (SELECT given.* FROM kv JOIN given USING (id) ORDER BY id COLLATE "C" FOR UPDATE OF kv ${whereLocked})
  DELETE FROM kv USING locked WHERE kv.id = locked.id AND ${EXPIRES} IS NOT DISTINCT FROM locked.expires
    AND (locked.version IS NULL OR ${version} = locked.version)
  RETURNING 'k' || kv.id AS key`;
const REMOVE_IF = removeIfStatement(HASH);
// A reader removes expired records too. It must not wait for a transaction that changes the row.
const REMOVE_IF_UNLOCKED = removeIfStatement("kv.value", "SKIP LOCKED");
/**
 * Makes one commit. The rows of the expected records are locked and compared as they are then, even if another transaction has
 * changed them since the statement began. An absent record has no row to lock, so two commits may both find no record; only one of them
 * can insert it.
 * @param {string} [whereFound] The clause for a record that is found after all; without it, the statement fails with 23505.
 */
const commitStatement = (whereFound = "") => `
  WITH expected AS (
      SELECT * FROM unnest($1::text[], $2::boolean[], $3::float8[], $4::text[])
        AS expected (id, is_absent, expires, version)),
    given AS (SELECT * FROM unnest($5::text[], $6::text[], $7::timestamptz[]) AS given (id, value, expires_at)),
    locked AS (
      SELECT id, value, ${EXPIRES} AS expires FROM kv WHERE id IN (SELECT id FROM expected)
      ORDER BY id COLLATE "C" FOR UPDATE),
    verdict AS (
      SELECT NOT EXISTS (
        SELECT FROM expected LEFT JOIN locked USING (id)
        WHERE (locked.value IS NULL) <> is_absent OR locked.expires IS DISTINCT FROM expected.expires
          OR locked.value <> version) AS holds),
    removed AS (DELETE FROM kv USING given, verdict WHERE holds AND given.value IS NULL AND kv.id = given.id),
    put AS (
      SELECT given.*, id IN (SELECT id FROM expected WHERE is_absent) AS is_new FROM given, verdict
      WHERE holds AND value IS NOT NULL ORDER BY id COLLATE "C"),
    replaced AS (INSERT INTO kv (id, value, expires_at) SELECT id, value, expires_at FROM put WHERE NOT is_new ${UPSERT}),
    created AS (
      INSERT INTO kv (id, value, expires_at) SELECT id, value, expires_at FROM put WHERE is_new ${whereFound}
      RETURNING id)
  SELECT holds AND (SELECT count(*) FROM created) = (SELECT count(*) FROM put WHERE is_new) AS made FROM verdict`;
const COMMIT_ONE = commitStatement("ON CONFLICT (id) DO NOTHING");
const COMMIT_SEVERAL = commitStatement();
/** The types of the parameters of a commit. */
const COMMIT_TYPES = ["text", "boolean", "float8", "text", "text", "text", "timestamptz"];
/**
 * Locks the keys in $1 until the end of the transaction against other commits of several keys: each could change what the other one
 * expects without changing it.
 */
const LOCK_KEYS = `
  SELECT pg_advisory_xact_lock(key) FROM (
    SELECT DISTINCT hashtextextended(id, 1) AS key FROM unnest($1::text[]) AS keys (id) ORDER BY key) AS sorted`;
const LIST_ALL = `SELECT ${ROW} FROM kv`;
const LIST = `${LIST_ALL} WHERE ${IN_RANGE}`;
const LIST_FORWARD = `${LIST} ORDER BY id COLLATE "C" LIMIT $3`;
const LIST_REVERSE = `${LIST} ORDER BY id COLLATE "C" DESC LIMIT $3`;
const LIST_PAGE = page();
const LIST_EXPIRED = page("($4::timestamptz IS NULL OR expires_at <= $4)", `, ${HASH} AS version`);

/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Expectation} Expectation */
/** @typedef {{ type: "read" | "put" | "remove", id: string, text?: string, expires?: number | null }} Single */
/** A call that is sent alone, in order with the other calls. @typedef {{ type: "other", run: () => Promise<unknown> }} Other */
/** @typedef {import("../support/batch.js").Pending<Single>} Pending */
/** @typedef {{ key: string, value: string, expires: number | null, count?: number, version?: string, made?: boolean }} Row */
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
    return this.#add({ type: "read", id }, (row) => row && { ...toRecord(row, id, decodeValue), version: row.value });
  }

  /**
   * @param {readonly Commit[]} commits
   * @returns {Promise<readonly import("../core/client.js").Outcome[]>}
   */
  commit(commits) {
    const change = onlyChange(commits);
    if (change) {
      const { id } = change;
      if (!isPut(change)) return this.#add({ type: "remove", id });
      return this.#add(toSingle(change));
    }
    const scope = { writes: true, keys: commits.flatMap(keysOf) };
    if (commits.every(removesExpired)) return this.#alone(scope, () => this.#removeExpired(commits));
    if (commits.length === 1) return this.#alone(scope, () => this.#commitOne(commits[0]));
    return outcomesOf(commits.map((commit) => this.commit([commit])));
  }

  /** @param {readonly Commit[]} commits */
  async #removeExpired(commits) {
    const expected = commits.flatMap((commit) => commit.expected);
    const removed = await this.#removeIf(REMOVE_IF_UNLOCKED, expected);
    return expected.map(({ id }) => removed.has(id));
  }

  /**
   * @param {Commit} commit
   * @returns {Promise<readonly import("../core/client.js").Outcome[]>}
   */
  async #commitOne(commit) {
    const { expected } = commit;
    const keys = keysOf(commit);
    const changes = lastChanges(commit);
    const values = [
      ...columnsOf(
        expected.map((expectation) => {
          const found = foundOf(expectation);
          return [expectation.id, found === null, found?.expires ?? null, found?.version ?? null];
        }),
        4,
      ),
      ...columnsOf(
        changes.map((change) => rowOf(toSingle(change))),
        3,
      ),
    ];
    try {
      const isAlone = keys.length === 1 || expected.length === 0;
      const [{ made }] = isAlone ? await this.#select(COMMIT_ONE, values) : await this.#commitSeveral(keys, values);
      return [Boolean(made)];
    } catch (error) {
      throw writeError(keys[0], error);
    }
  }

  /**
   * Makes a commit of several keys after it has locked them. A statement sees what was committed before it began, so the lock needs a
   * statement of its own. Both are one query, which is one transaction, and no other query of the client can come in between.
   * @param {string[]} keys
   * @param {unknown[][]} values
   * @returns {Promise<Row[]>}
   */
  async #commitSeveral(keys, values) {
    const text = `${withValues(LOCK_KEYS, ["text"], [keys])}; ${withValues(COMMIT_SEVERAL, COMMIT_TYPES, values)}`;
    // A record that is found after all makes the statement fail. The next attempt finds it sooner.
    const results = await this.#attempt(() => this.#client[this.#client.exec ? "exec" : "query"](text), "23505");
    return results[1].rows;
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
    else if (request.type === "put") await this.#write([...chainsOf(singles).values()]);
    else await this.#remove(singles);
  }

  /** @param {Pending[]} calls */
  async #read(calls) {
    const ids = calls.map(({ request }) => request.id);
    if (ids.length === 1) return calls[0].resolve((await this.#select(READ_ONE, ids))[0]);
    const found = new Map((await this.#select(READ, [ids])).map((row) => [idOf(row), row]));
    for (const { request, resolve } of calls) resolve(found.get(request.id));
  }

  /** @param {Pending[][]} chains Each chain has the writes to one key. */
  #write(chains) {
    const fail = (/** @type {Pending[]} */ chain, /** @type {unknown} */ error) =>
      chain.forEach(({ reject }) => reject(error));
    return inHalves(chains, (some) => this.#writeTogether(some), mayBeOfOne, fail);
  }

  /**
   * Writes the last value of each chain in one statement.
   * @param {Pending[][]} chains Each chain has the writes to one key.
   */
  async #writeTogether(chains) {
    if (chains.length === 1) return this.#writeAlone(chains[0]);
    const rows = await this.#select(
      PUT,
      columnsOf(
        chains.map((chain) => rowOf(chain[chain.length - 1].request)),
        3,
      ),
    );
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
        await this.#query(PUT_ONE, rowOf(request));
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
    const values = columnsOf(
      expected.map(({ id, found }) => [id, found?.expires ?? null, found?.version ?? null]),
      3,
    );
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
  #query(text, values) {
    return this.#attempt(() => this.#client.query(text, values));
  }

  /**
   * Sends a query, and again if it loses a conflict with others.
   * @param {() => Promise<any>} send
   * @param {string[]} codes The codes of more errors that mean a conflict.
   */
  async #attempt(send, ...codes) {
    let conflict;
    for (let attempt = 1; ; ++attempt) {
      try {
        return await send();
      } catch (error) {
        // Inside a transaction of the user a retry fails with 25P02, so the conflict itself is thrown.
        if (conflict && isError(error, "25P02")) throw conflict;
        if (attempt === ATTEMPTS || !isError(error, "40P01", "40001", ...codes)) throw error;
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

/**
 * @param {import("../core/client.js").Change} change
 * @returns {Single}
 */
function toSingle(change) {
  const { id } = change;
  if (!isPut(change)) return { type: "remove", id };
  return { type: "put", id, text: encodeValue(change.value), expires: change.expires };
}

/** @param {Single} request */
function rowOf({ id, text, expires = null }) {
  return [id, text ?? null, expires === null ? null : toTimestamp(expires)];
}

/**
 * @param {unknown[][]} rows
 * @param {number} count The number of columns.
 * @returns {unknown[][]}
 */
function columnsOf(rows, count) {
  return Array.from({ length: count }, (_, i) => rows.map((row) => row[i]));
}

/**
 * Tells whether a commit only removes a record that has expired. A reader makes such a commit, and must not wait for others.
 * @param {Commit} commit
 */
function removesExpired({ expected, changes }) {
  const [expectation, ...others] = [...expected, ...changes];
  if (expected.length !== 1 || others.length !== 1 || isPut(changes[0]) || others[0].id !== expectation.id)
    return false;
  const expires = expected[0].found?.expires ?? null;
  return expires !== null && expires <= Date.now();
}

/**
 * Writes arrays into a statement, in place of its parameters.
 * @param {string} statement
 * @param {string[]} types The type of the items of each array.
 * @param {unknown[][]} values
 */
function withValues(statement, types, values) {
  return statement.replace(/\$(\d)::\w+\[\]/g, (_, number) => {
    const literals = values[number - 1].map((value) => (typeof value === "string" ? literal(value) : String(value)));
    return `ARRAY[${literals}]::${types[number - 1]}[]`;
  });
}

/** @param {string} text */
function literal(text) {
  return `E'${text.replace(/['\\]/g, "$&$&")}'`;
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
