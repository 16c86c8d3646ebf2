import assert from "node:assert/strict";
import { after, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import pg from "pg";
import upstream from "polystore";
import kv from "polystore-wasm";
import { postgres } from "../contract/clients/postgres.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { startPostgres } from "../support/postgres.js";
import { checkPrune } from "./prune.js";

const { url, stop } = await startPostgres();
after(() => stop());

const pool = () => new pg.Pool({ connectionString: url });
const connected = async () => {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client;
};
testContract(postgres(kv, "Postgres, a Client of pg", connected, (client) => client.end()));

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
// Ready before the first case: making it takes seconds, in which nothing else would run.
const lite = await PGlite.create();
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

testPostgres("a prefix is looked up in an index", async (client) => {
  await kv(client).set("first", 1);
  await client.query("INSERT INTO kv SELECT 'k' || i, '1' FROM generate_series(1, 20000) AS i");
  await client.query("ANALYZE kv");
  const query = `EXPLAIN SELECT id FROM kv WHERE id COLLATE "C" >= 'k777' AND id COLLATE "C" < 'k778'`;
  const { rows } = await client.query(query);
  assert.match(JSON.stringify(rows), /idx_kv_id_c/);
});

testPostgres("prune() deletes the rows, of its prefix", async (client) => {
  await checkPrune(kv(client));
  assert.equal((await client.query("SELECT id FROM kv")).rowCount, 1);
});

testPostgres("the calls of one tick are one statement", async (client) => {
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
  assert.equal(statements, 2);
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

test("a server that is not there is ERR_CLIENT, with the cause", async () => {
  const client = new pg.Pool({ host: "127.0.0.1", port: 1 });
  await assert.rejects(kv(client).get("a"), ({ code, cause }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.equal(/** @type {any} */ (cause).code, "ECONNREFUSED");
    return true;
  });
  await client.end();
});

test("a client of the user's own with query() is not taken for Postgres", () => {
  const own = Object.fromEntries(["get", "set", "query", "connect", "end"].map((name) => [name, () => {}]));
  assert.equal(kv(/** @type {any} */ (own)).type, "UNKNOWN");
});
