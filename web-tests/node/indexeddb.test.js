import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";

test("Node has no IndexedDB: every call says so, and what to use", async () => {
  const store = kv("indexeddb:settings");
  assert.equal(store.type, "INDEXEDDB");
  for (const call of [() => store.get("a"), () => store.set("a", 1), () => store.keys()]) {
    await assert.rejects(call, {
      code: "ERR_CLIENT",
      message: /IndexedDB is not available here.*file:.*SQLite.*Level/,
    });
  }
});
