// The functions of idb-keyval over a store, beside idb-keyval itself over a database of fake-indexeddb.

import "fake-indexeddb/auto";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import * as real from "idb-keyval";
import kv from "polystore-wasm";
import { idbKeyval } from "polystore-wasm/idb-keyval";
import { filesFor, urlOf } from "../support/files.js";
import { storeWithoutChanges } from "../support/unsupported.js";

/** @typedef {Record<keyof import("polystore-wasm/idb-keyval").IdbKeyval, (...args: any[]) => any>} Functions */

const { freshPath } = filesFor("idb-keyval");

/** What a program that uses idb-keyval sees. @type {[name: string, program: (functions: Functions) => any][]} */
const programs = [
  [
    "values are read, written and deleted",
    async ({ get, set, getMany, setMany, del, delMany, keys, values, entries }) => [
      await get("a"),
      await set("a", { b: [1, "", false] }),
      await get("a"),
      await setMany([
        ["c", 1],
        ["b", 2],
        ["c", 3],
      ]),
      await getMany(["b", "x", "c"]),
      await entries(),
      await del("a"),
      await del("a"),
      await delMany(["b", "x"]),
      await keys(),
      await values(),
      await setMany([]),
      await getMany([]),
    ],
  ],
  [
    "keys of every kind are kept apart, and come in order",
    async ({ get, set, keys, values }) => {
      const all = [
        ...["", "~", "~n1", "~s", "1", "b", "a", "\uffff", "\u{10000}", "1970-01-01", "[1]", "__proto__", "a/b", "%"],
        ...[1, -1, 0.5, Infinity, -Infinity, 1e21, 1e-7],
        ...[new Date(1), new Date(0), new Date(-1)],
        ...[new Uint8Array([1]), new Uint8Array([1, 0]), new Uint8Array([255]).buffer],
        ...[[], [1], ["1"], [1, 2], [[1], 2], [new Date(1)], [new Uint8Array([1])], [["~"]], [[]]],
      ];
      for (const [i, key] of all.entries()) await set(key, i);
      const found = await Promise.all(all.map((key) => get(key)));
      return [found, await keys(), await values()];
    },
  ],
  [
    "equal keys are one",
    async ({ set, entries }) => {
      await set(-0, 1);
      await set(0, 2);
      await set(new Uint8Array([9, 1, 2]).subarray(1), 3);
      await set(new DataView(new Uint8Array([1, 2]).buffer), 4);
      await set([new Date(5)], 5);
      await set([new Date(5)], 6);
      return entries();
    },
  ],
  [
    "updates at once lose nothing",
    async ({ get, update }) => {
      const add = (/** @type {number | undefined} */ value) => (value ?? 0) + 1;
      await Promise.all(Array.from({ length: 50 }, () => update(["count"], add)));
      return get(["count"]);
    },
  ],
  [
    "an update that throws rejects and writes nothing",
    async ({ get, set, update }) => {
      await set("a", 1);
      const thrown = new RangeError("thrown");
      const fail = () => {
        throw thrown;
      };
      const error = await update("a", fail).catch((/** @type {unknown} */ error) => error);
      return [error === thrown, await get("a")];
    },
  ],
  [
    "what createStore() makes has its own data",
    async ({ createStore, get, set, keys, clear, update, del, entries }) => {
      const [one, two] = [createStore("app", "one"), createStore("app/one", "two")];
      await set("a", 1);
      await set("a", 2, one);
      await set("b", 3, two);
      await update("b", (/** @type {number} */ value) => value + 1, two);
      const before = [await keys(), await entries(one), await entries(two), await get("b")];
      await clear();
      await del("a", one);
      return [...before, await keys(), await keys(one), await keys(two)];
    },
  ],
  [
    "what is no key of IndexedDB is refused",
    async ({ get, set }) => {
      const wrong = [NaN, new Date(NaN), true, null, undefined, {}, [undefined], [1, {}], Array(1), Symbol("s"), 1n];
      const calls = wrong.flatMap((key) => [() => get(key), () => set(key, 1)]);
      const isRefused = async (/** @type {() => Promise<any>} */ call) => {
        try {
          await call();
          return false;
        } catch {
          return true;
        }
      };
      return Promise.all(calls.map(isRefused));
    },
  ],
];

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
  ["IndexedDB", () => indexedDB],
];

for (const [what, program] of programs) {
  for (const [name, open] of clients) {
    test(`${what}, as in idb-keyval, over ${name}`, async () => {
      await real.clear();
      const expected = await program(/** @type {any} */ (real));
      const store = kv(open());
      await store.clear();
      assert.deepEqual(await program(/** @type {any} */ (idbKeyval(store))), expected);
      await store.close();
    });
  }
}

test("keys come back as they were, in the order of IndexedDB", async () => {
  const key = fc.letrec((tie) => ({
    key: fc.oneof(
      { depthSize: "small" },
      fc.string({ unit: "binary" }),
      fc.string({ unit: fc.constantFrom("~", "n", "s", "a", "[", "1") }),
      fc.double({ noNaN: true }).map((number) => number + 0), // -0 is the same key as 0
      fc.date({ noInvalidDate: true }),
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
      fc.array(tie("key"), { maxLength: 3 }),
    ),
  })).key;
  await fc.assert(
    fc.asyncProperty(fc.array(key, { maxLength: 8 }), async (keys) => {
      const ours = idbKeyval(kv());
      await real.clear();
      const entries = keys.map((key, i) => /** @type {[any, number]} */ ([key, i]));
      await Promise.all([ours.setMany(entries), real.setMany(entries)]);
      assert.deepEqual(await ours.entries(), await real.entries());
    }),
    { numRuns: 30 },
  );
});

test("update() returns the value, and null deletes it", async () => {
  const { get, set, update, keys } = idbKeyval(kv());
  assert.deepEqual(await update("a", (value) => [value ?? "made"]), ["made"]);
  assert.equal(await update("a", () => null), undefined);
  await set("b", 1);
  await set("b", undefined);
  assert.deepEqual([await get("a"), await keys()], [undefined, []]);
  await assert.rejects(
    update("a", () => undefined),
    { code: "ERR_VALUE" },
  );
});

test("setMany() writes all or nothing", async () => {
  const { keys, setMany } = idbKeyval(kv());
  const entries = /** @type {[string, any][]} */ ([
    ["a", 1],
    ["b", () => {}],
  ]);
  await assert.rejects(setMany(entries), { code: "ERR_VALUE" });
  assert.deepEqual(await keys(), []);
});

test("no bytes are a key, too, which fake-indexeddb lacks", async () => {
  const { get, set, keys } = idbKeyval(kv());
  await set(new Uint8Array(), 1);
  assert.deepEqual([await get(new ArrayBuffer(0)), await keys()], [1, [new ArrayBuffer(0)]]);
});

test("a store can be the last argument", async () => {
  const store = kv();
  const { get, set } = idbKeyval(kv());
  await set("a", 1, store);
  assert.deepEqual([await store.get("a"), await get("a", store), await get("a")], [1, 1, undefined]);
});

test("a wrong key is ERR_KEY, and what the storage cannot do is ERR_UNSUPPORTED", async () => {
  const { set, setMany, update } = idbKeyval(storeWithoutChanges());
  await assert.rejects(set(/** @type {any} */ (true), 1), { code: "ERR_KEY", message: /^The key is true; it must be/ });
  await assert.rejects(
    update("a", () => 1),
    { code: "ERR_UNSUPPORTED" },
  );
  await assert.rejects(setMany([["a", 1]]), { code: "ERR_UNSUPPORTED" });
});
