// When a log is flushed. The package takes its timers, and how it syncs, when it is imported, so they are replaced before that.

import assert from "node:assert/strict";
import fs from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { mock, test } from "node:test";
import { filesFor, urlOf } from "../support/files.js";

mock.timers.enable({ apis: ["setTimeout"] });
const { fdatasync } = fs;
const ended = /** @type {(() => void)[]} */ ([]);
let syncs = { begun: 0, toFail: 0, ended: async () => {} };
/** What the syncs wait for that are held up, if any. */
let gate = /** @type {Promise<void> | undefined} */ (undefined);
/** @type {any} */ (fs).fdatasync = async (/** @type {number} */ file, /** @type {fs.NoParamCallback} */ done) => {
  ++syncs.begun;
  if (gate) await gate;
  const fails = syncs.toFail > 0 && syncs.toFail-- > 0;
  fdatasync(file, (error) => {
    done(fails ? new Error("EIO: i/o error, fdatasync") : error);
    for (const hear of ended.splice(0)) hear();
  });
};
syncBuiltinESMExports();
const { kv } = await import("../support/stores.js");

const { freshPath } = filesFor("log-flush");

/** Lets a flush begin that is to. */
async function turns() {
  for (let i = 0; i < 5; ++i) await new Promise((resolve) => setImmediate(resolve));
}

/** Counts the syncs from now on, of which as many as `toFail` says are to fail. */
function watchSyncs() {
  syncs = { begun: 0, toFail: 0, ended: () => new Promise((resolve) => ended.push(() => resolve(undefined))) };
  return syncs;
}

test("what is relaxed is flushed a second after the first change, and when it is closed", async () => {
  const syncs = watchSyncs();
  const store = kv(urlOf(freshPath(".kv")), { durability: "relaxed" });
  await store.set("a", 1);
  mock.timers.tick(600);
  await store.set("b", 2);
  mock.timers.tick(399);
  await turns();
  assert.equal(syncs.begun, 0);
  const synced = syncs.ended();
  mock.timers.tick(1);
  await synced;
  mock.timers.tick(100_000);
  await turns();
  assert.equal(syncs.begun, 1, "of what is flushed nothing is flushed again");

  await store.set("c", 3);
  await store.close();
  assert.equal(syncs.begun, 2);
});

test("closing does not hide that a flush failed, though the system says the next time that all is well", async () => {
  const syncs = watchSyncs();
  const url = urlOf(freshPath(".kv"));
  const store = kv(url);
  await store.set("a", 1);
  syncs.toFail = 1;
  const synced = syncs.ended();
  mock.timers.tick(1000);
  await synced;
  await turns();
  const failed = { code: "ERR_CLIENT", message: /^Could not sync the log: EIO.* close it and open it again\.$/ };
  await assert.rejects(store.set("b", 2), failed);
  assert.equal(await store.get("a"), 1);
  await assert.rejects(store.close(), failed);
  const again = kv(url);
  assert.deepEqual(await again.all(), { a: 1 });
  await again.close();
});

test("what is strict is flushed before it is acknowledged, with all that was called meanwhile", async () => {
  const syncs = watchSyncs();
  const store = kv(urlOf(freshPath(".kv")), { durability: "strict" });
  await store.set("a", 1);
  assert.equal(syncs.begun, 1);
  await Promise.all(Array.from({ length: 100 }, (_, i) => store.set(`${i}`, i)));
  assert.equal(syncs.begun, 2);
  await store.close();
  assert.equal(syncs.begun, 2);
});

test("while the disk is at the new log of a compaction, calls are answered; a sync of it that fails changes nothing", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const value = "x".repeat(100_000);
  for (const fails of [true, false]) {
    const syncs = watchSyncs();
    let open = () => {};
    gate = new Promise((resolve) => (open = resolve));
    if (fails) syncs.toFail = 1;
    for (let i = 0; syncs.begun === 0; ++i) {
      assert.ok(i < 2000, "it was never compacted");
      await store.set(`${i % 15}`, value);
      await turns();
    }
    assert.ok(fs.existsSync(`${path}.new`));
    assert.equal(await store.get("3"), value);
    await store.set("3", "three");
    assert.deepEqual([await store.get("3"), (await store.keys()).length], ["three", 15]);
    assert.equal(syncs.begun, 1);
    gate = undefined;
    open();
    for (let i = 0; fs.existsSync(`${path}.new`); ++i) {
      assert.ok(i < 100_000, "it never ended");
      await turns();
    }
    assert.equal(await store.get("3"), "three");
    assert.equal(fs.statSync(path).size < 3_000_000, !fails);
  }
  await store.close();
  assert.equal(await kv(urlOf(path)).get("3"), "three");
});
