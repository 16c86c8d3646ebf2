// Commits over a log in the private file system: all of the changes or none, and one outcome, whoever has the log and whenever it
// ends.

import { expect } from "@playwright/test";
import { makeCommits } from "../support/any_commit.js";
import { STRICT_POLICY } from "../support/server.js";
import { startWorkersFrom, test } from "./log_pages.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("./log_pages.js").Log} Log */

/** Opens the client of a log in a page, where tests find it as `client`. @param {Page} page @param {Log} log */
const openClient = (page, log) =>
  page.evaluate(
    async ({ url, name }) => {
      const { openOpfs } = await import(url);
      Object.assign(window, { client: await openOpfs(name, "relaxed") });
      return /** @type {any} */ (window).client.traits.type;
    },
    { url: "/dist/clients/opfs/opfs.js", name: log.slice(5) },
  );

/** Makes any commit in a page, and compares what came of each with what has to. @param {Page} page */
async function checkCommits(page) {
  const results = /** @type {Awaited<ReturnType<typeof makeCommits>>} */ (
    await page.evaluate(`(${makeCommits})(window.client)`)
  );
  for (const [name, result, expected] of results) expect(result, name).toEqual(expected);
}

const NO_WORKERS = `${STRICT_POLICY}; worker-src 'none'`;

test("the page of the owner makes any commit", async ({ open, log }) => {
  const page = await open();
  expect(await openClient(page, log)).toBe("OPFS");
  await checkCommits(page);
});

test("a page that asks the owner of another makes any commit", async ({ open, log }) => {
  const [owner, page] = [await open(), await open()];
  await openClient(owner, log);
  await openClient(page, log);
  await checkCommits(page);
});

test("a page without workers makes any commit, and keeps it", async ({ open, log }) => {
  const page = await open(NO_WORKERS);
  expect(await openClient(page, log)).toBe("OPFS");
  await checkCommits(page);
});

test("the database that stands in for a log makes any commit", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  expect(await openClient(page, log)).toBe("INDEXEDDB");
  await checkCommits(page);
});

test("an outcome that was lost with its owner is the same from the next, and nothing is made again", async ({
  open,
  log,
}) => {
  const [owner, late, other] = [await open(), await open(), await open()];
  await owner.evaluate(startWorkersFrom, "/web-tests/browser/opfs_mute.worker.js");
  for (const page of [owner, late, other]) await openClient(page, log);
  await other.evaluate(() =>
    /** @type {any} */ (window).client.commit([{ expected: [], changes: [{ id: "y", value: 1, expires: null }] }], 0),
  );
  const lost = await late.evaluate(async () => {
    const { client } = /** @type {any} */ (window);
    const results = /** @type {any} */ ([]);
    const twoWereLost = new Promise((resolve) => {
      new BroadcastChannel("lost").onmessage = ({ data }) => results.push(data.result) === 2 && resolve(undefined);
    });
    const put = (/** @type {string} */ id) => ({ id, value: "late", expires: null });
    const makeIfAbsent = (/** @type {string} */ id) => ({ expected: [{ id, found: null }], changes: [put(id)] });
    const answers = Promise.all([
      client.commit([{ expected: [], changes: [put("unanswered")] }], 0),
      client.commit([makeIfAbsent("x"), makeIfAbsent("y")], 0),
      client.commit([{ expected: [], changes: [put("behind")] }], 0),
    ]);
    Object.assign(window, { answers });
    await twoWereLost;
    return results;
  });
  expect(lost).toEqual([0, 1]); // Of the two commits of a request only the first was made.
  const removals = [{ expected: [], changes: [{ id: "x" }, { id: "y" }] }];
  await other.evaluate((removals) => /** @type {any} */ (window).client.commit(removals, 0), removals);
  await owner.close();
  expect(await late.evaluate(() => /** @type {any} */ (window).answers)).toEqual([[true], [true, false], [true]]);
  expect(await late.evaluate((log) => window.kv(log).all(), log)).toEqual({ unanswered: "late", behind: "late" });
});

/** Adds one to several keys at once, again and again, until `window.isEnough` is set; counts what was acknowledged. */
function countOn(/** @type {string[]} */ ids) {
  const page = /** @type {any} */ (window);
  const { client } = page;
  Object.assign(page, { made: 0, refused: 0 });
  page.counting = (async () => {
    while (!page.isEnough) {
      const found = await Promise.all(ids.map((id) => client.read(id)));
      const expected = ids.map((id, i) => ({ id, found: found[i] ?? null }));
      const changes = ids.map((id, i) => ({ id, value: (found[i]?.value ?? 0) + 1, expires: null }));
      const [outcome] = await client.commit([{ expected, changes }], 0);
      if (typeof outcome === "object") throw outcome.error;
      if (outcome) ++page.made;
      else ++page.refused;
    }
  })();
}
const counted = (/** @type {Page} */ page) =>
  page.evaluate(async () => {
    const page = Object.assign(/** @type {any} */ (window), { isEnough: true });
    await page.counting;
    return { made: page.made, refused: page.refused };
  });
const madeMore = async (/** @type {Page} */ page, /** @type {number} */ count) => {
  const made = await page.evaluate(() => /** @type {any} */ (window).made);
  await page.waitForFunction((least) => /** @type {any} */ (window).made >= least, made + count);
};
const KEYS = ["one", "two", "three"];

test("a worker is killed in the middle of commits, again and again: each is made once, as a whole", async ({
  open,
  log,
}) => {
  const page = await open();
  await openClient(page, log);
  await page.evaluate(countOn, KEYS);
  for (let kill = 1; kill <= 10; ++kill) {
    await madeMore(page, 10);
    await page.evaluate(() => /** @type {any} */ (window).workers.at(-1).terminate());
  }
  await madeMore(page, 10);
  const { made, refused } = await counted(page);
  expect(refused).toBe(0); // A commit that was made twice would be refused the second time: nobody else writes.
  expect(await page.evaluate((log) => window.kv(log).all(), log)).toEqual(
    Object.fromEntries(KEYS.map((key) => [key, made])),
  );
});

test("tabs that change the same keys at once lose no commit, also when the owner is closed", async ({ open, log }) => {
  const [owner, one, two] = [await open(), await open(), await open()];
  for (const page of [owner, one, two]) await openClient(page, log);
  for (const page of [one, two]) await page.evaluate(countOn, KEYS);
  for (const page of [one, two]) await madeMore(page, 10);
  await owner.close();
  for (const page of [one, two]) await madeMore(page, 10);
  const made = (await Promise.all([counted(one), counted(two)])).reduce((sum, { made }) => sum + made, 0);
  expect(await one.evaluate((log) => window.kv(log).all(), log)).toEqual(
    Object.fromEntries(KEYS.map((key) => [key, made])),
  );
});

test("a commit that has no room fails alone, and is not made in part", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_small.worker.js?2000000");
  await openClient(page, log);
  const outcomes = await page.evaluate(async () => {
    const { client } = /** @type {any} */ (window);
    const put = (/** @type {string} */ id, value = "small") => ({ id, value, expires: null });
    const large = put("large", "x".repeat(3_000_000));
    const absent = (/** @type {string} */ id) => [{ id, found: null }];
    const commits = [
      { expected: absent("a"), changes: [put("a"), put("b")] },
      { expected: absent("c"), changes: [put("c"), large] },
      { expected: absent("d"), changes: [put("d")] },
      { expected: [], changes: [put("e"), large] },
      { expected: [], changes: [put("f"), put("g")] },
    ];
    const outcomes = await client.commit(commits, 0);
    return outcomes.map((/** @type {any} */ outcome) => outcome.error?.code ?? outcome);
  });
  expect(outcomes).toEqual([true, "ERR_QUOTA", true, "ERR_QUOTA", true]);
  expect(await page.evaluate((log) => window.kv(log).keys(), log)).toEqual(["a", "b", "d", "f", "g"]);
});
