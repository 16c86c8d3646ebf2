// Pages that share a log in the private file system, and what a test does to their workers.

import { test as base } from "./page.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {`opfs:${string}`} Log */

/** Keeps the workers that a page starts where a test finds them. */
function keepWorkers() {
  const workers = /** @type {any} */ (/** @type {any} */ (window).workers = []);
  window.Worker = class extends Worker {
    /** @param {any[]} args */
    constructor(...args) {
      super(.../** @type {[string]} */ (args));
      workers.push(this);
    }
  };
}

/** Pages of one origin, opened as a test wants them; and a name of a log that no other test has. */
export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ open: (policy?: string) => Promise<Page>, log: Log }, {}, { tab: Page }, import("../support/browser.js").WorkerFixtures>} */ ({
    open: async ({ chromiumContext, server }, use) => {
      /** @type {Page[]} */
      const pages = [];
      await use(async (policy) => {
        const page = await chromiumContext.newPage();
        pages.push(page);
        await page.addInitScript(keepWorkers);
        const query = policy ? `?policy=${encodeURIComponent(policy)}` : "";
        await page.goto(`${server.origin}/web-tests/browser/empty.html${query}`);
        await page.waitForFunction(() => "kv" in window);
        return page;
      });
      for (const page of pages) await page.close();
    },
    log: async ({}, use, { testId }) => use(`opfs:${testId}`),
  }),
);

/** Lets the page start another program as its workers, which then loads ours. @param {string} path */
export function startWorkersFrom(path) {
  window.Worker = /** @type {any} */ (
    class extends Worker {
      constructor() {
        super(path);
      }
    }
  );
}
