// A batch over IndexedDB whose browser is killed in the middle of it, at each request of the transaction in turn: all of it is made, or
// nothing.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, expect, test } from "@playwright/test";
import { CHROMIUM_ARGUMENTS, chromiumPath } from "../support/browser.js";
import { startProcess } from "../support/process.js";
import { serve } from "../support/server.js";

const OLD = { kept: "as it was", changed: 1, removed: "soon" };
const NEW = { kept: "as it was", changed: 2, added: "x".repeat(1000) };

/**
 * Starts Chromium, which a test cannot kill if Playwright has started it.
 * @param {string} profile
 */
async function startChromium(profile) {
  const args = [...CHROMIUM_ARGUMENTS, "--headless", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
  const { output, stop } = await startProcess(chromiumPath, args, /DevTools listening on ws:\S+\n/);
  const [address] = /** @type {RegExpMatchArray} */ (output.match(/ws:\S+/));
  const browser = await chromium.connectOverCDP(address);
  return { context: browser.contexts()[0], kill: () => stop("SIGKILL") };
}

/**
 * Makes the batch in the page in which it is evaluated, which stops at one of its steps: before a request or the commit of its
 * transaction, or after that commit.
 * @param {{ name: `indexeddb:${string}`, stopAt: number, old: Record<string, any> }} given
 * @returns {Promise<boolean>} What the batch resolves with, if it has fewer steps.
 */
async function makeBatch({ name, stopAt, old }) {
  const store = window.kv(name);
  await store.setMany(old);
  let steps = 0;
  const step = () => {
    if (++steps !== stopAt) return;
    const request = new XMLHttpRequest();
    request.open("GET", "/stop", false); // The page waits for the answer, and does nothing meanwhile.
    request.send();
  };
  const stopBefore = (/** @type {any} */ prototype, /** @type {string} */ method) => {
    const real = prototype[method];
    prototype[method] = function (/** @type {any[]} */ ...args) {
      step();
      return real.apply(this, args);
    };
  };
  for (const method of ["get", "put", "delete"]) stopBefore(IDBObjectStore.prototype, method);
  const { commit } = IDBTransaction.prototype;
  IDBTransaction.prototype.commit = function () {
    step();
    commit.call(this);
    step();
  };
  return store.batch([
    ["set", "changed", 2],
    ["del", "removed"],
    ["set", "added", "x".repeat(1000)],
  ]);
}

test("of a batch whose browser is killed, at whichever request, all is made or nothing", async () => {
  test.slow();
  const server = await serve();
  const profile = await mkdtemp(join(tmpdir(), "polystore-killed-"));
  const { context, kill } = await startChromium(profile);
  const open = async (/** @type {import("@playwright/test").BrowserContext} */ context) => {
    const page = await context.newPage();
    await page.goto(`${server.origin}/web-tests/browser/empty.html`);
    await page.waitForFunction(() => "kv" in window);
    return page;
  };
  // A tab for each step, with a database of its own, waits there when the browser is killed.
  let steps = 0;
  for (let isWhole = false; !isWhole; ++steps) {
    const page = await open(context);
    const stopped = new Promise((resolve) => page.route("**/stop", () => resolve(false)));
    const given = /** @type {const} */ ({ name: `indexeddb:${steps}`, stopAt: steps + 1, old: OLD });
    const made = page.evaluate(makeBatch, given);
    made.catch(() => {}); // The page of a killed browser never answers.
    isWhole = /** @type {boolean} */ (await Promise.race([stopped, made]));
  }
  await kill();
  const { context: later, kill: end } = await startChromium(profile);
  const page = await open(later);
  const counts = { old: 0, new: 0 };
  for (let step = 0; step < steps; ++step) {
    const name = /** @type {const} */ (`indexeddb:${step}`);
    const all = await page.evaluate((name) => window.kv(name).all(), name);
    const state = step === steps - 1 || "added" in all ? "new" : "old";
    expect(all, `killed at step ${step + 1}`).toEqual(state === "new" ? NEW : OLD);
    ++counts[state];
  }
  expect(counts.old).toBeGreaterThan(3);
  await end();
  await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  await server.close();
});
