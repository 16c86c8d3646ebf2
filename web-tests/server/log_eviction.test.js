// What removes expired records from a log without a call. The package takes its timers when it is imported, so they are
// replaced before that.

import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { mock, test } from "node:test";
import { filesFor, urlOf } from "../support/files.js";

mock.timers.enable({ apis: ["setTimeout", "Date"], now: Date.now() });
const { kv } = await import("../support/stores.js");

const { freshPath } = filesFor("log-eviction");

/** The bytes of a record that says that a key is gone: its head and its key, of one character here. */
const REMOVAL = 32 + 1;

test("what has expired goes without a call, a second late at most, whatever else expires later", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  await store.set("f", 1, { expires: "30 days" });
  await store.set("a", 1, { expires: 1 });
  await store.set("b", 2, { expires: 90 });
  const size = () => statSync(path).size;
  const written = size();
  mock.timers.tick(999);
  assert.equal(size(), written);
  mock.timers.tick(1);
  assert.equal(size(), written + REMOVAL);
  await turns();
  mock.timers.tick(89_000);
  assert.equal(size(), written + 2 * REMOVAL);
  assert.deepEqual(await store.keys(), ["f"]);
  await store.close();
});

test("what expires is removed as fast as it does, and calls are answered in between", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const count = 5000;
  await Promise.all(Array.from({ length: count }, (_, i) => store.set(String(10_000 + i), i, { expires: 1 })));
  await store.set("f", 1);
  const written = statSync(path).size;
  const removed = () => (statSync(path).size - written) / (REMOVAL + 4);
  mock.timers.tick(1000);
  const atOnce = removed();
  assert.ok(atOnce > 0 && atOnce < 1000, `${atOnce} were removed at once`);
  assert.equal(await store.get("f"), 1);
  for (let turn = 0; turn < 100 && removed() < count; ++turn) await turns();
  assert.equal(removed(), count);
  await store.close();
});

/** Lets others go on that wait for a turn. */
async function turns() {
  for (let i = 0; i < 3; ++i) await new Promise((resolve) => setImmediate(resolve));
}
