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
  const script = library === "unstorage" ? await bundleUnstorage() : "";
  const count = { acknowledged: 0, unknown: 0 };
  /** The tabs that count, in the order in which they were opened, and what ends each. @type {Map<Page, () => void>} */
  const open = new Map();
  let killed = 0;

  const killOwner = async () => {
    const [owner] = [...open.keys()].filter((page) => page.workers().length > 0);
    if (!owner) throw new Error("None of the tabs has a worker.");
    ++count.unknown;
    /** @type {() => void} */ (open.get(owner))();
    open.delete(owner);
    if (++killed % 2 === 0) await owner.close();
    else await owner.goto("chrome://crash").catch(() => {}); // The navigation fails, since nothing is left that could make it.
  };
  /** @param {number} left */
  const countIn = async (left) => {
    const page = await context.newPage();
    let isKilled = false;
    /** @type {Promise<void>} */
    const killing = new Promise((resolve) => open.set(page, () => resolve(undefined)));
    killing.then(() => (isKilled = true));
    await page.exposeFunction("acknowledge", async () => {
      if (!open.has(page)) return;
      --left;
      onCount();
      if (++count.acknowledged >= ((killed + 1) * calls) / (kills + 1) && killed < kills) await killOwner();
    });
    await page.goto(`${server.origin}/web-tests/counter/tab.html`);
    await page.waitForFunction(() => "count" in window);
    if (script) await page.evaluate(script);
    const given = { library, storage, calls: left, waits: kills > 0 };
    const counting = page.evaluate((given) => window.count(given), given);
    await Promise.race([killing, counting]);
    counting.catch(() => {});
    if (isKilled) await countIn(left);
  };
  try {
    await Promise.all(Array.from({ length: tabs }, (_, i) => countIn(Math.floor((calls + i) / tabs))));
    const [page] = open.keys();
    const stored = await page.evaluate((given) => window.readCount(given), { library, storage });
    return { ...count, stored };
  } finally {
    await close();
    await server.close();
  }
}
