import assert from "node:assert/strict";
import { after, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import upstream from "polystore";
import kv from "polystore-wasm";
import { postgres } from "../contract/clients/postgres.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { startPostgres } from "../support/postgres.js";
import { checkPrune } from "./prune.js";

const { url, halt, start, stop } = await startPostgres();
after(() => stop());

// Before the first case: making it takes seconds, in which the cases there are would run, and all end.
const lite = await PGlite.create();
const pool = () => new pg.Pool({ connectionString: url });
const connected = async () => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
};
testContract({
  ...postgres(kv, "Postgres, a Client of pg", connected, (client) => client.end()),
  second: connected,
  hearsOthers: false,
});

/**
 * A client that is not closed when a store closes it: making one for each of hundreds of cases takes its time. That close() does
 * close it, the Client above shows, and the tests below.
 * @param {any} client
 */
const keptOpen = (client) => {
  const methods = ["query", "connect", "exec", "execProtocol", "transaction", "on", "off"].filter(
    (name) => name in client,
  );
  const bound = Object.fromEntries(methods.map((name) => [name, client[name].bind(client)]));
  const close = async () => {};
  return () => ({ ...bound, ...("end" in client ? { end: close, ...COUNTS } : { close }) });
};
const COUNTS = { totalCount: 0, idleCount: 0, waitingCount: 0 };
const onePool = pool();
testContract(postgres(kv, "Postgres, a Pool of pg", keptOpen(onePool), () => {}));
testContract(postgres(kv, "Postgres, PGlite", keptOpen(lite), () => {}));
after(() => Promise.all([onePool.end(), lite.close()]));

/**
 * Runs a test over an empty database.
 * @param {string} name
 * @param {(client: any) => Promise<void>} run
 */
function testPostgres(name, run) {
  test(name, async () => {
    const client = pool();
    await client.query("DROP TABLE IF EXISTS kv");
    try {
      await run(client);
    } finally {
      if (!client.ended) await client.end();
    }
  });
}

testPostgres("polystore reads what we write", (client) => checkOneWay(kv, upstream, client));
testPostgres("we read what polystore writes", (client) => checkOneWay(upstream, kv, client));
testPostgres("clear() spares what another connection has just written anew, and nothing else", async (client) => {
  const store = kv(client);
  await Promise.all(Array.from({ length: 20 }, (_, i) => store.set(`k${i}`, i)));
  const query = client.query.bind(client);
  client.query = async (/** @type {any[]} */ ...args) => {
    client.query = query;
    const listed = await query(...args);
    await query("UPDATE kv SET value = '\"new\"' WHERE id = 'k7'");
    return listed;
  };
  await store.clear();
  assert.deepEqual(await store.all(), { k7: "new" });
});

testPostgres("we see polystore's expiry", (client) => checkExpiry(upstream, kv, client));

testPostgres("close() ends a Pool, and a PGlite", async (client) => {
  await kv(client).close();
  assert.equal(client.ended, true);
  const lite = new PGlite();
  const store = kv(lite);
  await store.set("a", 1);
  await store.close();
  assert.equal(lite.closed, true);
});

test("close() ends a Pool whose server is not there, or whose table is another's", async () => {
  const lost = new pg.Pool({ port: 1 });
  await kv(lost).close();
  assert.equal(lost.ended, true);
  const other = new PGlite();
  await other.exec("CREATE TABLE kv (name TEXT)");
  const store = kv(other);
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
  await store.close();
  assert.equal(other.closed, true);
  await assert.rejects(store.get("a"), { code: "ERR_CLOSED" });
});

testPostgres("eight clients that begin at once on an empty database all get their table", async (client) => {
  const clients = Array.from({ length: 8 }, pool);
  await Promise.all(clients.map((client, i) => kv(client).set(`k${i}`, i)));
  assert.equal((await kv(client).keys()).length, 8);
  await Promise.all(clients.map((client) => client.end()));
});

testPostgres("a prefix is exact: neither its case nor %, _ and backslashes mean anything else", async (client) => {
  const store = kv(client);
  for (const key of ["A:1", "a:1", "ab:x", "a_x", "%y", "z\\w", "\u{10ffff}z", "\u{d7ff}z"]) await store.set(key, key);
  for (const prefix of ["A:", "a_", "%", "z\\", "\u{10ffff}", "\u{d7ff}"]) {
    assert.equal((await store.prefix(prefix).keys()).length, 1, prefix);
  }
  await store.prefix("a_").clear();
  await store.prefix("%").clear();
  assert.equal((await store.keys()).length, 6);
});

testPostgres(
  "a prefix is exact, and a page follows the other, where texts are not ordered by code point",
  async (client) => {
    await client.query(`
    CREATE TABLE kv (id TEXT COLLATE "en-x-icu" PRIMARY KEY, value TEXT NOT NULL, expires_at TIMESTAMPTZ);
    INSERT INTO kv SELECT letter || i, '1' FROM generate_series(1, 600) AS i, unnest('{a,A,b,B}'::text[]) AS letter`);
    const { rows } = await client.query("SELECT id FROM kv ORDER BY id LIMIT 2");
    assert.deepEqual(rows, [{ id: "a1" }, { id: "A1" }], "the order of the table");
    const store = kv(client);
    for (const prefix of ["a", "A", "b", "B"]) assert.equal((await store.prefix(prefix).keys()).length, 600, prefix);
    const seen = new Set();
    for await (const [key] of store) seen.add(key);
    assert.equal(seen.size, 2400);
    await store.prefix("A").clear();
    assert.equal((await store.keys()).length, 1800);
  },
);

testPostgres("a prefix is looked up in an index", async (client) => {
  await kv(client).set("first", 1);
  await client.query("INSERT INTO kv SELECT 'k' || i, '1' FROM generate_series(1, 20000) AS i");
  await client.query("ANALYZE kv");
  /** @type {[text: string, values: unknown[]][]} */
  const queries = [];
  const { query } = client;
  client.query = (/** @type {[string, unknown[]]} */ ...args) => {
    queries.push(args);
    return query.apply(client, args);
  };
  const store = kv(client).prefix("k777");
  await store.keys();
  for await (const _ of store);
  await store.prune();
  client.query = query;
  assert.equal(queries.length, 3);
  for (const [text, values] of queries) {
    const { rows } = await client.query(`EXPLAIN ${text}`, values);
    assert.match(JSON.stringify(rows), /idx_kv_id_c/, text);
  }
});

testPostgres(
  "a page ends at a number of bytes too: an iteration over large values holds a few of them",
  async (client) => {
    const store = kv(client);
    const value = "x".repeat(1_000_000);
    const keys = Array.from({ length: 30 }, (_, i) => `k${String(i).padStart(2, "0")}`);
    for (const key of keys) await store.set(key, value);
    /** @type {number[]} */
    const lengths = [];
    const { query } = client;
    client.query = async (/** @type {[string, unknown[]]} */ ...args) => {
      const result = await query.apply(client, args);
      lengths.push(JSON.stringify(result.rows).length);
      return result;
    };
    const seen = [];
    for await (const [key] of store) seen.push(key);
    assert.deepEqual(seen, keys);
    await store.clear();
    client.query = query;
    assert.ok(Math.max(...lengths) < 6_000_000, `${Math.max(...lengths)} characters of rows at once`);
    assert.deepEqual(await store.keys(), []);
  },
);

testPostgres("prune() deletes the rows, of its prefix", async (client) => {
  await checkPrune(kv(client));
  assert.equal((await client.query("SELECT id FROM kv")).rowCount, 1);
});

testPostgres("the first call of a tick is sent at once, and the others are one statement", async (client) => {
  const store = kv(client);
  await store.set("first", 1);
  let statements = 0;
  const { query } = client;
  client.query = (/** @type {any[]} */ ...args) => {
    ++statements;
    return query.apply(client, args);
  };
  const keys = Array.from({ length: 500 }, (_, i) => `k${i % 400}`);
  await Promise.all(keys.map((key, i) => store.set(key, i)));
  assert.equal((await Promise.all(keys.map(store.get))).at(-1), 499);
  // The first call of each tick is sent at once. The second write on the key of the first one waits for it, and the others are together.
  assert.equal(statements, 5);
});

testPostgres("connections that the server ends are an error at most, and the store goes on", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  const other = await connected();
  const lost = new Promise((resolve) => client.once("error", resolve));
  await other.query("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()");
  await lost;
  assert.equal(await store.get("a"), 1);
  await other.end();
});

testPostgres("a listing, prune() and clear() have their place among the calls of a tick", async (client) => {
  const store = kv(client);
  for (let round = 0; round < 30; ++round) {
    await store.set("a", 1);
    await store.set("gone", 1, { expires: 0.001 });
    await sleep(2); // The real clock has to pass the millisecond.
    const calls = [store.keys(), store.set("b", 2), store.prune(), store.set("gone", 2), store.entries()];
    const [keys, , pruned, , entries] = /** @type {any[]} */ (await Promise.all(calls));
    assert.deepEqual([keys, pruned], [["a"], 1]);
    assert.deepEqual(entries.map((/** @type {[string]} */ [key]) => key).sort(), ["a", "b", "gone"]);
    await Promise.all([store.clear(), store.set("c", 3)]);
    assert.deepEqual(await store.keys(), ["c"]);
    await store.clear();
  }
});

for (const isolation of ["read committed", "serializable"]) {
  testPostgres(
    `two that write and delete the same keys in opposite orders lose nothing: ${isolation}`,
    async (client) => {
      const options = `-c default_transaction_isolation=${isolation.replace(" ", "\\ ")}`;
      const others = [1, 2].map(() => new pg.Pool({ connectionString: url, options }));
      const [one, two] = others.map((other) => kv(other));
      await kv(client).keys();
      const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
      const backwards = keys.toReversed();
      for (let round = 0; round < 5; ++round) {
        await Promise.all([...keys.map((key) => one.set(key, 1)), ...backwards.map((key) => two.set(key, 2))]);
        await Promise.all([...keys.map((key) => one.del(key)), ...backwards.map((key) => two.set(key, 3))]);
        await Promise.all([...keys.map((key) => one.del(key)), ...backwards.map((key) => two.del(key))]);
      }
      assert.equal(await kv(client).has("k0"), false);
      await Promise.all(others.map((other) => other.end()));
    },
  );
}

testPostgres("a key too long for the index is ERR_KEY, and takes no other call with it", async (client) => {
  const store = kv(client);
  const random = Array.from({ length: 9000 }, () => Math.random().toString(36).slice(2, 3)).join("");
  const calls = ["a", "b", random, `${random}2`, "c", "d\0"].map((key) => store.set(key, key.length));
  const outcomes = await Promise.allSettled(calls);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : outcome.value)),
    ["a", "b", "ERR_KEY", "ERR_KEY", "c", "ERR_KEY"],
  );
  assert.deepEqual(await store.all(), { a: 1, b: 1, c: 1 });
});

testPostgres(
  "a rule of the table's owner that one record breaks takes no other with it; a full disk is ERR_QUOTA",
  async (client) => {
    const store = kv(client);
    await store.set("a", 1);
    await client.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
      IF NEW.id = 'full' THEN RAISE 'no space left' USING ERRCODE = 'disk_full'; END IF;
      RETURN NEW;
    END $$;
    CREATE TRIGGER refuse BEFORE INSERT ON kv FOR EACH ROW EXECUTE FUNCTION refuse();
    ALTER TABLE kv ADD CHECK (id <> 'wrong')`);
    const outcomes = await Promise.allSettled(["b", "wrong", "c"].map((key) => store.set(key, 2)));
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    await assert.rejects(store.set("full", 1), { code: "ERR_QUOTA" });
    assert.deepEqual(await store.all(), { a: 1, b: 2, c: 2 });
    await client.query("DROP TABLE kv; DROP FUNCTION refuse");
  },
);

testPostgres("a role without CREATE uses the table that is there; one that only reads reads", async (client) => {
  const admin = kv(client);
  await admin.set("a", 1);
  await admin.set("gone", 1, { expires: 0.001 });
  await sleep(2);
  await client.query(`
    DROP INDEX idx_kv_id_c;
    CREATE ROLE writer LOGIN; GRANT SELECT, INSERT, UPDATE, DELETE ON kv TO writer;
    CREATE ROLE reader LOGIN; GRANT SELECT ON kv TO reader`);
  const [writer, reader] = ["writer", "reader"].map(
    (user) => new pg.Pool({ connectionString: url.replace("postgres@", `${user}@`) }),
  );
  const reading = kv(reader);
  assert.deepEqual([await reading.get("gone"), await reading.all()], [null, { a: 1 }]);
  await assert.rejects(reading.set("a", 2), { code: "ERR_CLIENT" });
  await assert.rejects(reading.prune(), { code: "ERR_CLIENT" });
  await assert.rejects(reading.clear(), { code: "ERR_CLIENT" });
  await kv(writer).set("b", 2);
  assert.deepEqual(await kv(writer).all(), { a: 1, b: 2 });
  await Promise.all([writer.end(), reader.end()]);
  await client.query("DROP TABLE kv; DROP ROLE writer; DROP ROLE reader");
});

testPostgres("a transaction under way that wrote to the table keeps nobody from opening it", async (client) => {
  await kv(client).set("a", 1);
  const writing = await client.connect();
  await writing.query("BEGIN");
  await writing.query("INSERT INTO kv VALUES ('b', '2')");
  const other = pool();
  assert.deepEqual(await kv(other).all(), { a: 1 });
  await writing.query("COMMIT");
  writing.release();
  await other.end();
});

testPostgres("a table kv of other code is an error that names its columns", async (client) => {
  await client.query(`CREATE TABLE kv (id TEXT PRIMARY KEY, "expiresAt" TIMESTAMP)`);
  await assert.rejects(kv(client).get("a"), { code: "ERR_CLIENT", message: /the columns id, expiresAt instead of/ });
  await client.query("DROP TABLE kv");
});

testPostgres("prune() and clear() leave the rows of other code", async (client) => {
  const store = kv(client);
  await store.set("a", 1, { expires: 0.001 });
  await client.query("INSERT INTO kv VALUES ('theme', 'dark', '2000-01-01'), ('none', 'null', '2000-01-01')");
  await client.query("INSERT INTO kv VALUES ('precise', '1', '2000-01-01 00:00:00.123456')");
  await sleep(2);
  assert.equal(await store.prune(), 2);
  await store.clear();
  assert.deepEqual((await client.query("SELECT id FROM kv ORDER BY id")).rows, [{ id: "none" }, { id: "theme" }]);
});

testPostgres("expiry is exact to the millisecond, up to the last date there is", async (client) => {
  const store = kv(client);
  const realNow = Date.now;
  try {
    for (const expires of [9007199254740, 9223372036857, 253402300800123, 8639999999999999, 8.64e15]) {
      Date.now = () => expires - 1000;
      await store.set("a", 1, { expires: 1 });
      const { rows } = await client.query("SELECT extract(epoch FROM expires_at) * 1000 AS ms FROM kv");
      assert.equal(Number(rows[0].ms), expires);
      Date.now = () => expires - 1;
      assert.equal(await store.get("a"), 1);
      Date.now = () => expires;
      assert.equal(await store.prune(), 1);
    }
  } finally {
    Date.now = realNow;
  }
});

testPostgres("keys under half of a surrogate pair are listed, and cleared", async (client) => {
  const store = kv(client);
  for (const key of ["a\u{1f600}", "a\u{1f601}b", "a\u{1f900}", "a", "\u{10ffff}"]) await store.set(key, 1);
  assert.deepEqual((await store.prefix("a\ud83d").keys()).sort(), ["\ude00", "\ude01b"]);
  assert.equal(await store.prefix("a\ud83d").get("\ude00"), 1);
  assert.deepEqual(await store.prefix("\udbff").keys(), ["\udfff"]);
  for (const prefix of ["\ud83da", "a\ude00", "\0"]) assert.deepEqual(await store.prefix(prefix).keys(), [], prefix);
  await store.prefix("a\ud83d").clear();
  assert.deepEqual((await store.keys()).sort(), ["a", "a\u{1f900}", "\u{10ffff}"]);
});

testPostgres(
  "a call that is not answered in the store's timeout is ERR_CLIENT, and no later one waits",
  async (client) => {
    const [store, patient] = ["50ms", "10s"].map((timeout) => kv(client, { timeout }));
    await patient.set("a", 1);
    const locking = await client.connect();
    await locking.query("BEGIN; SELECT FROM kv WHERE id = 'a' FOR UPDATE");
    try {
      await assert.rejects(store.set("a", 2), { code: "ERR_CLIENT", message: /the store's timeout/ });
      await patient.set("b", 2);
      assert.deepEqual(await patient.all(), { a: 1, b: 2 });
    } finally {
      await locking.query("COMMIT");
      locking.release();
    }
  },
);

testPostgres("a locked row holds up the calls on its key only, in the same tick and later", async (client) => {
  const store = kv(client);
  await Promise.all(["a", "b", "c", "d", "e"].map((key) => store.set(key, 0)));
  await store.set("expired", 1, { expires: 0.001 });
  const locking = await client.connect();
  await locking.query("BEGIN; SELECT FROM kv WHERE id IN ('a', 'e', 'expired') FOR UPDATE");
  let settled = 0;
  /** @param {Promise<unknown>} call */
  const stuck = (call) => call.finally(() => ++settled);
  try {
    const held = [stuck(store.set("a", 1))];
    assert.equal(await store.set("b", 1), "b", "after it in one tick");
    const others = [store.set("b", 2), store.get("b"), store.del("c"), store.set("new", 1), store.has("d")];
    held.push(stuck(store.set("a", 2)), stuck(store.get("a")), stuck(store.del("e")), stuck(store.keys()));
    assert.deepEqual(await Promise.all([...others, store.del("d")]), ["b", 2, "c", "new", true, "d"]);
    await store.set("after the listing", 1);
    assert.deepEqual(await store.prefix("b").all(), { "": 2 });
    assert.equal(await store.get("expired"), null);
    assert.equal(settled, 0);
    await locking.query("COMMIT");
    const [, , value, , keys] = await Promise.all(held);
    assert.equal(value, 2);
    assert.ok(
      !(/** @type {string[]} */ (keys).includes("e")),
      "a listing comes after the writes that were called before it",
    );
    assert.deepEqual(await store.all(), { a: 2, b: 2, new: 1, "after the listing": 1 });
  } finally {
    locking.release(true);
  }
});

testPostgres("a clear() comes after all calls before it, and before those after it", async (client) => {
  const store = kv(client);
  await store.set("a:1", 0);
  const locking = await client.connect();
  await locking.query("BEGIN; SELECT FROM kv WHERE id = 'a:1' FOR UPDATE");
  try {
    const calls = [store.set("a:1", 1), store.get("a:1"), store.prefix("a:").clear(), store.set("a:2", 2)];
    await store.set("b", 1);
    await locking.query("COMMIT");
    assert.equal((await Promise.all(calls))[1], 1);
    assert.deepEqual(await store.all(), { "a:2": 2, b: 1 });
  } finally {
    locking.release(true);
  }
});

testPostgres(
  "a set that was given up and is carried out late does not replace one that was called after it",
  async (client) => {
    const [store, patient] = ["50ms", "10s"].map((timeout) => kv(client, { timeout }));
    await patient.set("a", 0);
    // The first value waits for a lock that the second one does not need.
    await client.query(`
      CREATE FUNCTION delay() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF NEW.value = '1' THEN PERFORM pg_advisory_xact_lock_shared(42); END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER delay BEFORE INSERT ON kv FOR EACH ROW EXECUTE FUNCTION delay()`);
    const locking = await client.connect();
    await locking.query("SELECT pg_advisory_lock(42)");
    try {
      await assert.rejects(store.set("a", 1), { code: "ERR_CLIENT", message: /the store's timeout/ });
      await assert.rejects(store.set("a", "never"), { code: "ERR_CLIENT" });
      const second = patient.set("a", 2);
      assert.deepEqual([await patient.get("b"), await patient.set("b", 3)], [null, "b"]);
      await locking.query("SELECT pg_advisory_unlock(42)");
      await second;
      // The late one is no longer under way when a statement has taken its lock from everybody.
      await locking.query("SELECT pg_advisory_lock(42)");
      assert.deepEqual(await patient.all(), { a: 2, b: 3 });
    } finally {
      locking.release(true);
      await client.query("DROP TABLE kv; DROP FUNCTION delay");
    }
  },
);

testPostgres(
  "a server that is stopped is ERR_CLIENT, and the store of a Pool works when it is back",
  async (client) => {
    const single = await connected();
    const [store, other] = [kv(client), kv(single)];
    await Promise.all([store.set("a", 1), other.get("a")]);
    const ended = new Promise((resolve) => single.once("end", resolve));
    const waiting = single.query("SELECT pg_sleep(1000)").catch(() => {}); // So that a call is under way.
    const underWay = assert.rejects(other.get("a"), ({ code, cause }) => code === "ERR_CLIENT" && cause !== undefined);
    await halt();
    await Promise.all([waiting, underWay, ended]);
    await assert.rejects(store.set("a", 2), { code: "ERR_CLIENT" });
    await assert.rejects(other.get("a"), { code: "ERR_CLIENT" });
    await start();
    assert.equal(await store.get("a"), 1);
    await assert.rejects(other.get("a"), { code: "ERR_CLIENT" });
    await other.close();
    await assert.rejects(kv(single).get("a"), {
      code: "ERR_CLIENT",
      message: /Pass a new Client to kv\(\), or a Pool/,
    });
  },
);

test("a Client that could not connect is an error each time", async () => {
  const client = new pg.Client({ host: "127.0.0.1", port: 1 });
  const store = kv(client);
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT", message: /cannot connect again/ });
  assert.ok(client.listenerCount("error") <= 1, "the listeners that are left");
});

testPostgres("close() does not mind that the owner closed the client", async (client) => {
  const [single, lite] = [await connected(), new PGlite()];
  for (const [given, end] of /** @type {[any, () => any][]} */ ([
    [client, () => client.end()],
    [single, () => single.end()],
    [lite, () => lite.close()],
  ])) {
    const store = kv(given);
    await store.get("a");
    await end();
    await store.close();
  }
});

test("a server that is not there is ERR_CLIENT, with the cause", async () => {
  const client = new pg.Pool({ host: "127.0.0.1", port: 1 });
  await assert.rejects(kv(client).get("a"), ({ code, cause }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.equal(/** @type {any} */ (cause).code, "ECONNREFUSED");
    return true;
  });
  await client.end();
});

/** @param {string[]} names */
const withMethods = (...names) => Object.fromEntries(names.map((name) => [name, () => {}]));

test("a client of the user's own with query() is not taken for Postgres", () => {
  for (const names of [["connect", "end"], ["exec", "transaction", "close"], []]) {
    assert.equal(kv(/** @type {any} */ (withMethods("get", "set", "query", ...names))).type, "UNKNOWN");
  }
});

test("connections of other databases are not taken for Postgres", () => {
  const mysql = withMethods("query", "connect", "end", "execute", "escape", "format", "changeUser", "on");
  for (const other of [mysql, withMethods("query", "getConnection", "end", "on")]) {
    assert.throws(() => kv(/** @type {any} */ (other)), { code: "ERR_CLIENT", message: /cannot wrap/ });
  }
});
