// With SQLite as Node has it built in, since 22: run with the Node 24 of node_modules.

import { DatabaseSync } from "node:sqlite";
import kv from "polystore-wasm";
import { testKilledBatches } from "./batch_kills.js";

const sqlite = (/** @type {string} */ mode) => ({
  name: `SQLite (node:sqlite), journal_mode = ${mode}`,
  file: "data.db",
  open: `const { DatabaseSync } = await import("node:sqlite"); const client = new DatabaseSync(args[0])`,
  store(/** @type {string} */ path) {
    const database = new DatabaseSync(path);
    database.exec(`PRAGMA journal_mode = ${mode}`);
    return kv(database);
  },
  left: /^data\.db$/,
});

testKilledBatches(["delete", "wal"].map(sqlite));
