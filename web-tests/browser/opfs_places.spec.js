// A log in the places of a browser that cannot open its files: service workers, shared workers, and pages whose policy forbids
// workers. It is the same log as in all other pages, whoever wrote last, and whoever is there.

import { expect } from "@playwright/test";
import { callsIn, callsInShared, LOG, test } from "./places.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("@playwright/test").Worker} Worker */

/** The one database of a log whose journal is empty: it holds nothing, and says that there is a log. */
const SIGN = ["polystore-wasm opfs:notes"];

/** The databases of the origin. */
const databases = (/** @type {Page | Worker} */ place) =>
  /** @type {Page} */ (place).evaluate(async () => (await indexedDB.databases()).map(({ name }) => name));

test("a service worker, in one file, has the log of the page", async ({ places }) => {
  const worker = await places.startServiceWorker();
  const page = await places.open();
  const [inPage, inWorker] = [callsIn(page), callsIn(worker)];
  await inPage(["set", "page", 1], ["set", "both", 1], ["set", "gone", 1]);
  expect(await inWorker(["all"], ["set", "worker", 2], ["set", "both", 2], ["del", "gone"], ["type"])).toEqual([
    { page: 1, both: 1, gone: 1 },
    "worker",
    "both",
    "gone",
    "OPFS",
  ]);
  expect(await inPage(["all"])).toEqual([{ page: 1, both: 2, worker: 2 }]);
  expect(await databases(page)).toEqual(SIGN);
});

test("a service worker has the log where no page has it open, and nothing older comes back", async ({ places }) => {
  const worker = await places.startServiceWorker();
  const page = await places.open();
  await callsIn(page)(["set", "a", 1], ["set", "b", 1], ["set", "c", 1], ["prefix", "p:"]);
  await page.close();
  const inWorker = callsIn(worker);
  expect(await inWorker(["all"], ["set", "a", 2], ["del", "b"], ["set", "d", 2], ["all"])).toEqual([
    { a: 1, b: 1, c: 1 },
    "a",
    "b",
    "d",
    { a: 2, c: 1, d: 2 },
  ]);
  const next = callsIn(await places.open());
  expect(await next(["all"], ["set", "a", 3], ["del", "d"], ["set", "b", 3])).toEqual([
    { a: 2, c: 1, d: 2 },
    "a",
    "d",
    "b",
  ]);
  expect(await inWorker(["all"])).toEqual([{ a: 3, b: 3, c: 1 }]);
  await places.close();
  expect(await inWorker(["all"])).toEqual([{ a: 3, b: 3, c: 1 }]);
  expect(await callsIn(await places.open())(["all"])).toEqual([{ a: 3, b: 3, c: 1 }]);
});

test("a service worker makes a log that nobody has had, and gives it to the page that comes", async ({ places }) => {
  const worker = await places.startServiceWorker();
  await callsIn(worker)(["set", "a", 1]);
  const page = await places.open();
  expect(await callsIn(page)(["all"], ["set", "b", 2])).toEqual([{ a: 1 }, "b"]);
  await expect.poll(() => databases(page)).toEqual(SIGN);
  expect(await callsIn(worker)(["set", "c", 3], ["all"])).toEqual(["c", { a: 1, b: 2, c: 3 }]);
  expect(await databases(page)).toEqual(SIGN);
});

test("what a service worker was told is written is there when it is stopped", async ({ places }) => {
  const worker = await places.startServiceWorker();
  await callsIn(worker)(["set", "a", 1], ["set", "b", "x".repeat(100_000)], ["set", "c", 3], ["del", "c"]);
  await places.stopServiceWorkers();
  const [all] = await callsIn(await places.open())(["all"]);
  expect(all).toEqual({ a: 1, b: "x".repeat(100_000) });
});

test("a shared worker and a page without workers have the log, beside a page that has it open", async ({ places }) => {
  const [page, strict, other] = [await places.open(), await places.openStrict(), await places.open()];
  const all = [callsIn(page), callsIn(strict), callsInShared(other)];
  const writes = all.map((place, i) =>
    place(...Array.from({ length: 20 }, (_, j) => /** @type {const} */ (["set", `${i}:${j}`, j]))),
  );
  await Promise.all(writes);
  for (const place of all) {
    const [keys, type] = await place(["keys"], ["type"]);
    expect([keys.length, type]).toEqual([60, "OPFS"]);
  }
  await page.close();
  expect((await all[1](["del", "0:0"], ["keys"]))[1]).toHaveLength(59);
  expect((await all[2](["set", "0:0", 1], ["keys"]))[1]).toHaveLength(60);
});

test("a page without workers keeps the log over reloads, also one that is written anew again and again", async ({
  places,
}) => {
  const page = await places.openStrict();
  const sizes = await page.evaluate(async (log) => {
    const store = window.kv(/** @type {any} */ (log));
    for (let i = 0; i < 150; ++i) await store.set(String(i % 3), String(i).padEnd(100_000));
    await store.close();
    const opening = indexedDB.open("polystore-wasm opfs-journal:notes");
    await new Promise((resolve) => (opening.onsuccess = resolve));
    const reading = opening.result.transaction("journal").objectStore("journal").getAll();
    await new Promise((resolve) => (reading.onsuccess = resolve));
    opening.result.close();
    return reading.result.map((/** @type {any} */ { bytes }) => bytes?.length ?? 0);
  }, LOG);
  const size = sizes.reduce((/** @type {number} */ sum, /** @type {number} */ size) => sum + size, 0);
  expect(size).toBeLessThan(10_000_000);
  await page.close();
  const again = await places.openStrict();
  const expected = { 0: "147".padEnd(100_000), 1: "148".padEnd(100_000), 2: "149".padEnd(100_000) };
  expect(await callsIn(again)(["all"], ["set", "3", 1])).toEqual([expected, "3"]);
  await again.close();
  expect(await callsIn(await places.open())(["all"])).toEqual([{ ...expected, 3: 1 }]);
});

test("a write that the journal has no room for is ERR_QUOTA and leaves nothing; what comes behind it is kept", async ({
  places,
}) => {
  const page = await places.openStrict();
  const results = await page.evaluate(async (log) => {
    const store = window.kv(/** @type {any} */ (log));
    await store.set("a", 1);
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = () => {
      IDBObjectStore.prototype.put = put;
      throw new DOMException("It is full.", "QuotaExceededError");
    };
    const refused = await store.set("b", 2).catch((/** @type {any} */ error) => error.code);
    return [refused, await store.all(), await store.set("c", 3)];
  }, LOG);
  expect(results).toEqual(["ERR_QUOTA", { a: 1 }, "c"]);
  await page.close();
  expect(await callsIn(await places.open())(["all"])).toEqual([{ a: 1, c: 3 }]);
});

test("a service worker, too, moves the database that stood in for the log", async ({ places }) => {
  const worker = await places.startServiceWorker();
  const page = await places.open();
  await page.evaluate(() => {
    StorageManager.prototype.getDirectory = () => Promise.reject(new DOMException("It is refused.", "SecurityError"));
    window.Worker = /** @type {any} */ (
      class {
        constructor() {
          throw new Error("There is none.");
        }
      }
    );
  });
  expect(await callsIn(page)(["set", "a", 1], ["set", "b", 1], ["type"])).toEqual(["a", "b", "INDEXEDDB"]);
  await page.close();
  expect(await callsIn(worker)(["all"], ["del", "a"], ["set", "b", 2])).toEqual([{ a: 1, b: 1 }, "a", "b"]);
  expect(await callsIn(await places.open())(["all"])).toEqual([{ b: 2 }]);
});
