// Tabs that count together in one storage of a browser, and of which some are killed.

import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { launchChromium } from "../support/browser.js";
import { serve } from "../support/server.js";

/** @typedef {import("@playwright/test").Page} Page */

/** unstorage, which is made for bundlers, as a script that leaves it on the window of a page. @returns {Promise<string>} */
async function bundleUnstorage() {
  const contents = `
    import { createStorage } from "unstorage1";
    import indexedDb from "unstorage1/drivers/indexedb";
    window.unstorage = () => createStorage({ driver: indexedDb({}) });`;
  const stdin = { contents, resolveDir: fileURLToPath(new URL(".", import.meta.url)) };
  const { outputFiles } = await build({ stdin, bundle: true, write: false, format: "iife" });
  return outputFiles[0].text;
}

/**
 * Counts with several tabs of one origin at once, in a browser of its own.
 * @param {object} options
 * @param {string} [options.library]
 * @param {string} options.storage
 * @param {number} options.calls Of all tabs.
 * @param {number} [options.tabs]
 * @param {number} [options.kills] How often the tab that owns the log is closed or crashes, by turns. Another one is opened in its place.
 * @param {() => void} [options.onCount] Called when a call is acknowledged.
 * @returns {Promise<import("./processes.js").Count>}
 */
export async function countInTabs({
  library = "polystore-wasm",
  storage,
  calls,
  tabs = 8,
  kills = 0,
  onCount = () => {},
}) {
  const server = await serve();
  const { context, close } = await launchChromium();
  context.setDefaultTimeout(0); // Eight tabs open at once, which takes long on a busy machine.
  const script = library === "unstorage" ? await bundleUnstorage() : "";
  const given = { library, storage };
  const count = { acknowledged: 0, unknown: 0 };
  /** The tabs that are open, in the order in which they were opened, and what ends the wait for each. @type {Map<Page, () => void>} */
  const open = new Map();
  let killed = 0;

  /** Kills the tab that has waited longest for the lock of the log, and so has it: every second time by a crash. */
  const killOwner = async () => {
    const [[owner, stopWaiting]] = open;
    ++count.unknown;
    open.delete(owner);
    stopWaiting();
    if (++killed % 2 === 0) await owner.close();
    else await owner.goto("chrome://crash").catch(() => {}); // The navigation fails, because the tab is gone.
  };
  /** @param {number} left The number of its calls. */
  const openTab = async (left) => {
    const page = await context.newPage();
    const killing = new Promise((resolve) => open.set(page, () => resolve("killed")));
    await page.exposeFunction("acknowledge", async () => {
      if (!open.has(page)) return;
      --left;
      onCount();
      if (++count.acknowledged >= ((killed + 1) * calls) / (kills + 1) && killed < kills) await killOwner();
    });
    await page.goto(`${server.origin}/web-tests/counter/tab.html`);
    await page.waitForFunction(() => "count" in window);
    if (script) await page.evaluate(script);
    if (kills > 0) {
      await page.evaluate((given) => window.readCount(given), given);
      await page.waitForFunction(isInQueue, open.size);
    }
    /** Resolves when the tab, or the one in its place, has made its calls. @returns {Promise<void>} */
    const run = async () => {
      const counting = page.evaluate((given) => window.count(given), { ...given, calls: left, waits: kills > 0 });
      const end = await Promise.race([killing, counting]);
      if (end !== "killed") return;
      counting.catch(() => {}); // The page is gone.
      await (
        await openTab(left)
      )();
    };
    return run;
  };
  try {
    const runs = [];
    for (let i = 0; i < tabs; ++i) runs.push(await openTab(Math.floor((calls + i) / tabs)));
    await Promise.all(runs.map((run) => run()));
    const [page] = open.keys();
    const stored = await page.evaluate((given) => window.readCount(given), given);
    return { ...count, stored };
  } finally {
    await close();
    await server.close();
  }
}

/**
 * Tells, in a tab, whether so many tabs own the log or wait for that.
 * @param {number} tabs
 */
async function isInQueue(tabs) {
  const { held = [], pending = [] } = await navigator.locks.query();
  return [...held, ...pending].filter(({ name }) => name === "polystore-wasm:counter").length === tabs;
}
