// The contract, over every storage of a browser, on a page with a strict policy.

import { expect } from "@playwright/test";
import localForage from "localforage";
import kv from "polystore-wasm";
import { allCasesOf } from "../contract/all_cases.js";
import { pageSubjects, portableSubjects } from "../contract/clients.js";
import { browserLevel } from "../contract/clients/browser_level.js";
import { indexedDb } from "../contract/clients/indexeddb.js";
import { verdictOf } from "../contract/verdicts.js";
import { test as base } from "../support/browser.js";
import { bundleBrowserLevel } from "./browser_level.js";

/** One page for all: what a case needs is an empty storage, and it sees to that itself. */
const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{}, { contractPage: import("@playwright/test").Page }, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    contractPage: [
      async ({ chromiumContext, server }, use) => {
        const page = await chromiumContext.newPage();
        // The policy of the page does not hold for it.
        await page.addInitScript({ content: await bundleBrowserLevel() });
        await page.goto(`${server.origin}/web-tests/browser/contract.html`);
        await page.waitForFunction(() => "contract" in window);
        await use(page);
        await page.close();
      },
      { scope: "worker" },
    ],
  }),
);

// The core itself is the same in Node, where custom clients run; of those, one of each kind shows that it is here too.
const portable = portableSubjects(kv).filter(({ name }) => ["Map", "custom client: RAW, answers later"].includes(name));

for (const subject of [...pageSubjects(kv, localForage), indexedDb(kv), browserLevel(kv), ...portable]) {
  test.describe(subject.name, () => {
    for (const { name } of allCasesOf(subject)) {
      test(name, async ({ contractPage }) => {
        const run = (/** @type {string[]} */ [subject, name]) => /** @type {any} */ (window).contract(subject, name);
        expect(await contractPage.evaluate(run, [subject.name, name])).toBe(verdictOf(subject, name));
      });
    }
  });
}
