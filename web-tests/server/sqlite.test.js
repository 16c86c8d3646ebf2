import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import Database from "better-sqlite3";
import kv from "polystore-wasm";
import { heard } from "../support/heard.js";
import { runApart } from "../support/run_apart.js";
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

test("a watcher hears another process, and keeps no process alive", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "polystore-watched-"));
  t.after(() => rmSync(folder, { recursive: true }));
  const path = join(folder, "watched.db");
  const store = kv(new Database(path));
  const watcher = store.watch("k", { reach: "storage" });
  await watcher.ready;
  const program = `
    import Database from "better-sqlite3";
    const store = kv(new Database(args[0]));
    const watcher = store.watch(() => {});
    await watcher.ready;
    await store.set("k", 1);
    console.log(JSON.stringify(watcher.reach));
  `;
  assert.equal(await runApart("true", program, path), "storage");
  assert.deepEqual(await heard(watcher[Symbol.asyncIterator]()), [{ type: "set", key: "k", value: 1 }]);
  await store.close();
});

test("bun:sqlite, in Bun: the contract, and all of the above", () => {
  const bun = resolve("@oven/bun-linux-x64/bin/bun");
  const script = fileURLToPath(new URL("sqlite.bun.js", import.meta.url));
  const output = execFileSync(bun, [script], { encoding: "utf8" });
  assert.match(output, /^\d{3,} held$/m);
});
