// Commits over cookies: of the pages that expect the same, one changes it.

import { expect } from "@playwright/test";
import { test } from "./log_pages.js";

/**
 * Counts in a cookie, with a commit for each step.
 * @param {{ url: string, steps: number }} options
 */
async function count({ url, steps }) {
  const { Cookie } = await import(url);
  const client = new Cookie("");
  const id = "commits count";
  let refused = 0;
  for (let made = 0; made < steps;) {
    const found = client.read(id) ?? null;
    await Promise.resolve(); // Another page may count in between.
    const changes = [{ id, value: (found?.value ?? 0) + 1, expires: null }];
    const [outcome] = await client.commit([{ expected: [{ id, found }], changes }], Date.now());
    if (typeof outcome === "object") throw outcome.error;
    if (outcome) ++made;
    else ++refused;
  }
  return { value: client.read(id).value, refused, atomic: client.traits.atomic };
}

test("pages that count in one cookie at the same time miss no step", async ({ open }) => {
  const pages = [await open(), await open(), await open()];
  const options = { url: "/dist/clients/cookie/cookie.js", steps: 100 };
  const counted = await Promise.all(pages.map((page) => page.evaluate(count, options)));
  expect(Math.max(...counted.map(({ value }) => value))).toBe(300);
  expect(counted.map(({ atomic }) => atomic)).toEqual(["origin", "origin", "origin"]);
});

test("a commit of several cookies is refused, and so is one that expects another value", async ({ open }) => {
  const page = await open();
  const outcomes = await page.evaluate(async (url) => {
    const { Cookie } = await import(url);
    const client = new Cookie("");
    const put = (/** @type {string} */ id, /** @type {unknown} */ value) => ({ id, value, expires: null });
    const commit = async (/** @type {any[]} */ expected, /** @type {any[]} */ changes) => {
      const [outcome] = await client.commit([{ expected, changes }], Date.now());
      return typeof outcome === "object" ? outcome.error.code : outcome;
    };
    const created = await commit([{ id: "a", found: null }], [put("a", 1)]);
    const found = client.read("a");
    return [
      created,
      await commit([{ id: "a", found: null }], [put("a", 2)]),
      await commit([{ id: "a", found }], [put("a", 3), put("b", 3)]),
      await commit([{ id: "a", found }], [put("a", 4)]),
      await commit([{ id: "a", found }], [{ id: "a" }]),
      client.read("a").value,
      client.read("b") ?? null,
    ];
  }, "/dist/clients/cookie/cookie.js");
  expect(outcomes).toEqual([true, false, "ERR_UNSUPPORTED", true, false, 4, null]);
});
