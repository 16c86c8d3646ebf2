import Database from "better-sqlite3";
import kv from "polystore-wasm";
import { urlOf } from "../support/files.js";
import { testKilledBatches } from "./batch_kills.js";

const sqlite = (/** @type {string} */ mode) => ({
  name: `SQLite (better-sqlite3), journal_mode = ${mode}`,
  file: "data.db",
  open: `const { default: Database } = await import("better-sqlite3"); const client = new Database(args[0])`,
  store(/** @type {string} */ path) {
    const database = new Database(path);
    database.pragma(`journal_mode = ${mode}`);
    return kv(database);
  },
  left: /^data\.db$/,
});

testKilledBatches([
  {
    name: "File",
    file: "data.json",
    open: `const { pathToFileURL } = await import("node:url"); const client = pathToFileURL(args[0])`,
    store: (path) => kv(urlOf(path)),
    // A process that was killed before its lock had its name leaves a file that is only removed once it is a minute old.
    left: /^data\.json$|\.lock-\w+\.new$/,
  },
  sqlite("delete"),
  sqlite("wal"),
]);
