// What is true of localForage beyond the contract: batching, and the database that we share with it.

import { expect } from "@playwright/test";
import { serve } from "../support/server.js";
import { test } from "./page.js";

test("1,000 calls at once, and a listing of 1,000, cost a few transactions", async ({ tab }) => {
  const counts = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv(window.localforage.createInstance({ name: "counting" }));
    await store.clear();

    let transactions = 0;
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      ++transactions;
      return transaction.apply(this, args);
    };
    const cost = async (/** @type {() => Promise<any>} */ action) => {
      const before = transactions;
      const result = await action();
      return [result.length, transactions - before];
    };
    const keys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
    const counts = {
      set: await cost(() => Promise.all(keys.map((key, i) => store.set(key, i)))),
      get: await cost(() => Promise.all(keys.map(store.get))),
      has: await cost(() => Promise.all(keys.map(store.has))),
      mixed: await cost(() => Promise.all([store.set("a", 1), store.get("a"), store.del("a"), store.has("a")])),
      entries: await cost(() => store.entries()),
    };
    IDBDatabase.prototype.transaction = transaction;
    return counts;
  });
  expect(counts).toEqual({ set: [1000, 1], get: [1000, 1], has: [1000, 1], mixed: [4, 1], entries: [1000, 4] });
});

test("localForage may add a store to the database meanwhile, and remove one", async ({ tab }) => {
  const values = await tab.evaluate(async () => {
    const { kv } = window;
    const { localforage } = window;
    const first = kv(localforage.createInstance({ name: "shared", storeName: "first" }));
    await first.set("a", 1);
    // Both need a new version of the database, for which every connection must be closed.
    const added = localforage.createInstance({ name: "shared", storeName: "second" });
    const second = kv(added);
    await second.set("a", 2);
    const values = [await first.get("a"), await second.get("a")];
    await added.dropInstance({ name: "shared", storeName: "second" });
    return [...values, await first.get("a")];
  });
  expect(values).toEqual([1, 2, 1]);
});

test("when its database was dropped, localForage makes it anew", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const instance = window.localforage.createInstance({ name: "dropped" });
    const store = kv(instance);
    await store.set("a", 1);
    await new Promise((resolve, reject) => {
      const deleting = indexedDB.deleteDatabase("dropped");
      deleting.onsuccess = resolve;
      deleting.onerror = reject;
    });
    return [await store.get("a"), await store.set("b", 2), await store.keys(), await instance.keys()];
  });
  expect(result).toEqual([null, "b", ["b"], ["b"]]);
});

test("a connection that the browser closed is opened again", async ({ tab }) => {
  const values = await tab.evaluate(async () => {
    const { kv } = window;
    /** @type {IDBDatabase[]} */
    const connections = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      connections.push(this);
      return transaction.apply(this, args);
    };
    const store = kv(window.localforage.createInstance({ name: "closing" }));
    await store.set("a", 1);
    IDBDatabase.prototype.transaction = transaction;
    connections.at(-1)?.close();
    return [await store.get("a"), await store.set("b", 2), await store.keys()];
  });
  expect(values).toEqual([1, "b", ["a", "b"]]);
});

test("a value that does not fit is refused alone, and the calls of the same tick go through", async ({ tab }) => {
  const outcome = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv(window.localforage.createInstance({ name: "failing" }));
    await store.clear();
    await store.set("old", "kept");
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (value, key) {
      // What the browser does when its disk is full, which no test can wait for.
      if (key === "large") this.transaction.abort();
      return put.call(this, value, key);
    };
    const calls = [store.set("a", 1), store.set("large", "…"), store.set("b", 2), store.get("old")];
    const settled = await Promise.allSettled(calls);
    IDBObjectStore.prototype.put = put;
    return { statuses: settled.map(({ status }) => status), entries: await store.entries() };
  });
  expect(outcome.statuses).toEqual(["fulfilled", "rejected", "fulfilled", "fulfilled"]);
  expect(outcome.entries).toEqual([
    ["a", 1],
    ["b", 2],
    ["old", "kept"],
  ]);
});

test("a batch that is tried again does not overtake a later one", async ({ tab }) => {
  const value = await tab.evaluate(async () => {
    const store = window.kv(window.localforage.createInstance({ name: "overtaking" }));
    await store.clear();
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (value, key) {
      if (key === "large") this.transaction.abort();
      return put.call(this, value, key);
    };
    const first = [store.set("large", "…").catch(() => {}), store.set("a", "old")];
    await Promise.resolve();
    await Promise.all([...first, store.set("a", "new")]);
    IDBObjectStore.prototype.put = put;
    return store.get("a");
  });
  expect(value).toBe("new");
});

test("a full disk rejects with ERR_QUOTA, and what was there is still there", async ({ chromiumContext }) => {
  // An origin of its own: Chromium remembers for some seconds how much room an origin had.
  const server = await serve();
  const tab = await chromiumContext.newPage();
  await tab.goto(`${server.origin}/web-tests/browser/empty.html`);
  const session = await chromiumContext.newCDPSession(tab);
  await session.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 2_000_000 });
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv(window.localforage.createInstance({ name: "full" }));
    await store.set("small", "kept");
    // Random, because browsers compress what they store.
    const random = Array.from({ length: 500_000 }, () => Math.random().toString(36)).join("");
    const error = await store.set("large", random).catch((/** @type {any} */ error) => error);
    return [error.code, error.cause?.name, await store.get("small"), await store.has("large")];
  });
  expect(result).toEqual(["ERR_QUOTA", "QuotaExceededError", "kept", false]);
  await tab.close();
  await server.close();
});

test("an expired record that another tab replaced meanwhile is not removed", async ({ tab }) => {
  const values = await tab.evaluate(async () => {
    const { evictLate } = await import(/** @type {string} */ ("/web-tests/browser/late_eviction.js"));
    return evictLate(window.localforage.createInstance({ name: "tabs" }));
  });
  expect(values).toEqual([null, "a", "new"]);
});
