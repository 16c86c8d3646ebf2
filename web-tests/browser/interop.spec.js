import { readFile } from "node:fs/promises";
import { expect } from "@playwright/test";
import { test } from "../support/browser.js";

const CLIENTS = ["localStorage", "sessionStorage", "cookie", "localForage", "localForage over localStorage"];
// A browser drops a cookie by its own clock, to the second, and cannot be told another time.
const TELLS_TIME = CLIENTS.filter((client) => client !== "cookie");

for (const client of CLIENTS) {
  interop(client, "polystore reads what we write", "checkOneWay", "ours");
  interop(client, "we read what polystore writes", "checkOneWay", "theirs");
}
for (const client of TELLS_TIME) {
  interop(client, "polystore sees our expiry", "checkExpiry", "ours");
  interop(client, "we see polystore's expiry", "checkExpiry", "theirs");
}

/**
 * @param {string} client
 * @param {string} title
 * @param {"checkOneWay" | "checkExpiry"} check
 * @param {"ours" | "theirs"} writer
 */
function interop(client, title, check, writer) {
  test(`${client}: ${title}`, async ({ chromiumContext, server }) => {
    const page = await chromiumContext.newPage();
    // The cookies that polystore writes are those of the page's folder. Ours are those of the site, which it can only
    // replace from a page at its root.
    const body = `<base href="/web-tests/browser/" />${await readFile("web-tests/browser/interop.html", "utf8")}`;
    await page.route(`${server.origin}/`, (route) => route.fulfill({ contentType: "text/html", body }));
    await page.goto(`${server.origin}/`);
    const run = (/** @type {string[]} */ [client, check, writer]) =>
      /** @type {any} */ (window).interop(client, check, writer);
    expect(await page.evaluate(run, [client, check, writer])).toBe("held");
    await page.close();
  });
}
