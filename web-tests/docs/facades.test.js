// Every example of docs/facades.md is a program that prints what its comments say.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { codeBlocks, promised } from "./blocks.js";
import { linesOf } from "./program.js";

const blocks = codeBlocks(readFileSync("docs/facades.md", "utf8"));
// Their versions have names of their own here.
const named = (/** @type {string} */ code) =>
  code.replace(/from "(keyv)"/, 'from "$16"').replace(/from "(unstorage)"/, 'from "$12"');
const { exports } = JSON.parse(readFileSync("package.json", "utf8"));
// The packages are found from here.
const folder = mkdtempSync(join(process.cwd(), "build", "facades-"));
after(() => rmSync(folder, { recursive: true }));

for (const [i, { language, code }] of blocks.entries()) {
  const [, name] = /from "polystore-wasm\/([\w-]+)"/.exec(code) ?? [];
  test(`example ${i + 1} of ${name}`, async () => {
    assert.equal(language, "js");
    assert.ok(promised(code).length > 0);
    assert.deepEqual(await linesOf(join(folder, `${i}.mjs`), named(code)), promised(code));
  });
}

test("each module for another library has an example", () => {
  const modules = Object.keys(exports).filter((name) => JSON.stringify(exports[name]).includes("/facades/"));
  assert.ok(modules.length > 0);
  const missing = modules.filter(
    (name) => !blocks.some(({ code }) => code.includes(`"polystore-wasm${name.slice(1)}"`)),
  );
  assert.deepEqual(missing, []);
});
