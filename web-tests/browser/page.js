import { test as base } from "../support/browser.js";

/**
 * Playwright's `test` with a page of the repository's server, on which tests evaluate code of their own:
 *
 *     const { default: kv } = await import("/dist/index.js");
 */
export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ tab: import("@playwright/test").Page }, {}, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    tab: async ({ chromiumContext, server }, use) => {
      const tab = await chromiumContext.newPage();
      await tab.goto(`${server.origin}/web-tests/browser/empty.html`);
      await tab.evaluate(async () => {
        localStorage.clear();
        sessionStorage.clear();
      });
      await use(tab);
      await tab.close();
    },
  }),
);
