// What a page hears of the changes that another page makes.

import { expect } from "@playwright/test";
import { test } from "./log_pages.js";

/** Watches a storage on a page. `window.next()` then resolves with as many changes. @param {string} storage */
async function watch(storage) {
  const { kv, localforage } = /** @type {any} */ (window);
  const clients = { localStorage, localforage };
  const store = kv(clients[/** @type {"localStorage"} */ (storage)] ?? storage).prefix("p:");
  const watcher = store.watch(undefined, { reach: "origin" });
  await watcher.ready;
  const changes = watcher[Symbol.asyncIterator]();
  /** @type {any} */ (window).next = async (/** @type {number} */ count) => {
    const taken = [];
    while (taken.length < count) taken.push((await changes.next()).value);
    return taken;
  };
  return watcher.reach;
}

/** Makes calls on a store over a storage. @param {{ storage: string, calls: [string, ...any[]][] }} options */
async function make({ storage, calls }) {
  const { kv, localforage } = /** @type {any} */ (window);
  const clients = { localStorage, localforage };
  const store = kv(clients[/** @type {"localStorage"} */ (storage)] ?? storage);
  for (const [method, ...args] of calls) await store[method](...args);
}

for (const storage of ["localStorage", "indexeddb:watched", "localforage", "opfs:watched"]) {
  test(`${storage}: a page hears what another page sets, deletes, clears and lets expire`, async ({ open }) => {
    const page = await open();
    const other = await open();
    if (storage === "localforage")
      for (const each of [page, other])
        await each.addScriptTag({ url: "/node_modules/localforage/dist/localforage.js" });
    await other.evaluate(make, { storage, calls: /** @type {[string][]} */ ([["clear"]]) });
    expect(await page.evaluate(watch, storage)).toBe("origin");
    const next = (/** @type {number} */ count) =>
      page.evaluate((count) => /** @type {any} */ (window).next(count), count);
    const calls = (/** @type {[string, ...any[]][]} */ ...calls) => other.evaluate(make, { storage, calls });
    await calls(["set", "p:a", { deep: [1] }], ["set", "q", 1], ["set", "p:b", 2]);
    expect(await next(2)).toEqual([
      { type: "set", key: "a", value: { deep: [1] } },
      { type: "set", key: "b", value: 2 },
    ]);
    await calls(["del", "p:a"]);
    expect(await next(1)).toEqual([{ type: "del", key: "a" }]);
    await calls(["set", "p:c", 3, { expires: "3s" }]);
    expect(await next(2)).toEqual([
      { type: "set", key: "c", value: 3 },
      { type: "expire", key: "c" },
    ]);
    await calls(["clear"], ["set", "p:last", 4]);
    expect(await next(2)).toEqual([
      { type: "del", key: "b" },
      { type: "set", key: "last", value: 4 },
    ]);
  });
}

/** Ends the worker of a page as a browser that kills it does. */
const killWorker = () => /** @type {any} */ (window).workers.at(-1).terminate();

test("opfs: the page that has the log open hears the others; a touch is no change", async ({ open, log }) => {
  const page = await open();
  const other = await open();
  expect(await page.evaluate(watch, log)).toBe("origin");
  const next = (/** @type {number} */ count) =>
    page.evaluate((count) => /** @type {any} */ (window).next(count), count);
  const calls = (/** @type {[string, ...any[]][]} */ ...calls) => other.evaluate(make, { storage: log, calls });
  await calls(["setMany", { "p:a": 1, "p:b": 2 }]);
  expect(await next(2)).toEqual([
    { type: "set", key: "a", value: 1 },
    { type: "set", key: "b", value: 2 },
  ]);
  await calls(["touch", "p:a", "3s"], ["incr", "p:b"]);
  expect(await next(2)).toEqual([
    { type: "set", key: "b", value: 3 },
    { type: "expire", key: "a" },
  ]);
});

test("opfs: a page that is frozen gets a gap when it goes on, and then the changes", async ({ open, log }) => {
  const page = await open();
  const other = await open();
  expect(await page.evaluate(watch, log)).toBe("origin");
  // Chromium sends these events only to a page that is hidden, which a page without a window never is.
  await page.evaluate(() => document.dispatchEvent(new Event("freeze")));
  const calls = (/** @type {[string, ...any[]][]} */ ...calls) => other.evaluate(make, { storage: log, calls });
  await calls(["set", "p:a", 1]);
  await page.evaluate(() => document.dispatchEvent(new Event("resume")));
  const next = (/** @type {number} */ count) =>
    page.evaluate((count) => /** @type {any} */ (window).next(count), count);
  expect(await next(1)).toEqual([{ type: "gap" }]);
  let value = 1;
  let change;
  do {
    await calls(["set", "p:a", ++value]);
    [change] = await next(1);
  } while (change.type === "gap"); // If the page finds another owner of the log meanwhile, that is one more gap.
  expect(change).toMatchObject({ type: "set", key: "a" });
});

test("opfs: when the worker that has the log open is killed, a watcher gets a gap, and then the changes", async ({
  open,
  log,
}) => {
  const other = await open();
  const page = await open();
  const calls = (/** @type {[string, ...any[]][]} */ ...calls) => other.evaluate(make, { storage: log, calls });
  await calls(["set", "p:a", 1]); // The worker of this page has the log open.
  expect(await page.evaluate(watch, log)).toBe("origin");
  const next = (/** @type {number} */ count) =>
    page.evaluate((count) => /** @type {any} */ (window).next(count), count);
  for (const killed of [other, page]) {
    await killed.evaluate(killWorker);
    expect(await next(1)).toEqual([{ type: "gap" }]);
    await calls(["set", "p:a", 2]);
    expect(await next(1)).toEqual([{ type: "set", key: "a", value: 2 }]);
  }
});
