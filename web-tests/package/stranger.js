// A folder of a stranger's, in which the tarball is installed, and a page that uses it.

import { execFileSync } from "node:child_process";
import { cp, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { test as base } from "../support/browser.js";
import { serve } from "../support/server.js";

/** A folder in which the tarball, and localForage, were installed. */
export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{}, { folder: string }, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    folder: [
      async ({}, use) => {
        const folder = await mkdtemp(join(tmpdir(), "polystore-package-"));
        const npm = (/** @type {string[]} */ args, /** @type {string} */ cwd) =>
          execFileSync("npm", args, { cwd, encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
        // dist/ was built by whoever runs the tests; building it anew is not this test's matter.
        const [{ filename }] = JSON.parse(
          npm(["pack", "--json", "--ignore-scripts", "--pack-destination", folder], "."),
        );
        await writeFile(
          join(folder, "package.json"),
          JSON.stringify({ name: "stranger", private: true, type: "module" }),
        );
        npm(["install", "--offline", "--no-audit", "--no-fund", `./${filename}`], folder);
        await cp("node_modules/localforage", join(folder, "node_modules/localforage"), { recursive: true });
        await use(folder);
        await rm(folder, { recursive: true });
      },
      { scope: "worker", timeout: 120_000 },
    ],
  }),
);

/** What a stranger's page does; it leaves its result in the title. */
export const APPLICATION = `
  import kv from "polystore-wasm";
  import localforage from "localforage";

  const stores = [kv(localStorage), kv("cookie"), kv(localforage), kv()];
  for (const store of stores) await store.set("greeting", { hello: "world" }, { expires: "1h" });
  const greetings = await Promise.all(stores.map((store) => store.get("greeting")));
  document.title = JSON.stringify(greetings.map(({ hello }) => hello));
`;
export const RESULT = JSON.stringify(["world", "world", "world", "world"]);

/**
 * Opens a page of a folder, served under a strict policy, and waits for its result.
 * @param {import("@playwright/test").BrowserContext} context
 * @param {string} root
 * @param {string} path
 * @param {{ charset?: string, policy?: string, result?: string }} [options]
 * @returns {Promise<string[]>} What the page downloaded.
 */
export async function expectToRun(context, root, path, { charset, policy, result = RESULT } = {}) {
  const server = await serve({ root, charset, policy });
  const page = await context.newPage();
  /** @type {string[]} */
  const problems = [];
  page.on("console", (message) => message.type() === "error" && problems.push(message.text()));
  page.on("pageerror", (error) => problems.push(error.message));
  await page.goto(`${server.origin}/${path}`);
  await expect.poll(async () => problems.join() || page.title()).toBe(result);
  await page.close();
  await server.close();
  return server.requests;
}
