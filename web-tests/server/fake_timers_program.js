// Uses one client while the timers of its process are fake: node fake_timers_program.js <client> <path for its files, or URL>. The
// output of a process stands still then as well, so each client has a process of its own, which prints nothing before the end.

import kv from "polystore-wasm";
import { checkAfterFakeTimers, checkUnderFakeTimers } from "./fake_timers_check.js";

const [, , name, path] = process.argv;
const urlOf = (/** @type {string} */ end) => /** @type {`file:${string}`} */ (`file://${path}${end}`);

/** Makes each client, while the timers are real. @type {Record<string, () => any>} */
const clients = {
  Map: () => new Map(),
  "a file": () => urlOf(".json"),
  "a folder": () => urlOf("/"),
  "a log, relaxed": () => urlOf(".kv"),
  "a log, strict": () => urlOf(".kv"),
  Level: async () => new (await import("level")).Level(path),
  "Level in memory": async () => new (await import("memory-level")).MemoryLevel(),
  SQLite: async () => new (await import("better-sqlite3")).default(":memory:"),
  PGlite: async () => (await import("@electric-sql/pglite")).PGlite.create(),
};

/** The same of those that talk to a server. @type {Record<string, () => any>} */
const remote = {
  HTTP: () => path,
  Postgres: async () => new (await import("pg")).default.Pool({ connectionString: path }),
  etcd: async () => new (await import("etcd3")).Etcd3({ hosts: path }),
};

const client = await (clients[name] ?? remote[name])();
const durability = name === "a log, strict" ? "strict" : undefined;
/** @type {any} */
let store;
const open = () => (store = kv(client, { durability }));
await (name in remote ? checkAfterFakeTimers(open()) : checkUnderFakeTimers(open));
await store.close();
console.log("done");
