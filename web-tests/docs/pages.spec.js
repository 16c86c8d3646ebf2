// Every code block of the documents that a page can run does what it says, and so do those that are no JavaScript.

import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { test } from "../support/browser.js";
import { serve } from "../support/server.js";
import { blocks, blocksOf, documents, isForServers, nameOf, pages, promised } from "./blocks.js";

// A page of the documents has its script inline, and localStorage is real: hence a page, and a policy of its own.
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
  const root = mkdtempSync(join(tmpdir(), "polystore-docs-"));
  cpSync("dist", join(root, "node_modules/polystore-wasm/dist"), { recursive: true });
  cpSync("node_modules/localforage/dist", join(root, "node_modules/localforage/dist"), { recursive: true });
  writeFileSync(join(root, "index.html"), `<meta charset="utf-8"><script>${LOG}</script>${html}`);
  const server = await serve({ root, policy: POLICY });
  await context.clearCookies(); // All ports of a host share the cookies that other tests left.
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

/**
 * @param {string[]} logged
 * @param {string} code
 */
function expectWhatIsPromised(logged, code) {
  const expected = promised(code);
  // "…" stands for what is different each time.
  expect(logged.map((line, j) => (expected[j]?.includes("…") ? line.replace(/\w{24}/, "…") : line))).toEqual(expected);
}

// The others are run in servers.test.js.
for (const block of blocksOf("js").filter((block) => !isForServers(block))) {
  test(nameOf(block), async ({ chromiumContext }) => {
    const module = block.code.replace('"polystore-wasm"', '"./node_modules/polystore-wasm/dist/index.js"');
    const logged = await run(chromiumContext, `<script type="module">${module};\nwindow.done = true;</script>`);
    expect(logged.length).toBeGreaterThan(0);
    expectWhatIsPromised(logged, block.code);
  });
}

for (const block of blocksOf("html")) {
  test(nameOf(block), async ({ chromiumContext }) => {
    const end = "\nconsole.log(localStorage.visited); window.done = true;\n</script>";
    const logged = await run(chromiumContext, block.code.replace(/<\/script>\s*$/, end));
    const visited = /** @type {string} */ (logged.pop());
    if (block.code.includes("kv(localStorage)")) expect(JSON.parse(visited).value).toBe(true);
    else expect(logged.length).toBeGreaterThan(0);
    expectWhatIsPromised(logged, block.code);
  });
}

test("the C++ programs and their CMake lines are those that the native tests build and run", () => {
  const programs = blocksOf("cpp").map(({ code }) => code);
  const files = ["ten_lines", "changes", "watch", "own_client"];
  expect(programs).toEqual(files.map((name) => readFileSync(`native-tests/readme/${name}.cpp`, "utf8")));
  const consumer = readFileSync("native-tests/packaging/consumer/CMakeLists.txt", "utf8");
  expect(blocksOf("cmake")).toHaveLength(1);
  const [{ code }] = blocksOf("cmake");
  for (const line of code.trim().split("\n")) {
    expect(consumer).toContain(
      line.replace("find_package(polystore REQUIRED)", "find_package(polystore 0.1 REQUIRED)"),
    );
  }
});

test("the commands exist", () => {
  const { name, scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  for (const { code } of blocksOf("sh")) expect(code).toBe(`npm install ${name}\n`);
  const mentioned = documents.flatMap(({ text }) =>
    [...text.matchAll(/`npm (?:run )?([a-z:]+)`/g)].map(([, script]) => script),
  );
  expect(mentioned.length).toBeGreaterThan(6);
  const known = [...Object.keys(scripts), "publish"]; // The last one is npm's own.
  for (const script of mentioned) expect(known).toContain(script);
});

test("no block is of a kind that nothing runs", () => {
  expect([...new Set(blocks.map(({ language }) => language))].sort()).toEqual(["cmake", "cpp", "html", "js", "sh"]);
  const fences = pages.flatMap(({ text }) => text.match(/^```/gm) ?? []);
  expect(fences).toHaveLength(2 * blocks.length);
});
