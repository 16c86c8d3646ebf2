// What a watcher owes whatever it watches, over a Map.

import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, test } from "node:test";
import kv, { PolystoreError } from "polystore-wasm";
import { runApart } from "../support/run_apart.js";
import { take, watching } from "../../js/contract/behaviours/watch.js";

/** Runs what ended up in the queues before it. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe("watch()", () => {
  test("hears what is written after it in the same tick, also while its code is loaded", async () => {
    const store = kv(new Map());
    const watcher = store.watch();
    store.set("a", 1);
    const [change] = await take(watcher[Symbol.asyncIterator]());
    assert.deepEqual(change, { type: "set", key: "a", value: 1 });
    watcher.close();
  });

  test("over a promise hears what is written through the client that it resolves with", async () => {
    const map = new Map();
    const later = kv(Promise.resolve(kv(map, { prefix: "p:" })));
    assert.equal(later.watch().reach, null);
    await watching(later, [], async (changes) => {
      await kv(map).set("p:k", 1);
      assert.deepEqual(await take(changes), [{ type: "set", key: "k", value: 1 }]);
    });
  });

  test("a listener that throws is reported as uncaught, and ends neither itself nor another", async () => {
    const program = `
      const store = kv(new Map());
      const heard = [];
      process.on("uncaughtException", (error) => heard.push(error.message));
      const bad = store.watch("k", () => { throw new Error("mine"); });
      const good = store.watch(({ value }) => heard.push(value));
      await Promise.all([bad.ready, good.ready]);
      for (const value of [1, 2]) {
        await store.set("k", value);
        await new Promise((resolve) => setImmediate(resolve));
      }
      console.log(JSON.stringify(heard.sort()));
    `;
    assert.deepEqual(await runApart("true", program), [1, 2, "mine", "mine"]);
  });

  test("a watcher with an expiry to come keeps no process alive", async () => {
    const program = `
      const store = kv(new Map());
      await store.set("k", 1, { expires: "1h" });
      const watcher = store.watch(() => {});
      await watcher.ready;
      console.log(JSON.stringify("ready"));
    `;
    assert.equal(await runApart("true", program), "ready");
  });

  test("a listener whose watcher is refused leaves a rejection that somebody has to handle", async () => {
    const program = `
      process.on("unhandledRejection", (error) => console.log(JSON.stringify(error.code)));
      kv(new Map()).watch(() => {}, { reach: "storage" });
    `;
    assert.equal(await runApart("true", program), "ERR_UNSUPPORTED");
  });

  test("closing one of two stores ends its watchers and the watchers of its sub-stores only", async () => {
    const map = new Map();
    const store = kv(map);
    const other = kv(map);
    const closed = [store.watch(), store.prefix("p:").watch("k")];
    const open = other.watch();
    await Promise.all([...closed, open].map(({ ready }) => ready));
    await store.close();
    for (const watcher of closed)
      await assert.rejects(watcher[Symbol.asyncIterator]().next(), (error) => {
        assert.ok(error instanceof PolystoreError);
        assert.equal(error.code, "ERR_CLOSED");
        return true;
      });
    await other.set("k", 1);
    assert.deepEqual(await take(open[Symbol.asyncIterator]()), [{ type: "set", key: "k", value: 1 }]);
    open.close();
  });

  test("return() of an iteration ends it although next() is pending", async () => {
    const watcher = kv(new Map()).watch();
    const changes = watcher[Symbol.asyncIterator]();
    const next = changes.next();
    await watcher.ready;
    await changes.return?.();
    assert.deepEqual(await next, { done: true, value: undefined });
  });

  test("a record that cannot be read is a gap, and the changes go on", async () => {
    const data = new Map();
    const client = {
      get(/** @type {string} */ key) {
        if (key === "broken") throw new Error("unreadable");
        return data.get(key);
      },
      set: (/** @type {string} */ key, /** @type {any} */ record) => data.set(key, record),
      entries: () => [...data],
    };
    const store = kv(client);
    await watching(store, [], async (changes) => {
      await store.set("a", 1);
      assert.deepEqual(await take(changes), [{ type: "set", key: "a", value: 1 }]);
      await store.set("broken", 1);
      assert.deepEqual(await take(changes), [{ type: "gap" }]);
      await store.set("a", 2);
      assert.deepEqual(await take(changes), [{ type: "set", key: "a", value: 2 }]);
    });
  });

  test("a client that cannot list tells of what is written and deleted", async () => {
    const data = new Map();
    const store = kv({
      get: (/** @type {string} */ key) => data.get(key),
      set: (/** @type {string} */ key, /** @type {any} */ record) => data.set(key, record),
    });
    await watching(store.prefix("p:"), [], async (changes) => {
      await store.set("p:k", 1);
      await store.del("p:k");
      assert.deepEqual(await take(changes), [{ type: "del", key: "k" }]);
    });
  });

  test("a call that is late tells of its change when it is made", async () => {
    const calls = new EventTarget();
    const data = new Map();
    const slow = {
      get: (/** @type {string} */ key) => data.get(key),
      async set(/** @type {string} */ key, /** @type {any} */ record) {
        await once(calls, "made");
        data.set(key, record);
      },
    };
    const store = kv(slow, { timeout: "1ms" });
    await watching(store, ["k"], async (changes) => {
      await assert.rejects(store.set("k", 1), { code: "ERR_CLIENT" });
      calls.dispatchEvent(new Event("made"));
      assert.deepEqual(await take(changes), [{ type: "set", key: "k", value: 1 }]);
    });
  });

  test("the client is not told of changes when the last watcher has ended", async () => {
    const map = new Map();
    const store = kv(map);
    const watcher = store.watch();
    await watcher.ready;
    watcher.close();
    await store.set("a", 1);
    await watching(store, [], async (changes) => {
      await store.set("b", 1);
      assert.deepEqual(await take(changes), [{ type: "set", key: "b", value: 1 }]);
      await turn();
    });
  });
});
