// Every code block of the README that a page can run does what it says, and so do those that are no JavaScript.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { test } from "../support/browser.js";
import { serve } from "../support/server.js";
import { blocks, blocksOf, isForServers, promised, readme } from "./blocks.js";

// The page of the README has its script inline, and localStorage is real: hence a page, and a policy of its own.
const POLICY = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";
const LOG = `
  window.logged = [];
  const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
  console.log = (...values) => window.logged.push(values.map(text).join(" "));`;

/**
 * Runs a page in a folder where the package is installed.
 * @param {import("@playwright/test").BrowserContext} context
 * @param {string} html
 * @returns {Promise<string[]>} What it logged.
 */
async function run(context, html) {
  const root = mkdtempSync(join(tmpdir(), "polystore-readme-"));
  cpSync("dist", join(root, "node_modules/polystore-wasm/dist"), { recursive: true });
  writeFileSync(join(root, "index.html"), `<meta charset="utf-8"><script>${LOG}</script>${html}`);
  const server = await serve({ root, policy: POLICY });
  const page = await context.newPage();
  /** @type {Error[]} */
  const errors = [];
  page.on("pageerror", (error) => errors.push(error));
  await page.goto(`${server.origin}/index.html`);
  await expect.poll(() => errors[0]?.message ?? page.evaluate(() => "done" in window)).toBe(true);
  const logged = await page.evaluate(() => /** @type {any} */ (window).logged);
  await page.close();
  await server.close();
  rmSync(root, { recursive: true });
  return logged;
}

// The others are run in readme_servers.test.js.
for (const [i, code] of blocksOf("js").entries()) {
  if (isForServers(code)) continue;
  test(`JavaScript block ${i + 1}: ${code.split("\n").find((line) => line && !line.startsWith("import"))}`, async ({
    chromiumContext,
  }) => {
    const module = code.replace('"polystore-wasm"', '"./node_modules/polystore-wasm/dist/index.js"');
    const logged = await run(chromiumContext, `<script type="module">${module};\nwindow.done = true;</script>`);
    const expected = promised(code);
    expect(expected.length).toBeGreaterThan(0);
    // "…" stands for what is different each time.
    expect(logged.map((line, j) => (expected[j]?.includes("…") ? line.replace(/\w{24}/, "…") : line))).toEqual(
      expected,
    );
  });
}

test("the page runs", async ({ chromiumContext }) => {
  const [code] = blocksOf("html");
  const html = code.replace("</script>", "\nconsole.log(localStorage.visited); window.done = true;\n</script>");
  const [logged] = await run(chromiumContext, html);
  expect(JSON.parse(logged).value).toBe(true);
});

test("the C++ program and its CMake lines are those that the native tests build and run", () => {
  expect(blocksOf("cpp")).toEqual([readFileSync("native-tests/readme/ten_lines.cpp", "utf8")]);
  const consumer = readFileSync("native-tests/packaging/consumer/CMakeLists.txt", "utf8");
  expect(blocksOf("cmake")).toHaveLength(1);
  const [code] = blocksOf("cmake");
  for (const line of code.trim().split("\n")) {
    expect(consumer).toContain(
      line.replace("find_package(polystore REQUIRED)", "find_package(polystore 0.1 REQUIRED)"),
    );
  }
});

test("the commands exist", () => {
  const { name, scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(blocksOf("sh")).toEqual([`npm install ${name}\n`]);
  const mentioned = [...readme.matchAll(/`npm (?:run )?([a-z:]+)`/g)].map(([, script]) => script);
  expect(mentioned.length).toBeGreaterThan(6);
  for (const script of mentioned) expect(Object.keys(scripts)).toContain(script);
});

test("no block is of a kind that nothing runs", () => {
  expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(["cmake", "cpp", "html", "js", "sh"]);
  expect(readme.match(/^```/gm)).toHaveLength(2 * blocks.length);
});
