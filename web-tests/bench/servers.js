// The storages of a server against polystore, each side with a server, a file, a database or a namespace of its own.

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
import { startWorker } from "../support/workerd.js";
import { measure } from "./measure.js";
import { fill, furtherWorks, works } from "./works.js";

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
    client.on("error", () => {}); // The server may stop before the last connection has closed, for which end() does not wait.
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

const CLOUDFLARE = "Cloudflare KV";

/** What the project set itself, where it is more than not to be slower. @type {Record<string, Record<string, number>>} */
const targets = {
  Folder: { "keys() of 1,000": 3, "entries() of 1,000": 3 },
  Redis: { "iteration of 20,000": 10 },
  etcd: { "keys() of 1,000": 20, "entries() of 1,000": 20 },
};

/**
 * @param {string} storage
 * @param {string} work
 * @param {number} operations
 * @param {() => Promise<unknown>} ours
 * @param {() => Promise<unknown>} theirs
 */
function compare(storage, work, operations, ours, theirs) {
  const target = targets[storage]?.[work] ?? 1;
  const contest = { name: `${storage}: ${work}`, target, operations, against: "polystore 0.27" };
  return measure({ ...contest, ours: async () => ours, theirs: async () => theirs }, 5);
}

/**
 * @param {Kv} upstream
 * @returns {AsyncGenerator<{ name: string, results: import("./measure.js").Result[] }>}
 */
export async function* inServers(upstream) {
  for (const [name, open] of Object.entries(storages)) {
    const [mine, other] = [await open(), await open()];
    const [ours, theirs] = [kv(mine.client), upstream(other.client)];
    const results = [];
    let held = 0;
    for (const [work, { operations, keys, run }] of Object.entries({ ...works, ...furtherWorks[name] })) {
      for (const store of [ours, theirs]) await fill(store, held, keys);
      held = keys;
      results.push(
        await compare(
          name,
          work,
          operations,
          () => run(ours),
          () => run(theirs),
        ),
      );
    }
    await mine.close();
    await other.close();
    yield { name, results };
  }
  yield { name: CLOUDFLARE, results: await inWorker() };
}

/** Both libraries run in the Worker, where the namespaces are; each run is a request to it, which takes it a millisecond. */
async function inWorker() {
  const { worker, stop } = await startWorker("web-tests/bench/cloudflare.worker.js");
  const ask = async (/** @type {string} */ side, /** @type {string} */ work) => {
    const response = await worker.dispatchFetch(`http://worker/${side}/${encodeURIComponent(work)}`);
    if (!response.ok) throw new Error(await response.text());
  };
  const results = [];
  for (const side of ["ours", "theirs"]) await ask(side, "fill");
  for (const [work, { operations }] of Object.entries(works)) {
    results.push(
      await compare(
        CLOUDFLARE,
        work,
        operations,
        () => ask("ours", work),
        () => ask("theirs", work),
      ),
    );
  }
  await stop();
  return results;
}
