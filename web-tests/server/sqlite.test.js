import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import { testSqlite } from "./sqlite_suite.js";

const { resolve } = createRequire(import.meta.url);

testSqlite({
  name: "SQLite, better-sqlite3",
  open(path, { readOnly = false, bigIntegers = false } = {}) {
    const database = new Database(path, { readonly: readOnly, timeout: 0 });
    database.defaultSafeIntegers(bigIntegers);
    return database;
  },
  isOpen: (database) => database.open,
});

test("bun:sqlite, in Bun: the contract, and all of the above", () => {
  const bun = resolve("@oven/bun-linux-x64/bin/bun");
  const script = fileURLToPath(new URL("sqlite.bun.js", import.meta.url));
  const output = execFileSync(bun, [script], { encoding: "utf8" });
  assert.match(output, /^\d{3,} held$/m);
});
