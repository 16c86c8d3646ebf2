// Where WebAssembly cannot be had, the error says why, and blames a policy only where one is the cause. Each case runs in a
// process of its own, for the core starts when the package is imported.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { runApart } from "../support/run_apart.js";

/** What WebKit says of a page without 'wasm-unsafe-eval'. */
const WEBKIT =
  "Refused to create a WebAssembly object because 'unsafe-eval' or 'wasm-unsafe-eval' is not an allowed source of script in the following Content Security Policy directive: \"script-src 'self'\".";

const PRINT = "console.log(JSON.stringify({ code: error.code, message: error.message, cause: error.cause?.name }));";

/**
 * What kv() throws when `prepare` has run before the import.
 * @param {string} prepare
 */
async function failureOfCore(prepare) {
  const program = `${prepare}
    const { default: kv } = await import("polystore-wasm");
    try { kv(new Map()); } catch (error) { ${PRINT} }`;
  const { stdout } = await promisify(execFile)(process.execPath, ["--input-type=module", "-e", program]);
  return JSON.parse(stdout);
}

test("WebKit refuses the instance, not the module: ERR_WASM says which policy to change", async () => {
  const { code, message, cause } = await failureOfCore(
    `WebAssembly.Instance = function () { throw new EvalError(${JSON.stringify(WEBKIT)}); };`,
  );
  assert.deepEqual([code, cause], ["ERR_WASM", "EvalError"]);
  assert.ok(
    message.includes(WEBKIT) &&
      message.endsWith("Add 'wasm-unsafe-eval' to the script-src of the page's Content-Security-Policy."),
    message,
  );
});

test("the engine of a log says so too", async (context) => {
  const folder = await mkdtemp(join(tmpdir(), "polystore-wasm-error-"));
  context.after(() => rm(folder, { recursive: true }));
  const { code, message } = await runApart(
    "true",
    `WebAssembly.Instance = function () { throw new EvalError(${JSON.stringify(WEBKIT)}); };
    await kv(args[0]).get("a").catch((error) => { ${PRINT} });`,
    pathToFileURL(join(folder, "a.kv")).href,
  );
  assert.equal(code, "ERR_WASM");
  assert.ok(message.includes(WEBKIT), message);
});

for (const [what, prepare, expected] of [
  ["no WebAssembly at all", "delete globalThis.WebAssembly;", "WebAssembly is not defined."],
  [
    "a damaged module",
    "const { Module } = WebAssembly; WebAssembly.Module = function () { return new Module(new Uint8Array([0, 97, 115, 195])); };",
    "expected magic word 00 61 73 6d, found 00 61 73 c3 @+0.",
  ],
]) {
  test(`the error of ${what} blames no policy`, async () => {
    const { code, message } = await failureOfCore(prepare);
    assert.equal(code, "ERR_WASM");
    assert.ok(message.endsWith(expected), message);
  });
}
