import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";
import { FakeDocument } from "../contract/clients/fake_document.js";

const DAY = 24 * 3600 * 1000;

test("a cookie without an expiry lives 400 days from its latest set()", async (t) => {
  t.mock.timers.enable({ apis: ["Date"], now: 0 });
  Object.defineProperty(globalThis, "document", { value: new FakeDocument(), configurable: true });
  t.after(() => Reflect.deleteProperty(globalThis, "document"));
  const store = kv("cookie");
  await store.set("a", 1);
  await store.set("b", 2);
  t.mock.timers.tick(300 * DAY);
  await store.set("b", 2);
  t.mock.timers.tick(100 * DAY - 1);
  assert.deepEqual(await store.all(), { a: 1, b: 2 });
  t.mock.timers.tick(1);
  assert.deepEqual(await store.all(), { b: 2 });
  t.mock.timers.tick(300 * DAY - 1);
  assert.deepEqual(await store.all(), { b: 2 });
  t.mock.timers.tick(1);
  assert.deepEqual(await store.all(), {});
});
