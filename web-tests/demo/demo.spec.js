// What a person does on the page, and in the terminal.

import { test as base, expect } from "@playwright/test";
import { launchChromium } from "../support/browser.js";
import { cacheCountries, readCountries } from "./countries.mjs";
import { serve } from "./server.mjs";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("@playwright/test").PlaywrightTestArgs & import("@playwright/test").PlaywrightTestOptions} TestArgs */
/** @typedef {import("@playwright/test").PlaywrightWorkerArgs} WorkerArgs */

const STORAGES = ["localStorage", "sessionStorage", "Cookies", "localForage", "IndexedDB", "OPFS"];

/** A test has a browser of its own, and fails if the console shows anything: a breach of the policy is told there. */
const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{}, { url: string }, TestArgs, WorkerArgs>} */ ({
    url: [
      async ({}, use) => {
        const { url, close } = await serve(0);
        await use(url);
        await close();
      },
      { scope: "worker" },
    ],
    page: async ({}, use) => {
      const { context, close } = await launchChromium();
      /** @type {string[]} */
      const complaints = [];
      context.on("console", (message) => complaints.push(message.text()));
      context.on("weberror", (error) => complaints.push(String(error.error())));
      await use(await context.newPage());
      await close();
      expect(complaints).toEqual([]);
    },
  }),
);

/**
 * The entry of a key in a storage's column.
 * @param {Page} page
 * @param {string} storage
 * @param {string} key
 */
function entry(page, storage, key) {
  return column(page, storage).getByRole("listitem").filter({ hasText: key });
}

/**
 * @param {Page} page
 * @param {string} storage
 */
function column(page, storage) {
  return page.getByRole("region", { name: storage });
}

/**
 * @param {Page} page
 * @param {{ key: string, value: string, expires: string }} entry
 */
async function write(page, { key, value, expires }) {
  await page.getByLabel("Key").fill(key);
  await page.getByLabel("Value").fill(value);
  const choice = page.getByRole("radio", { name: expires, exact: true });
  if (await choice.isVisible()) await choice.check();
  else await page.getByLabel("Custom expiry").fill(expires);
  await page.getByRole("button", { name: "Write" }).click();
}

test("an entry that is written is in all six, and can be read back", async ({ page, url }) => {
  await page.goto(url);
  await write(page, { key: "user", value: '{ "name": "Ada" }', expires: "never" });
  for (const storage of STORAGES) {
    await expect(entry(page, storage, "user")).toContainText('{"name":"Ada"}');
    await expect(entry(page, storage, "user")).toContainText("stays");
  }
  await expect(page.getByRole("status")).toHaveText('set("user", {"name":"Ada"}): done in all six.');

  await page.getByRole("button", { name: "Read", exact: true }).click();
  for (const storage of STORAGES) await expect(column(page, storage)).toContainText('get("user")');
});

test("an entry is deleted from one storage, by the keyboard, and then from all", async ({ page, url }) => {
  await page.goto(url);
  await write(page, { key: "first", value: "1", expires: "never" });
  await write(page, { key: "second", value: "2", expires: "never" });
  await page.getByRole("button", { name: "Delete first from Cookies" }).press("Enter");
  await expect(entry(page, "Cookies", "first")).toHaveCount(0);
  await expect(page.getByRole("button", { name: "Delete second from Cookies" })).toBeFocused();
  await expect(entry(page, "localStorage", "first")).toBeVisible();

  await page.getByRole("button", { name: "Delete", exact: true }).click();
  for (const storage of STORAGES) await expect(entry(page, storage, "second")).toHaveCount(0);
  await expect(entry(page, "localForage", "first")).toBeVisible();

  await page.getByRole("button", { name: "Clear all six" }).click();
  for (const storage of STORAGES) await expect(column(page, storage)).toContainText("0 entries");
});

test("a countdown runs, and the entry goes by itself", async ({ page, url }) => {
  await page.clock.install();
  await page.goto(url);
  await write(page, { key: "brief", value: "hello", expires: "2 minutes" });
  for (const storage of STORAGES) await expect(entry(page, storage, "brief")).toContainText("2 min");
  await page.clock.fastForward("01:50");
  for (const storage of STORAGES) await expect(entry(page, storage, "brief")).toContainText(/\b(10|[1-9]) s/);
  await page.clock.fastForward("00:11");
  // Cookies go by the browser's own time, which cannot be set.
  for (const storage of STORAGES.filter((name) => name !== "Cookies")) {
    await expect(entry(page, storage, "brief")).toHaveCount(0);
  }
});

test("an entry that expires goes by itself, in all six", async ({ page, url }) => {
  await page.goto(url);
  await write(page, { key: "brief", value: "hello", expires: "2 seconds" });
  for (const storage of STORAGES) await expect(entry(page, storage, "brief")).toHaveCount(0);
  await expect(page.getByRole("status")).toHaveText("Expired: brief.");
});

test("a reload finds what has not expired, and in real time the rest goes", async ({ page, url }) => {
  test.setTimeout(60_000);
  await page.goto(url);
  await write(page, { key: "lasting", value: "here", expires: "never" });
  await write(page, { key: "brief", value: "gone soon", expires: "10 seconds" });
  const countsDown = async () => {
    for (const storage of STORAGES) await expect(entry(page, storage, "brief")).toContainText(/\b(10|[1-9]) s/);
  };
  await countsDown(); // The entry is written first, and then when it ends.
  await page.reload();
  await expect(page.getByRole("status")).toHaveText("Found 12 entries that were here before.");
  await countsDown();
  for (const storage of STORAGES) await expect(entry(page, storage, "brief")).toHaveCount(0, { timeout: 20_000 });
  for (const storage of STORAGES) await expect(entry(page, storage, "lasting")).toContainText("here");
});

test("countries are cached in all six", async ({ page, url }) => {
  await page.goto(url);
  await page.getByRole("button", { name: "Cache 8 countries" }).click();
  for (const storage of STORAGES) {
    await expect(column(page, storage)).toContainText("8 entries");
    await expect(entry(page, storage, "country:FR")).toContainText('{"name":"France","capital":"Paris"}');
  }
});

test("a second tab shows what the first one writes", async ({ page, url }) => {
  await page.goto(url);
  const other = await page.context().newPage();
  await other.goto(url);
  await write(page, { key: "shared", value: "yes", expires: "never" });
  for (const storage of STORAGES.filter((name) => name !== "sessionStorage")) {
    await expect(entry(other, storage, "shared")).toBeVisible();
  }
  await expect(column(other, "sessionStorage")).toContainText("0 entries");
});

test("a mistake is shown with its code, and changes nothing", async ({ page, url }) => {
  await page.goto(url);
  await write(page, { key: "note", value: "kept", expires: "soon" });
  for (const storage of STORAGES) await expect(column(page, storage)).toContainText(/ERR_EXPIRES.*"soon"/s);
  await expect(page.getByRole("status")).toContainText("ERR_EXPIRES in all six");

  await page.getByRole("button", { name: "store a Date" }).click();
  for (const storage of STORAGES)
    await expect(column(page, storage)).toContainText(/ERR_VALUE.*value\.year is a Date/s);

  await page.getByRole("button", { name: "6 MB of text" }).click();
  await expect(page.getByRole("status")).toContainText(
    "ERR_QUOTA in localStorage, sessionStorage, and Cookies; done in localForage, IndexedDB, and OPFS.",
  );
  for (const storage of STORAGES.slice(0, 3)) await expect(column(page, storage)).toContainText("0 entries");
});

test("nothing overflows on a phone", async ({ page, url }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(url);
  await write(page, { key: "k".repeat(200), value: "v".repeat(500), expires: "30 s" });
  await page.getByRole("button", { name: "Cache 8 countries" }).click();
  await page.getByRole("button", { name: 'expires: "soon"' }).click();
  await expect(page.getByRole("status")).toContainText("ERR_EXPIRES");
  const tooWide = await page.evaluate(() => {
    const boxes = [document.documentElement, ...document.querySelectorAll(".editor, .column, .row, .last")];
    return boxes.filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth).map(({ className }) => className);
  });
  expect(tooWide).toEqual([]);
});

test("the Tab key passes the field of a custom expiry, and what is typed there chooses it", async ({ page, url }) => {
  await page.goto(url);
  await page.getByRole("radio", { name: "30 s" }).focus();
  await page.keyboard.press("Tab");
  await expect(page.getByLabel("Custom expiry")).toBeFocused();
  await page.keyboard.press("Tab");
  await expect(page.getByRole("radio", { name: "30 s" })).toBeChecked();

  await page.getByLabel("Custom expiry").pressSequentially("!");
  await expect(page.getByRole("radio", { name: "custom" })).toBeChecked();
});

for (const width of [390, 800, 1130, 1480]) {
  test(`at ${width} px each target is large enough for a finger, and in its card`, async ({ page, url }) => {
    await page.setViewportSize({ width, height: 900 });
    await page.goto(url);
    await page.getByRole("button", { name: "Cache 8 countries" }).click();
    await expect(column(page, "OPFS")).toContainText("8 entries");
    const faults = await page.evaluate(() => {
      const targets = [...document.querySelectorAll("button, label:has([type=radio]), input:not([type=radio])")];
      const isOutside = (/** @type {DOMRect} */ inner, /** @type {DOMRect | undefined} */ outer) =>
        outer && (inner.left < outer.left || inner.right > outer.right);
      const found = targets.map((target) => {
        const box = target.getBoundingClientRect();
        // The edges of a box are rounded to floats, so that what is 44 high may be 43.9999.
        const isSmall = Math.min(box.width, box.height) < 43.99;
        const card = target.closest(".column, .editor")?.getBoundingClientRect();
        return isSmall || isOutside(box, card) ? `${target.outerHTML}: ${box.width} x ${box.height}` : undefined;
      });
      return found.filter(Boolean);
    });
    expect(faults).toEqual([]);
    const [custom, field] = await Promise.all(
      [page.getByRole("radio", { name: "custom" }), page.getByLabel("Custom expiry")].map((part) => part.boundingBox()),
    );
    expect(Math.abs((custom?.y ?? 0) - (field?.y ?? Infinity))).toBeLessThan(10); // In one line.
  });
}

test("in the terminal, 250 countries are cached and found again", async () => {
  const { regions, europe, timeLeft } = await cacheCountries(await readCountries());
  expect(Object.fromEntries(regions)).toMatchObject({ Africa: 59, Europe: 53 });
  expect(regions.reduce((sum, [, count]) => sum + count, 0)).toBe(250);
  expect(europe.map(({ name }) => name.common)).toEqual(expect.arrayContaining(["France", "Iceland"]));
  expect(timeLeft).toBeGreaterThan(3_590_000);
});
