// SQLite as Node has it built in, since 22: run with the Node 24 of node_modules.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import upstream from "polystore";
import kv from "polystore-wasm";
import { sqlite } from "../contract/clients/sqlite.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { checkPrune } from "./prune.js";

const folder = mkdtempSync(join(tmpdir(), "polystore-sqlite-"));
after(() => rmSync(folder, { recursive: true }));
const open = () => new DatabaseSync(":memory:");

testContract(sqlite(kv, folder));

test("polystore reads what we write", () => checkOneWay(kv, upstream, open()));
test("we read what polystore writes", () => checkOneWay(upstream, kv, open()));
test("polystore sees our expiry", () => checkExpiry(kv, upstream, open()));
test("we see polystore's expiry", () => checkExpiry(upstream, kv, open()));

test("what is in a file is there when it is opened again", async () => {
  const path = join(folder, "reopened.db");
  const first = kv(new DatabaseSync(path));
  await first.set("a", { deep: [1] }, { expires: "1h" });
  await first.close();
  assert.deepEqual(await kv(new DatabaseSync(path)).get("a"), { deep: [1] });
});

test("a prefix is exact: neither its case nor % and _ mean anything else", async () => {
  const store = kv(open());
  for (const key of ["A:1", "a:1", "ab:x", "a_x", "%y", "\u{10ffff}z", "\u{d7ff}z"]) await store.set(key, key);
  for (const prefix of ["A:", "a_", "%", "\u{10ffff}", "\u{d7ff}"]) {
    assert.equal((await store.prefix(prefix).keys()).length, 1, prefix);
  }
  await store.prefix("A:").clear();
  await store.prefix("%").clear();
  assert.deepEqual((await store.keys()).sort(), ["a:1", "a_x", "ab:x", "\u{d7ff}z", "\u{10ffff}z"]);
});

test("prune() deletes the rows", async () => {
  const database = open();
  await checkPrune(kv(database));
  assert.deepEqual({ ...database.prepare("SELECT count(*) AS rows FROM kv").get() }, { rows: 1 });
});

test("a prefix is looked up in the index, not row by row", () => {
  const database = open();
  kv(database);
  const plan = database
    .prepare("EXPLAIN QUERY PLAN SELECT id FROM kv WHERE id >= ? AND id < ? ORDER BY id LIMIT 9")
    .all();
  assert.match(String(plan[0].detail), /SEARCH kv USING .*\(id>\? AND id<\?\)/);
});

test("a client of the user's own with prepare, exec and close is not taken for SQLite", async () => {
  const rows = new Map();
  const own = {
    get: (/** @type {string} */ id) => rows.get(id),
    set: (/** @type {string} */ id, /** @type {unknown} */ record) => void rows.set(id, record),
    prepare() {},
    exec() {},
    close() {},
  };
  assert.equal(kv(own).type, "UNKNOWN");
  await kv(own).set("a", 1);
  assert.deepEqual(rows.get("a"), { expires: null, value: 1 });
});
