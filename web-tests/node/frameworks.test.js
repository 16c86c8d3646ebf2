// Stores where programs keep them: in the proxies of state libraries, and under the stubs of tests.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { observable } from "mobx";
import kv from "polystore-wasm";
import sinon from "sinon";
import { proxy } from "valtio/vanilla";
import { reactive } from "vue";

/** @type {[name: string, keep: (state: { store: import("polystore-wasm").Store }) => any][]} */
const libraries = [
  ["Vue's reactive()", reactive],
  ["Valtio's proxy()", proxy],
  ["MobX's observable()", observable],
];
for (const [name, keep] of libraries) {
  test(`a store in ${name} works, and so does the store beside it`, async () => {
    const store = kv(new Map(), { prefix: "p:", expires: "1h" });
    const kept = keep({ store }).store;
    assert.equal(await kept.set("a", 1), "a");
    assert.deepEqual([await kept.get("a"), await store.get("a"), await kept.prefix("a").keys()], [1, 1, [""]]);
    assert.deepEqual([kept.PREFIX, kept.EXPIRES, kept.type], ["p:", 3600, "MEMORY"]);
    for await (const entry of kept) assert.deepEqual(entry, ["a", 1]);
    await kept.close();
    await assert.rejects(store.get("a"), { code: "ERR_CLOSED" });
  });
}

test("stubs of sinon and of node:test take, and can be taken back", async () => {
  const store = kv(new Map());
  await store.set("a", 1);
  const stub = sinon.stub(store, "get").resolves("stub");
  assert.equal(await store.get("a"), "stub");
  assert.ok(stub.calledOnceWith("a"));
  stub.restore();
  const mocked = mock.method(store, "keys", async () => ["mocked"]);
  assert.deepEqual(await store.keys(), ["mocked"]);
  mocked.mock.restore();
  const spy = sinon.spy(store, "set");
  await store.set("b", 2);
  assert.ok(spy.calledOnceWith("b", 2));
  spy.restore();
  assert.deepEqual([await store.get("a"), await store.keys()], [1, ["a", "b"]]);
});
