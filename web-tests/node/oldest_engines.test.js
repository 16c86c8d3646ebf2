// The oldest engines that the README names have ES2022 and nothing newer: here is none of what came later.

import assert from "node:assert/strict";
import { test } from "node:test";

/** @type {[object: object, names: string[]][]} */
const NEWER = [
  [URL, ["canParse", "parse"]],
  [Array, ["fromAsync"]],
  [Array.prototype, ["findLast", "findLastIndex", "toReversed", "toSorted", "toSpliced", "with"]],
  [String.prototype, ["isWellFormed", "toWellFormed"]],
  [Object, ["groupBy"]],
  [Map, ["groupBy"]],
  [Promise, ["withResolvers", "try"]],
  [AbortSignal, ["any", "timeout"]],
];
for (const [object, names] of NEWER) for (const name of names) Reflect.deleteProperty(object, name);

const { default: kv } = await import("polystore-wasm");

test("a URL is a client, and what is none is an error of ours", async () => {
  assert.equal(kv("https://localhost/store").type, "API");
  assert.equal(kv(new URL("https://localhost/store")).type, "API");
  await assert.rejects(kv("https://[").get("a"), { code: "ERR_CLIENT" });
});

test("a store does all that it does", async () => {
  const store = kv(new Map()).prefix("a:").expires("1 hour");
  const key = await store.add({ name: "Ada" });
  await store.set("b", [1], { expires: "2h" });
  assert.deepEqual(await store.all(), { [key]: { name: "Ada" }, b: [1] });
  for await (const [key] of store) await store.del(key);
  assert.deepEqual(await store.keys(), []);
  await assert.rejects(store.set("c", new Date()), { code: "ERR_VALUE" });
  await store.close();
});
