// The storages of a server against polystore, each side with a server, a file or a database of its own.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import Database from "better-sqlite3";
import { Etcd3 } from "etcd3";
import { Level } from "level";
import pg from "pg";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { createClient } from "redis";
import { startEtcd } from "../support/etcd.js";
import { startPostgres } from "../support/postgres.js";
import { startRedis } from "../support/redis.js";
import { measure } from "./measure.js";

/** @typedef {import("./measure.js").Contest} Contest */
/** @typedef {(client: any) => any} Kv */
/** A client over an empty storage, and how to get rid of both. @typedef {{ client: any, close: () => unknown }} Opened */

const folder = () => mkdtempSync(join(tmpdir(), "polystore-bench-"));
/** @param {string} path */
const remove = (path) => rmSync(path, { recursive: true });

/** @type {Record<string, () => Promise<Opened>>} */
const storages = {
  async File() {
    const path = folder();
    return { client: pathToFileURL(join(path, "data.json")).href, close: () => remove(path) };
  },
  async Folder() {
    const path = folder();
    return { client: pathToFileURL(`${path}/`).href, close: () => remove(path) };
  },
  async Redis() {
    const { port, stop } = await startRedis();
    const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
    return { client, close: () => client.close().then(stop) };
  },
  async Level() {
    const path = folder();
    const client = new Level(path);
    return { client, close: () => client.close().then(() => remove(path)) };
  },
  async SQLite() {
    const path = folder();
    const client = new Database(join(path, "data.db"));
    client.pragma("journal_mode = WAL");
    client.pragma("synchronous = NORMAL");
    return {
      client,
      close() {
        client.close();
        remove(path);
      },
    };
  },
  async Postgres() {
    const { url, stop } = await startPostgres();
    const client = new pg.Pool({ connectionString: url });
    return { client, close: () => client.end().then(stop) };
  },
  async etcd() {
    const { url, stop } = await startEtcd();
    const client = new Etcd3({ hosts: url });
    return {
      client,
      close() {
        client.close();
        return stop();
      },
    };
  },
  async HTTP() {
    const server = createServer(listener(handler(kv(new Map()))));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    return {
      client: `http://127.0.0.1:${port}`,
      close() {
        server.closeAllConnections();
        server.close();
      },
    };
  },
};

const KEYS = Array.from({ length: 1000 }, (_, i) => `${i % 10 === 0 ? "some" : "other"}:${i}`);

/**
 * @typedef {object} Work
 * @property {number} operations
 * @property {(store: any) => Promise<unknown>} run
 */
/** @type {Record<string, Work>} */
const works = {
  get: {
    operations: 100,
    async run(store) {
      for (const key of KEYS.slice(0, 100)) await store.get(key);
    },
  },
  set: {
    operations: 20,
    async run(store) {
      for (const key of KEYS.slice(0, 20)) await store.set(key, "value");
    },
  },
  "1,000 sets at once": { operations: 1000, run: (store) => Promise.all(KEYS.map((key) => store.set(key, "value"))) },
  "1,000 gets at once": { operations: 1000, run: (store) => Promise.all(KEYS.map((key) => store.get(key))) },
  "keys() of 1,000": { operations: 1, run: (store) => store.keys() },
  "entries() of 1,000": { operations: 1, run: (store) => store.entries() },
  "entries() of 100 in 1,000": { operations: 1, run: (store) => store.prefix("some:").entries() },
};

/** What the project set itself, where it is more than not to be slower. @type {Record<string, Record<string, number>>} */
const targets = {
  Folder: { "keys() of 1,000": 3, "entries() of 1,000": 3 },
  etcd: { "keys() of 1,000": 20, "entries() of 1,000": 20 },
};

/**
 * @param {Kv} upstream
 * @returns {AsyncGenerator<{ name: string, results: import("./measure.js").Result[] }>}
 */
export async function* inServers(upstream) {
  for (const [name, open] of Object.entries(storages)) {
    const [mine, other] = [await open(), await open()];
    const [ours, theirs] = [kv(mine.client), upstream(other.client)];
    for (const key of KEYS) await Promise.all([ours.set(key, "value"), theirs.set(key, "value")]);
    const results = [];
    for (const [what, { operations, run }] of Object.entries(works)) {
      const target = targets[name]?.[what] ?? 1;
      const contest = { name: `${name}: ${what}`, target, operations, against: "polystore 0.27" };
      const timed = { ours: async () => () => run(ours), theirs: async () => () => run(theirs) };
      results.push(await measure({ ...contest, ...timed }, 5));
    }
    await mine.close();
    await other.close();
    yield { name, results };
  }
}
