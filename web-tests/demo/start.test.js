import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { test } from "node:test";

test("start --once caches the countries in JavaScript and in C++, and ends", () => {
  const program = fileURLToPath(new URL("start.mjs", import.meta.url));
  const output = execFileSync("node", [program, "--once"], { encoding: "utf8" });
  assert.match(output, /all 250, in a new kv\(\) over the same Map/);
  for (const name of ["file", "folder", "log"]) {
    assert.match(output, new RegExp(`${name} +│ +250 +│ +53 +│ +250`));
  }
  assert.doesNotMatch(output, /http:/);
});
