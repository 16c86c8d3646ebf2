import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Level } from "level";
import { MemoryLevel } from "memory-level";
import upstream from "polystore";
import kv from "polystore-wasm";
import { level } from "../contract/clients/level.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";

const folder = mkdtempSync(join(tmpdir(), "polystore-level-"));
after(() => rmSync(folder, { recursive: true }));
let databases = 0;
const open = () => new Level(join(folder, `${++databases}`), { valueEncoding: "json" });
const reopen = async (/** @type {any} */ database) => {
  await database.close();
  return new Level(database.location, { valueEncoding: "json" });
};

testContract(level(kv, "Level on disk", open, reopen));
// In memory, what is closed is gone; so it is opened again, which keeps its data.
const same = (/** @type {any} */ database) => database;
testContract(level(kv, "Level in memory", () => new MemoryLevel(), same));
testContract(
  level(
    kv,
    "Level, a sublevel whose values are JSON",
    () => new MemoryLevel().sublevel("s:", { valueEncoding: "json" }),
    same,
  ),
);

for (const [name, open] of Object.entries({
  "on disk": () => new Level(join(folder, `${++databases}`), { valueEncoding: "json" }),
  "in memory": () => new MemoryLevel({ valueEncoding: "json" }),
})) {
  test(`${name}: polystore reads what we write`, () => checkOneWay(kv, upstream, open()));
  test(`${name}: we read what polystore writes`, () => checkOneWay(upstream, kv, open()));
  test(`${name}: polystore sees our expiry`, () => checkExpiry(kv, upstream, open()));
  test(`${name}: we see polystore's expiry`, () => checkExpiry(upstream, kv, open()));
}

/**
 * A database that counts its calls.
 * @param {string[]} calls
 */
function counting(calls) {
  const database = /** @type {any} */ (new MemoryLevel());
  for (const name of ["getMany", "batch", "iterator", "get", "put", "del"]) {
    const method = database[name].bind(database);
    database[name] = (/** @type {any[]} */ ...args) => {
      calls.push(name);
      return method(...args);
    };
  }
  return database;
}

test("the calls of one tick are one batch, or one getMany", async () => {
  /** @type {string[]} */
  const calls = [];
  const store = kv(counting(calls));
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await store.set("first", 1);
  calls.length = 0;
  await Promise.all(keys.map((key) => store.set(key, key)));
  await Promise.all(keys.map(store.get));
  assert.deepEqual(calls, ["batch", "getMany"]);
});

test("a prefix is read as a range, also at the ends of what keys can be", async () => {
  const store = kv(new MemoryLevel());
  const keys = ["a", "a\u{ffff}", "a\u{ffff}x", "a\u{10ffff}", "a\u{10ffff}x", "b", "ab"];
  for (const key of keys) await store.set(key, key);
  assert.deepEqual((await store.prefix("a\u{ffff}").keys()).sort(), ["", "x"]);
  assert.deepEqual((await store.prefix("a\u{10ffff}").keys()).sort(), ["", "x"]);
  assert.equal((await store.prefix("a").keys()).length, 6);
});

test("leaving an iteration lets go of the database", async () => {
  const database = new MemoryLevel();
  const store = kv(database);
  for (let i = 0; i < 10; ++i) await store.set(`k${i}`, i);
  for await (const [key] of store) if (key) break;
  await store.close(); // Which would wait for an iterator that is open.
  assert.equal(database.status, "closed");
});

test("a database that the user closes is an error until he opens it again", async () => {
  const database = new Level(join(folder, `${++databases}`));
  const store = kv(database);
  await store.set("a", 1);
  await database.close();
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
  await database.open();
  assert.equal(await store.get("a"), 1);
});

test("a client of the user's own with the methods of Level is not taken for it", () => {
  const own = Object.fromEntries(
    ["get", "set", "put", "del", "batch", "getMany", "iterator"].map((name) => [name, () => {}]),
  );
  assert.equal(kv(/** @type {any} */ (own)).type, "UNKNOWN");
});
