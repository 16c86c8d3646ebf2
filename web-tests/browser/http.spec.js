// The contract over HTTP, in a page, against a server of another origin.

import { fileURLToPath } from "node:url";
import { expect } from "@playwright/test";
import kv from "polystore-wasm";
import { allCasesOf } from "../contract/all_cases.js";
import { distantHttp } from "../contract/clients/http.js";
import { verdictOf } from "../contract/verdicts.js";
import { test as base } from "../support/browser.js";
import { freePort, startProcess } from "../support/process.js";
import { serve, STRICT_POLICY } from "../support/server.js";

const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{}, { httpPage: import("@playwright/test").Page }, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    httpPage: [
      async ({ chromiumContext }, use) => {
        const port = await freePort();
        const url = `http://127.0.0.1:${port}`;
        const pages = await serve({ policy: `${STRICT_POLICY}; connect-src 'self' http://127.0.0.1:*` });
        const program = fileURLToPath(new URL("http_server.js", import.meta.url));
        const server = await startProcess(process.execPath, [program, String(port), pages.origin], /ready/);
        const page = await chromiumContext.newPage();
        await page.goto(`${pages.origin}/web-tests/browser/contract.html?http=${url}`);
        await page.waitForFunction(() => "contract" in window);
        await use(page);
        await page.close();
        await server.stop();
        await pages.close();
      },
      { scope: "worker" },
    ],
  }),
);

const subject = distantHttp(kv, "HTTP", "");
for (const { name } of allCasesOf(subject)) {
  test(name, async ({ httpPage }) => {
    const run = (/** @type {string} */ name) => window.contract("HTTP", name);
    expect(await httpPage.evaluate(run, name)).toBe(verdictOf(subject, name));
  });
}

test("a server that lets no page in, and one that is not there, are ERR_CLIENT", async ({ httpPage }) => {
  const closed = await serve(); // Without a word of other origins.
  const codes = await httpPage.evaluate(
    async (urls) => {
      const { default: kv } = await import(/** @type {any} */ ("/dist/index.js"));
      const code = (/** @type {any} */ error) => [error.code, error.cause.name];
      return Promise.all(urls.map((url) => kv(url).get("a").catch(code)));
    },
    [closed.origin, "http://127.0.0.1:1"],
  );
  expect(codes).toEqual([
    ["ERR_CLIENT", "TypeError"],
    ["ERR_CLIENT", "TypeError"],
  ]);
  await closed.close();
});
