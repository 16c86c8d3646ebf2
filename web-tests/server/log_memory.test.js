// A log whose memory does not grow any more: what fails says so and has changed nothing, and nothing that was acknowledged is
// lost. The memory of 2 GB that WebAssembly has is not filled for it: from some point on, growing it is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";
import { Engine } from "../../js/engine/engine.js";
import { NodeFiles } from "../../js/clients/log/node_files.js";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("log-memory");

/** @param {import("node:test").TestContext} t @returns {{ refuses: boolean }} */
function watchGrowth(t) {
  const growth = { refuses: false };
  const { grow } = WebAssembly.Memory.prototype;
  WebAssembly.Memory.prototype.grow = function (pages) {
    if (growth.refuses) throw new RangeError("the test refuses to let the memory grow");
    return grow.call(this, pages);
  };
  t.after(() => {
    WebAssembly.Memory.prototype.grow = grow;
  });
  return growth;
}

/** @param {any} error */
const isNoMemory = (error) => error.code === "ERR_QUOTA" && /memory/.test(error.message);

for (const length of [10, 1000, 30_000, 2_000_000]) {
  test(`values of ${length} characters that there is no memory for`, async (t) => {
    const growth = watchGrowth(t);
    const url = urlOf(freshPath(".kv"));
    const store = kv(url);
    await store.set("first", "1");
    growth.refuses = true;
    /** @type {Map<string, string>} */
    const acknowledged = new Map([["first", "1"]]);
    let refused = 0;
    for (let i = 0; refused < 20 && i < 200_000; ++i) {
      const key = `${"k".repeat(length < 100 ? 300 : 3)}${i}`;
      const value = String(i % 10).repeat(length);
      try {
        await store.set(key, value);
        acknowledged.set(key, value);
      } catch (error) {
        assert.ok(isNoMemory(error), String(error));
        ++refused;
      }
    }
    assert.equal(refused, 20);
    // What is there is there, or there is no memory to read it; it is never absent.
    const sample = [...acknowledged].filter((_, i) => i % 50 === 0 || i < 50);
    for (const [key, value] of sample) {
      const found = await store.get(key).catch((error) => (isNoMemory(error) ? value : Promise.reject(error)));
      assert.equal(found, value);
    }
    assert.equal(await store.get("first"), "1");
    growth.refuses = false;
    await store.set("after", true);
    acknowledged.set("after", /** @type {any} */ (true));
    assert.deepEqual(new Set(await store.keys()), new Set(acknowledged.keys()));
    await store.close();
    const again = kv(url);
    assert.deepEqual(new Map(await again.entries()), acknowledged);
    await again.close();
  });
}

test("several changes of one tick that there is no memory for are each made or refused", async (t) => {
  const growth = watchGrowth(t);
  const url = urlOf(freshPath(".kv"));
  const store = kv(url);
  await store.set("first", "1");
  growth.refuses = true;
  const values = Array.from({ length: 200 }, (_, i) => String(i % 10).repeat(10_000));
  const results = await Promise.allSettled(values.map((value, i) => store.set(`${i}`, value)));
  growth.refuses = false;
  for (const [i, result] of results.entries()) {
    if (result.status === "rejected") assert.ok(isNoMemory(result.reason), String(result.reason));
    assert.equal(await store.get(`${i}`), result.status === "fulfilled" ? values[i] : null);
  }
  await store.close();
});

/** Files that can throw through the engine, which is what a trap looks like from outside. */
class ThrowingFiles extends NodeFiles {
  throws = false;

  /** @type {NodeFiles["read"]} */
  read(...args) {
    if (!this.throws) return super.read(...args);
    throw {
      get message() {
        throw new Error("it is out of order");
      },
    };
  }
}

test("a module that stopped in the middle of a call is not called again, and the log is whole", () => {
  const path = freshPath(".kv");
  const files = new ThrowingFiles({ check() {}, checkNow() {} });
  const engine = new Engine(files, path);
  engine.put("key", JSON.stringify("v".repeat(100_000)), null);
  engine.apply();
  files.throws = true;
  assert.throws(() => engine.getText("key"), {
    code: "ERR_CLIENT",
    message: /crashed: Error: it is out of order\. .*Close/s,
  });
  files.throws = false;
  for (const call of [() => engine.getText("key"), () => engine.put("key", "1", null), () => engine.flush()]) {
    assert.throws(call, { code: "ERR_CLIENT", message: /crashed/ });
  }
  engine.close();
  const again = new Engine(new NodeFiles({ check() {}, checkNow() {} }), path);
  assert.equal(again.getText("key")?.length, 100_002);
  again.close();
});
