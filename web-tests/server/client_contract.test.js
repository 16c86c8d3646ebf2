// What every client owes the core: ranges in order, and commits that are made only where everything is as expected.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, test } from "node:test";
import { PGlite } from "@electric-sql/pglite";
import Database from "better-sqlite3";
import { Etcd3 } from "etcd3";
import { IDBFactory } from "fake-indexeddb";
import { Redis } from "ioredis";
import Keyv from "keyv6";
import { Level } from "level";
import { LRUCache } from "lru-cache";
import { MemoryLevel } from "memory-level";
import pg from "pg";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { createClient } from "redis";
import { WeakLRUCache } from "weak-lru-cache";
import { Cloudflare } from "../../js/clients/cloudflare.js";
import { Custom } from "../../js/clients/custom.js";
import { Etcd } from "../../js/clients/etcd/etcd.js";
import { openFile } from "../../js/clients/file/file.js";
import { openFolder } from "../../js/clients/folder/folder.js";
import { Http } from "../../js/clients/http/http.js";
import { openIndexedDb } from "../../js/clients/indexeddb/indexeddb.js";
import { Keyv as KeyvClient } from "../../js/clients/keyv.js";
import { openLevel } from "../../js/clients/level.js";
import { openLog } from "../../js/clients/log/log.js";
import { LruCache } from "../../js/clients/lru_cache.js";
import { Memory } from "../../js/clients/memory.js";
import { openPostgres } from "../../js/clients/postgres.js";
import { openIoRedis, openNodeRedis } from "../../js/clients/redis/redis.js";
import { Sqlite } from "../../js/clients/sqlite.js";
import { WebStorage } from "../../js/clients/storage.js";
import { WeakLruCache } from "../../js/clients/weak_lru_cache.js";
import { FakeStorage } from "../contract/clients/fake_storage.js";
import { makeCommits } from "../support/any_commit.js";
import {
  checkCommit,
  checkFailsAlone,
  checkOneKey,
  checkRaces,
  checkRefusesSeveral,
  checkScan,
  remove,
} from "../support/client_contract.js";
import { startEtcd } from "../support/etcd.js";
import { filesFor, urlOf } from "../support/files.js";
import { serveHttp } from "../support/http.js";
import { startPostgres } from "../support/postgres.js";
import { startRedis, startRedisCluster } from "../support/redis.js";
import { startWorker } from "../support/workerd.js";

/** @typedef {import("../../js/core/client.js").Client} Client */

const { freshPath } = filesFor("client-contract");
const [postgres, redis, cluster, etcd, { worker, stop: stopWorker }] = await Promise.all([
  startPostgres(),
  startRedis(),
  startRedisCluster(),
  startEtcd(),
  startWorker("web-tests/server/cloudflare.worker.js"),
]);
const { origin } = await serveHttp(listener(handler(kv(new Map()))));
after(() => Promise.all([postgres.stop(), redis.stop(), cluster.stop(), etcd.stop(), stopWorker()]));

/** @type {Record<string, () => unknown>} */
const clients = {
  "a Map": () => new Memory(new Map()),
  "a Storage": () => new WebStorage(/** @type {any} */ (new FakeStorage())),
  "an LRUCache": () => new LruCache(new LRUCache({ max: 100 })),
  "a WeakLRUCache": () => new WeakLruCache(new WeakLRUCache()),
  Keyv: () => new KeyvClient(new Keyv()),
  "a client of one's own"() {
    const map = new Map();
    const set = (/** @type {string} */ id, /** @type {unknown} */ record) => void map.set(id, record);
    return new Custom({ get: (/** @type {string} */ id) => map.get(id), set, iterate: () => map.entries() });
  },
  IndexedDB: () => openIndexedDb(new IDBFactory(), "relaxed"),
  SQLite: () => new Sqlite(new Database(freshPath(".db"))),
  Level: () => openLevel(new Level(freshPath(".level"))),
  "a sublevel": () => openLevel(/** @type {any} */ (new MemoryLevel()).sublevel("part")),
  "a File": () => openFile(urlOf(freshPath(".json"))),
  "a Folder"() {
    const path = freshPath("");
    mkdirSync(path);
    return openFolder(`${urlOf(path)}/`);
  },
  "a log": () => openLog(urlOf(freshPath(".kv")), "relaxed"),
  "a Pool of Postgres": () => openPostgres(new pg.Pool({ connectionString: postgres.url })),
  "a Client of Postgres": () => openPostgres(new pg.Client(postgres.url)),
  PGlite: () => openPostgres(new PGlite()),
  "Redis, by redis": () => openNodeRedis(createClient({ url: `redis://127.0.0.1:${redis.port}` }), false),
  "Redis, by ioredis with a key prefix": () => openIoRedis(new Redis(redis.port, { keyPrefix: "mine:" }), "connecting"),
  "a cluster of Redis": () => openIoRedis(new Redis.Cluster(cluster.ports.map((port) => ({ port }))), "connecting"),
  etcd: () => new Etcd(new Etcd3({ hosts: etcd.url })),
  "Cloudflare KV": async () => new Cloudflare(await worker.getKVNamespace("KV")),
  HTTP: () => new Http(`${origin}/`),
};

/** Whom a commit keeps out, and whether it may change several keys. @type {Record<string, [string, boolean]>} */
const reach = {
  "a Map": ["process", true],
  "a Storage": ["process", false],
  "an LRUCache": ["process", false],
  "a WeakLRUCache": ["process", true],
  Keyv: ["none", false],
  "a client of one's own": ["none", false],
  IndexedDB: ["origin", true],
  SQLite: ["storage", true],
  Level: ["process", true],
  "a sublevel": ["process", true],
  "a File": ["origin", true],
  "a Folder": ["origin", false],
  "a log": ["origin", true],
  "a Pool of Postgres": ["storage", true],
  "a Client of Postgres": ["storage", true],
  PGlite: ["storage", true],
  "Redis, by redis": ["storage", true],
  "Redis, by ioredis with a key prefix": ["storage", true],
  "a cluster of Redis": ["storage", true],
  etcd: ["storage", true],
  "Cloudflare KV": ["none", false],
  HTTP: ["origin", true],
};

for (const [name, open] of Object.entries(clients)) {
  test(`${name}: its traits say whom a commit keeps out, and whether it may change several keys`, async () => {
    const client = /** @type {Client} */ (await open());
    assert.deepEqual([client.traits.atomic, client.traits.isTransactional], reach[name]);
    await client.close?.();
  });
  test(`${name}: a range is listed in the order of code points`, async () => {
    const client = /** @type {Client} */ (await open());
    await checkScan(client).finally(() => client.close?.());
  });
  test(`${name}: a record is removed only where it is still the one that was found`, async () => {
    const client = /** @type {Client} */ (await open());
    // The storages without a commit cannot compare and change in one step, or need not, as they answer at once.
    if (client.commit) await checkCommit(client);
    await client.close?.();
  });
  test(`${name}: a commit is made as a whole or not at all`, async () => {
    const client = /** @type {Client} */ (await open());
    try {
      if (client.commit) await checkOneKey(client);
      if (client.commit) await checkFailsAlone(client);
      if (client.commit && client.traits.isTransactional) {
        // Keys with the same part in braces are in the same slot of a cluster.
        const results = await makeCommits(client, "{any commit}:");
        for (const [name, result, expected] of results) assert.deepEqual(result, expected, name);
      } else if (client.commit) await checkRefusesSeveral(client);
    } finally {
      await client.close?.();
    }
  });
}

const sqlitePath = freshPath(".db");
const filePath = urlOf(freshPath(".json"));
const folderPath = freshPath("");
mkdirSync(folderPath);
const database = new IDBFactory();

/** Storages that several clients write to, each through a connection of its own. @type {Record<string, () => unknown>} */
const shared = {
  IndexedDB: () => openIndexedDb(database, "relaxed"),
  SQLite: () => new Sqlite(new Database(sqlitePath)),
  "a File": () => openFile(filePath),
  "a Folder": () => openFolder(`${urlOf(folderPath)}/`),
  ...Object.fromEntries(
    ["a Pool of Postgres", "a Client of Postgres", "Redis, by redis", "a cluster of Redis", "etcd"].map((name) => [
      name,
      clients[name],
    ]),
  ),
};

for (const [name, open] of Object.entries(shared)) {
  test(`${name}: of the commits of several connections that expect the same, one is made`, async () => {
    const connections = /** @type {Client[]} */ ([await open(), await open(), await open()]);
    try {
      await checkRaces(connections, ["{race}"]);
      if (connections[0].traits.isTransactional) await checkRaces(connections, ["{race}", "{race} 2"]);
    } finally {
      for (const connection of connections) await connection.close?.();
    }
  });
}

test("a cluster of Redis refuses a commit of keys in two slots, and says what to do", async () => {
  const client = /** @type {Client} */ (await clients["a cluster of Redis"]());
  const changes = ["one slot", "another slot"].map((id) => ({ id, value: 1, expires: null }));
  const outcomes = client.commit?.([{ expected: [], changes }], Date.now());
  await assert.rejects(Promise.resolve(outcomes), { code: "ERR_UNSUPPORTED", message: /same part in braces/ });
  assert.equal((await client.read("one slot")) ?? null, null);
  await client.close?.();
});

test("etcd refuses a commit of more than 128 keys, and makes many smaller ones", async () => {
  const client = /** @type {Client} */ (await clients.etcd());
  const changes = Array.from({ length: 129 }, (_, i) => ({ id: `many ${i}`, value: i, expires: null }));
  const outcomes = client.commit?.([{ expected: [], changes }], Date.now());
  await assert.rejects(Promise.resolve(outcomes), { code: "ERR_UNSUPPORTED", message: /129 .* at most 128/ });
  const commits = changes.map((change) => ({ expected: [{ id: change.id, found: null }], changes: [change] }));
  assert.deepEqual(
    await client.commit?.(commits, Date.now()),
    changes.map(() => true),
  );
  await client.close?.();
});

for (const name of ["Redis, by redis", "Redis, by ioredis with a key prefix", "a cluster of Redis"]) {
  test(`${name}: a commit that keeps the expiry of a record does not move it`, async () => {
    const client = /** @type {Client} */ (await clients[name]());
    const [id, lasting] = ["{kept} expiry", "{kept} lasting"];
    const now = Date.now();
    const make = (/** @type {any} */ commit) => client.commit?.([{ expected: [], ...commit }], now);
    await make({ changes: [{ id, value: 0, expires: now + 60_000 }] });
    await make({ changes: [{ id: lasting, value: 0, expires: null }] });
    assert.equal(/** @type {any} */ (await client.read(lasting, "record")).expires, null);
    assert.equal((await client.read("{kept} absent", "record")) ?? null, null);
    // The clock of the server stands still, so what is left of the life must not change.
    const lives = [];
    for (let value = 1; value <= 20; ++value) {
      const before = Date.now();
      const found = /** @type {any} */ (await client.read(id, "record"));
      lives.push(before <= found.expires - 60_000 && found.expires - 60_000 <= Date.now());
      const change = { id, value, expires: found.expires };
      assert.deepEqual(await make({ expected: [{ id, found }], changes: [change] }), [true]);
    }
    assert.deepEqual(new Set(lives), new Set([true]));
    await remove(client, id);
    await remove(client, lasting);
    await client.close?.();
  });
}

test("Cloudflare KV tells the expiry of what it wrote, and refuses that of other code", async () => {
  /** @type {any} */
  const namespace = await worker.getKVNamespace("KV");
  const client = new Cloudflare(namespace);
  const expires = Date.now() + 1_000_000;
  await client.put("ours", 1, expires, Date.now());
  await namespace.put("theirs", "1");
  assert.deepEqual(await client.read("ours", "record"), { expires, value: 1 });
  assert.deepEqual(await client.read("ours"), { expires: null, value: 1 });
  await assert.rejects(client.read("theirs", "record"), { code: "ERR_UNSUPPORTED", message: /"theirs"/ });
  assert.deepEqual(await client.read("theirs"), { expires: null, value: 1 });
});
