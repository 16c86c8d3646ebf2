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
/** @type {any} */ (fs).fdatasync = (/** @type {number} */ file, /** @type {fs.NoParamCallback} */ done) => {
  ++syncs.begun;
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
