// A user who made a mistake reads what happened, with which value, and what to do.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import kv from "polystore-wasm";

const date = new Date(0);
const store = /** @type {any} */ (kv(new Map()));

/** A wrong call, and what its message is. @type {[call: () => any, message: string | RegExp][]} */
const MISTAKES = [
  [() => store.get(), "The key is undefined; it must be a string or a finite number."],
  [() => store.get(NaN), "The key is NaN; it must be a string or a finite number."],
  [() => store.prefix(), "The prefix is undefined; it must be a string or a finite number."],
  [() => store.expires(), /^expires is undefined; it must be a number of seconds, /],
  [() => store.set("a", 1, { expires: date }), /^expires is a Date; it must be a number of seconds, /],
  [() => store.set("a", 1, date), 'The options must be an object such as { expires: "1h" }, not a Date.'],
  [() => store.keys([]), 'The range must be an object such as { gte: "a" }, not an array of 0.'],
  [() => store.keys("a"), 'The range must be an object such as { gte: "a" }, not "a".'],
  [() => store.expires(1, true), "The options must be an object such as { sliding: true }, not true."],
  [
    () => store.keys({ limit: Infinity }),
    "limit is Infinity; it must be a whole number of records. Leave it out for all of them.",
  ],
  [() => store.getMany(), "getMany() was called with undefined; it must be an array or another iterable of keys."],
  [
    () => store.setMany(),
    "setMany() was called with undefined; it must be an array or another iterable of [key, value], or an object.",
  ],
  [() => store.setMany(["a"]), 'setMany() has the entry "a"; it must be [key, value].'],
  [() => store.setMany([["a"]]), "The value is missing. Pass a value, or null to delete the key."],
  [() => store.batch([["set", "a"]]), /^batch\(\) sets "a" without a value\. /],
  [() => store.batch([["del", "a", 1]]), /^batch\(\) has a "del" with 3 members; the writes are \["set", key, value, /],
  [() => store.batch([["put", "a", 1]]), /^batch\(\) has the write "put"; the writes are \["set", key, value, /],
  [() => store.batch([5]), /^batch\(\) has the write 5; the writes are /],
  [() => store.batch(), /^batch\(\) was called with undefined; it must be an array of \["set", key, value, /],
  [
    () => store.incr("a", { expires: 1 }),
    /it must be a finite number\. Options come after it: incr\(key, 1, options\)\./,
  ],
  [
    () => store.watch({ reach: "process" }).ready,
    "watch() was called with reach in the range, which comes before the options. For the whole store, call watch(undefined, { reach: … }).",
  ],
  [() => kv(/** @type {any} */ (date)), /^kv\(\) cannot wrap a Date\. /],
  [() => kv(/** @type {any} */ ({})), /^kv\(\) cannot wrap an object\. /],
];

for (const [call, message] of MISTAKES) {
  test(`the message of ${String(call).replace(/^\(\) => /, "")}`, async () => {
    await assert.rejects(async () => call(), { name: "PolystoreError", message });
    assert.deepEqual(await store.all(), {});
  });
}

test("of several writes, none is made if the storage cannot hold a key", async () => {
  const folder = mkdtempSync(join(tmpdir(), "polystore-many-"));
  const file = kv(pathToFileURL(join(folder, "data.json")));
  await file.set("kept", 1);
  const lone = "\ud800";
  const refused = { code: "ERR_KEY", message: /^The key "\\ud800" has a lone surrogate/ };
  await assert.rejects(file.setMany({ a: 1, [lone]: 2 }), refused);
  await assert.rejects(file.delMany(["kept", lone]), refused);
  assert.deepEqual(await file.all(), { kept: 1 });
  await file.close();
  rmSync(folder, { recursive: true });
});

test("if the storage fails in the middle of several writes, the error says how many were made", async () => {
  const data = new Map();
  const full = /** @type {any} */ ({
    get: (/** @type {string} */ key) => data.get(key),
    set(/** @type {string} */ key, /** @type {unknown} */ record) {
      if (key === "b") throw new Error("no room");
      data.set(key, record);
    },
  });
  const failing = kv(full);
  await assert.rejects(failing.setMany({ a: 1, b: 2, c: 3 }), {
    code: "ERR_CLIENT",
    message: /^setMany\(\) did 2 of 3\. /,
  });
  assert.deepEqual(await failing.getMany(["a", "b", "c"]), [1, null, 3]);
});

test("the values of several writes are copied when the call is made, also over a client that is not open yet", async () => {
  const value = { a: 1 };
  const map = new Map();
  const later = kv(Promise.resolve(map)).setMany([["k", value]]);
  value.a = 2;
  await later;
  assert.deepEqual(await kv(map).get("k"), { a: 1 });
});
