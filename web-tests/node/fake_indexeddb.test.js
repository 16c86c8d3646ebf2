// IndexedDB as tests in Node have it: the factory of fake-indexeddb, given to kv() or made a global, with the other globals of
// IndexedDB or without them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { IDBDatabase, IDBFactory, IDBKeyRange } from "fake-indexeddb";
import kv from "polystore-wasm";
import { subject } from "../contract/clients.js";
import { testContract } from "../contract/suite.js";

const globals = /** @type {any} */ (globalThis);

testContract(
  subject(kv, {
    name: "a factory of fake-indexeddb",
    type: "INDEXEDDB",
    atomic: "origin",
    isTransactional: true,
    open: async () => new IDBFactory(),
  }),
);

test("pages of a factory without key ranges: each record comes once, and clear(prefix) spares the others", async () => {
  const store = kv(new IDBFactory());
  const keys = Array.from({ length: 2500 }, (_, i) => `a:${10_000 + i}`);
  await Promise.all([...keys, "b:1", ""].map((key) => store.set(key, 1)));
  assert.deepEqual(
    await store.prefix("a:").keys(),
    keys.map((key) => key.slice(2)),
  );
  const streamed = [];
  for await (const [key] of store) streamed.push(key);
  assert.deepEqual(streamed, ["", ...keys, "b:1"]);
  await store.prefix("a:").clear();
  assert.deepEqual(await store.keys(), ["", "b:1"]);
});

test("a thousand databases that are idle hold few connections, and lose nothing", async (t) => {
  const factory = (globals.indexedDB = new IDBFactory());
  t.after(() => delete globals.indexedDB);
  const opening = t.mock.method(factory, "open");
  const closing = t.mock.method(IDBDatabase.prototype, "close");
  // Stores of other tests are closed meanwhile, too.
  const closed = () =>
    closing.mock.calls.filter((call) => String(/** @type {any} */ (call.this).name).startsWith("idle:")).length;
  const open = () => opening.mock.callCount() - closed();
  const stores = Array.from({ length: 1000 }, (_, i) => kv(`indexeddb:idle:${i}`));
  await Promise.all(stores.map((store, i) => store.set("a", i)));
  assert.ok(open() <= 64, `${open()} are open`);
  for (const [i, store] of stores.entries()) assert.equal(await store.get("a"), i);
  assert.ok(open() <= 64, `${open()} are open`);
  for (const store of stores) await store.close();
  assert.equal(open(), 0);
});

for (const [how, others] of /** @type {[string, object][]} */ ([
  ["alone", {}],
  ["with its key ranges", { IDBKeyRange }],
  ["with its key ranges and its class", { IDBKeyRange, IDBFactory }],
])) {
  test(`a new factory under the name indexedDB, ${how}, begins empty`, async (t) => {
    Object.assign(globals, others);
    t.after(() => {
      for (const name of ["indexedDB", ...Object.keys(others)]) delete globals[name];
    });
    globals.indexedDB = new IDBFactory();
    const store = kv("indexeddb:settings");
    await store.set("a", 1);
    assert.deepEqual(await store.keys(), ["a"]);
    globals.indexedDB = new IDBFactory();
    assert.deepEqual(await kv("indexeddb:settings").keys(), []);
    assert.equal(await store.get("a"), null);
    await store.set("b", 2);
    assert.deepEqual(await store.entries(), [["b", 2]]);
    await store.clear();
    assert.deepEqual(await store.keys(), []);
  });
}
