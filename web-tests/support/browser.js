import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, test as base } from "@playwright/test";
import { serve } from "./server.js";

// As root, Chromium runs only without its sandbox; the rest keeps it from calling home.
export const CHROMIUM_ARGUMENTS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export const chromiumPath = process.env.CHROMIUM ?? "/usr/bin/chromium";

/**
 * Chromium with a profile on disk: in a private window, which is Playwright's default, storages behave differently.
 * @returns {Promise<{ context: import("@playwright/test").BrowserContext, close: () => Promise<void> }>}
 */
export async function launchChromium() {
  const profile = await mkdtemp(join(tmpdir(), "polystore-profile-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: chromiumPath,
    args: CHROMIUM_ARGUMENTS,
  });
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { context, close };
}

/**
 * @typedef {object} WorkerFixtures
 * @property {import("@playwright/test").BrowserContext} chromiumContext
 * @property {Awaited<ReturnType<typeof serve>>} server This repository, under a strict policy.
 */

/** Playwright's `test`, with one Chromium and one server for all tests of a worker. */
export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{}, WorkerFixtures, import("@playwright/test").PlaywrightTestArgs>} */ ({
    chromiumContext: [
      async ({}, use) => {
        const { context, close } = await launchChromium();
        await use(context);
        await close();
      },
      { scope: "worker" },
    ],
    server: [
      async ({}, use) => {
        const server = await serve();
        await use(server);
        await server.close();
      },
      { scope: "worker" },
    ],
  }),
);
