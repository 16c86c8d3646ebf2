// The database that stands in for a log where there is no private file system: it holds what the log can hold, or what is moved
// over to it would be lost.

import { expect } from "@playwright/test";
import { startWorkersFrom, test } from "./log_pages.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("./log_pages.js").Log} Log */

/** Makes calls of one store of a page, one after the other, and returns their results. */
const callsIn =
  (/** @type {Page} */ page, /** @type {Log} */ log) =>
  (/** @type {(readonly [method: string, ...args: any[]])[]} */ ...calls) =>
    page.evaluate(
      async ({ log, calls }) => {
        const test = /** @type {any} */ (window);
        const store = (test.store ??= window.kv(log));
        const results = [];
        for (const [method, ...args] of calls)
          results.push(await store[method](...args).catch((/** @type {any} */ error) => error.code ?? String(error)));
        return results;
      },
      { log, calls },
    );

/** Opens a page whose browser refuses it the private file system. */
async function openRefused(/** @type {() => Promise<Page>} */ open) {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  return page;
}

/** What calls with a key give that has half of a surrogate pair. */
async function callWithHalves(/** @type {string} */ log) {
  const store = window.kv(/** @type {`opfs:${string}`} */ (log));
  await store.set("\ufffd", 0);
  const calls = ["\ud800", "\udfff", "a\ud83d"].flatMap((key) => [
    store.set(key, 1),
    store.get(key),
    store.has(key),
    store.del(key),
  ]);
  const results = await Promise.allSettled(calls);
  return {
    errors: results.map((result) => (result.status === "rejected" ? `${result.reason.code} ${result.reason}` : "none")),
    all: await store.all(),
    half: await store.prefix("\ud83d").keys(),
    type: store.type,
  };
}

for (const type of ["OPFS", "INDEXEDDB"]) {
  test(`a key with a lone surrogate is ERR_KEY, in ${type}`, async ({ tab }, { testId }) => {
    if (type === "INDEXEDDB") {
      await tab.evaluate(() => {
        window.Worker = /** @type {any} */ (
          class extends Worker {
            constructor() {
              super("/web-tests/browser/opfs_refused.worker.js");
            }
          }
        );
      });
    }
    const { errors, ...rest } = await tab.evaluate(callWithHalves, `opfs:${testId}`);
    expect(errors).toEqual(
      errors.map(() => expect.stringMatching(/^ERR_KEY .*The key ".*" has a lone surrogate, which a log cannot hold/)),
    );
    expect(rest).toEqual({ all: { "\ufffd": 0 }, half: [], type });
  });
}

test("a page that is on the database uses the log as soon as another page has it: nothing older replaces newer, nothing deleted comes back", async ({
  open,
  log,
}) => {
  const refused = await openRefused(open);
  const inRefused = callsIn(refused, log);
  await inRefused(["set", "a", "database"], ["set", "gone", "database"], ["set", "kept", 1], ["incr", "count"]);
  expect(await refused.evaluate(() => /** @type {any} */ (window).store.type)).toBe("INDEXEDDB");

  const page = await open();
  const inPage = callsIn(page, log);
  expect(await inPage(["all"])).toEqual([{ a: "database", gone: "database", kept: 1, count: 1 }]);
  expect(await inRefused(["get", "kept"], ["keys"])).toEqual([1, ["a", "count", "gone", "kept"]]);
  // Both write the same keys in turn; every write of the page is newer than the one of the refused page before it.
  for (let i = 0; i < 5; ++i) {
    expect(await inRefused(["set", "a", `old ${i}`], ["set", "gone", i], ["incr", "count"])).toContain(2 * i + 2);
    expect(await inPage(["get", "a"], ["set", "a", `new ${i}`], ["del", "gone"], ["incr", "count"])).toEqual([
      `old ${i}`,
      "a",
      "gone",
      2 * i + 3,
    ]);
    expect(await inRefused(["get", "a"], ["has", "gone"])).toEqual([`new ${i}`, false]);
  }
  const newest = { a: "new 4", kept: 1, count: 11 };
  await page.close();
  // The log is there, and nobody can read it: an error, and not a database that is older.
  expect(await inRefused(["get", "a"], ["set", "a", "lost?"])).toEqual(["ERR_CLIENT", "ERR_CLIENT"]);
  const next = await open();
  expect(await callsIn(next, log)(["all"])).toEqual([newest]);
  expect(await inRefused(["all"], ["set", "a", "last"])).toEqual([newest, "a"]);
  await refused.close();
  await next.close();
  expect(await callsIn(await open(), log)(["all"])).toEqual([{ ...newest, a: "last" }]);
});

test("pages with and without the private file system change the same keys at once: each change is made once, in one place", async ({
  open,
  log,
}) => {
  const refused = await openRefused(open);
  const count = async (/** @type {Page} */ page) =>
    page.evaluate(async (log) => {
      const store = window.kv(log);
      for (let i = 0; i < 50; ++i)
        await Promise.all([store.incr("count"), store.set(`last ${i}`, i), store.del("gone")]);
    }, log);
  await callsIn(refused, log)(["set", "gone", 1]);
  const counting = [count(refused)];
  for (let i = 0; i < 3; ++i) counting.push(count(await open()));
  await Promise.all(counting);
  const next = await open();
  const all = callsIn(next, log);
  expect(await all(["get", "count"], ["size"], ["has", "gone"])).toEqual([200, 51, false]);
  expect(await callsIn(refused, log)(["get", "count"])).toEqual([200]);
});

test("an iteration of the database that another page moves goes on in the log, with each record once", async ({
  open,
  log,
}) => {
  const refused = await openRefused(open);
  await refused.evaluate(async (log) => {
    const store = window.kv(log);
    await store.setMany(Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key ${i}`, i])));
    const iteration = store[Symbol.asyncIterator]();
    const first = await iteration.next();
    Object.assign(window, { iteration, first });
  }, log);
  const page = await open();
  await callsIn(page, log)(["set", "page", 1]);
  const keys = await refused.evaluate(async () => {
    const { iteration, first } = /** @type {any} */ (window);
    const keys = [first.value[0]];
    for await (const [key] of iteration) keys.push(key);
    return keys.filter((key) => key !== "page");
  });
  expect([keys.length, new Set(keys).size]).toEqual([2000, 2000]);
});
