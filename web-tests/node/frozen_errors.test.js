// Hardened programs (SES, `node --frozen-intrinsics`) freeze what their libraries could change for each other.

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";

/** What the program of a user does after the freezing, and prints. */
const PROGRAM = `
  for (const { prototype } of [Error, TypeError, RangeError]) Object.freeze(prototype);
  const { default: kv, PolystoreError } = await import("polystore-wasm");

  const store = kv(new Map());
  await store.set("a", [1], { expires: "1h" });
  const values = [await store.get("a")];

  const log = kv(process.argv[1]);
  await log.set("a", [2]);
  await log.close();
  const again = kv(process.argv[1]);
  values.push(await again.get("a"));

  const calls = [
    () => store.set("b", { at: new Date() }),
    () => store.get({}),
    () => log.get("a"),
    () => again.set("c", 1n),
    () => kv(/a/).get("a"),
  ];
  const errors = [];
  for (const call of calls) {
    const error = await Promise.resolve().then(call).catch((error) => error);
    errors.push([error instanceof PolystoreError, error.name, error.code, error.message.length > 20]);
  }
  await again.close();
  console.log(JSON.stringify({ values, errors }));`;

test("a program that froze the prototypes of errors before the import has stores, logs and their errors", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "polystore-frozen-"));
  t.after(() => rm(folder, { recursive: true }));
  const url = pathToFileURL(join(folder, "frozen.kv")).href;
  const output = execFileSync(process.execPath, ["--input-type=module", "--eval", PROGRAM, url], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(output), {
    values: [[1], [2]],
    errors: ["ERR_VALUE", "ERR_KEY", "ERR_CLOSED", "ERR_VALUE", "ERR_CLIENT"].map((code) => [
      true,
      "PolystoreError",
      code,
      true,
    ]),
  });
});
