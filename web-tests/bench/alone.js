// A call that its user awaits before the next one: ours, polystore's, and the same call of the client by itself, which is the limit of both.
// Each contest takes thousands of calls in short turns, in an order that changes. Code that ran a few hundred times is still interpreted, and
// a machine that does something else meanwhile only ever adds time, so the times are those that a tenth of the turns stay below.

import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Etcd3 } from "etcd3";
import { Level } from "level";
import pg from "pg";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { createClient } from "redis";
import { startEtcd } from "../support/etcd.js";
import { startPostgres } from "../support/postgres.js";
import { startRedis } from "../support/redis.js";

/** The calls of a turn, the turns that warm up, and the turns that count. */
const CALLS = 20;
const WARM_UP = 250;
const TURNS = 500;
const KEYS = Array.from({ length: 1000 }, (_, i) => `key:${i}`);

/** @typedef {{ get: (key: string) => unknown, set: (key: string, value: string) => unknown }} Calls */

const UPSERT = `INSERT INTO kv (id, value, expires_at) VALUES ($1, $2, NULL)
  ON CONFLICT (id) DO UPDATE SET value = EXCLUDED.value, expires_at = EXCLUDED.expires_at`;
const asRecord = (/** @type {string} */ value) => JSON.stringify({ value, expires: null });

/**
 * A storage, of which each contestant gets a client of its own. They share the server: a process that has just answered another one's calls
 * answers faster than one that slept.
 * @typedef {object} Storage
 * @property {() => any} connect Makes a client, or a promise of one.
 * @property {(client: any) => unknown} disconnect
 * @property {() => unknown} stop
 */

/** @type {Record<string, () => Promise<Storage>>} */
const storages = {
  async Redis() {
    const { port, stop } = await startRedis();
    const connect = () => createClient({ url: `redis://127.0.0.1:${port}` }).connect();
    return { connect, disconnect: (client) => client.close(), stop };
  },
  async Level() {
    const folder = mkdtempSync(join(tmpdir(), "polystore-bench-"));
    let count = 0;
    const connect = () => new Level(join(folder, String(++count)));
    return { connect, disconnect: (client) => client.close(), stop: () => rmSync(folder, { recursive: true }) };
  },
  async Postgres() {
    const { url, stop } = await startPostgres();
    const connect = () => new pg.Pool({ connectionString: url }).on("error", () => {});
    return { connect, disconnect: (client) => client.end(), stop };
  },
  async etcd() {
    const { url, stop } = await startEtcd();
    return { connect: () => new Etcd3({ hosts: url }), disconnect: (client) => client.close(), stop };
  },
  async HTTP() {
    const server = createServer(listener(handler(kv(new Map()))));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    const stop = () => {
      server.closeAllConnections();
      server.close();
    };
    return { connect: () => `http://127.0.0.1:${port}`, disconnect() {}, stop };
  },
};

/** The calls of a client by itself, with what polystore stores. @type {Record<string, (client: any) => Calls>} */
const bare = {
  Redis: (client) => ({
    get: (key) => client.get(key),
    set: (key, value) => client.set(key, JSON.stringify(value)),
  }),
  Level: (client) => ({
    get: (key) => client.get(key),
    set: (key, value) => client.put(key, asRecord(value)),
  }),
  Postgres: (client) => ({
    get: (key) => client.query("SELECT value FROM kv WHERE id = $1", [key]),
    set: (key, value) => client.query(UPSERT, [key, JSON.stringify(value)]),
  }),
  etcd: (client) => ({
    get: (key) => client.get(key).string(),
    set: (key, value) => client.put(key).value(asRecord(value)),
  }),
  HTTP: (url) => ({
    get: (key) => fetch(`${url}/${encodeURIComponent(key)}`).then((response) => response.json()),
    set: (key, value) =>
      fetch(`${url}/${encodeURIComponent(key)}`, {
        method: "PUT",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(value),
      }).then((response) => response.text()),
  }),
};

/**
 * @param {(client: any) => any} upstream
 * @returns {Promise<import("./measure.js").Result[]>}
 */
export async function callsAlone(upstream) {
  const results = [];
  for (const [name, callsOf] of Object.entries(bare)) {
    const { connect, disconnect, stop } = await storages[name]();
    const clients = [await connect(), await connect(), await connect()];
    const contestants = [kv(clients[0]), upstream(clients[1]), callsOf(clients[2])];
    for (const contestant of contestants) for (const key of KEYS) await contestant.set(key, "value");
    const gets = contestants.map((contestant) => (/** @type {string} */ key) => contestant.get(key));
    const sets = contestants.map((contestant) => (/** @type {string} */ key) => contestant.set(key, "value"));
    results.push(...rows(`${name}: get`, await tenths(gets)), ...rows(`${name}: set`, await tenths(sets)));
    for (const client of clients) await disconnect(client);
    await stop();
  }
  return results;
}

/**
 * @param {((key: string) => unknown)[]} calls
 * @returns {Promise<number[]>} For each of them, the milliseconds a call that a tenth of the turns stayed below.
 */
async function tenths(calls) {
  /** @type {number[][]} */
  const times = calls.map(() => []);
  for (let turn = 0; turn < WARM_UP + TURNS; ++turn) {
    for (let place = 0; place < calls.length; ++place) {
      const i = (turn + place) % calls.length;
      const start = performance.now();
      for (let n = 0; n < CALLS; ++n) await calls[i](KEYS[(turn * CALLS + n) % KEYS.length]);
      if (turn >= WARM_UP) times[i].push((performance.now() - start) / CALLS);
    }
  }
  return times.map((of) => of.sort((a, b) => a - b)[of.length >> 2]);
}

/**
 * @param {string} name
 * @param {number[]} times Of our call, polystore's and the client's.
 * @returns {import("./measure.js").Result[]}
 */
function rows(name, [ours, theirs, alone]) {
  const row = { name, ours: ours * 1000, theirs: theirs * 1000 };
  return [
    { ...row, against: "polystore 0.27", target: 0.97, ratio: theirs / ours },
    { ...row, against: "the client by itself", theirs: alone * 1000, ratio: alone / ours },
  ];
}
