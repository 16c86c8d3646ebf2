// A store as the storage of Keyv 5 and 6, in Keyv itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyv as Keyv5 } from "keyv5";
import { Keyv as Keyv6 } from "keyv6";
import kv from "polystore-wasm";
import { keyvStore } from "polystore-wasm/keyv";
import { filesFor, urlOf } from "../support/files.js";

const NOW = 1_700_000_000_000;
const { freshPath } = filesFor("keyv");

/** @type {[version: string, Keyv: any][]} */
const versions = [
  ["5", Keyv5],
  ["6", Keyv6],
];
/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

/** @param {AsyncIterable<any>} iterable */
async function listOf(iterable) {
  const list = [];
  for await (const item of iterable) list.push(item);
  return list.sort();
}

for (const [version, Keyv] of versions) {
  /**
   * @param {import("polystore-wasm").Store} store
   * @param {object} [options]
   */
  const open = (store, options) => {
    const keyv = new Keyv({ store: keyvStore(store), ...options });
    keyv.on("error", assert.ifError);
    return keyv;
  };

  for (const [name, client] of clients) {
    test(`Keyv ${version} reads, writes, lists and deletes over ${name}`, async () => {
      const store = kv(client());
      const keyv = open(store);
      assert.equal(await keyv.get("a"), undefined);
      assert.equal(await keyv.set("a", { b: [1, null] }), true);
      assert.deepEqual(await keyv.get("a"), { b: [1, null] });
      assert.deepEqual(
        await keyv.setMany([
          { key: "c", value: 1 },
          { key: "d", value: false },
        ]),
        [true, true],
      );
      assert.deepEqual(await keyv.getMany(["c", "x", "d"]), [1, undefined, false]);
      assert.deepEqual(
        [await keyv.has("a"), await keyv.has("x"), await keyv.hasMany(["x", "d"])],
        [true, false, [false, true]],
      );
      assert.deepEqual(await listOf(keyv.iterator()), [
        ["a", { b: [1, null] }],
        ["c", 1],
        ["d", false],
      ]);
      assert.deepEqual([await keyv.delete("a"), await keyv.delete("a"), await keyv.get("a")], [true, false, undefined]);
      assert.ok(await keyv.deleteMany(["c", "d"]));
      assert.deepEqual(await store.keys(), []);
      await store.close();
    });
  }

  test(`Keyv ${version} gives values their time to live, and the store removes what is over`, async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: NOW });
    const map = new Map();
    const store = kv(map);
    const keyv = open(store, { ttl: 1000 });
    await keyv.set("a", 1);
    await keyv.set("b", 2, 1500);
    await keyv.setMany([{ key: "c", value: 3, ttl: 2000 }]);
    const lives = await Promise.all((await store.keys()).map(async (key) => [key.at(-1), await store.ttl(key)]));
    assert.deepEqual(lives.sort(), [
      ["a", 1],
      ["b", 1.5],
      ["c", 2],
    ]);
    mock.timers.setTime(NOW + 1500);
    assert.deepEqual(await keyv.getMany(["a", "b", "c"]), [undefined, undefined, 3]);
    assert.deepEqual(
      [...map.keys()].map((key) => key.at(-1)),
      ["c"],
    );
  });

  test(`the namespaces of Keyv ${version} over one store are apart`, async () => {
    const store = kv();
    await store.set("other", 1);
    const [one, two] = ["one", "one2"].map((namespace) => open(store, { namespace }));
    await Promise.all([one.set("a", 1), two.set("a", 2), two.set("b", 3)]);
    assert.deepEqual([await one.get("a"), await two.get("a")], [1, 2]);
    assert.deepEqual(
      [await listOf(one.iterator()), await listOf(two.iterator())],
      [
        [["a", 1]],
        [
          ["a", 2],
          ["b", 3],
        ],
      ],
    );
    await one.clear();
    assert.deepEqual([await one.get("a"), await two.get("a"), await store.get("other")], [undefined, 2, 1]);
  });

  test(`Keyv ${version} tells of an error of the store`, async () => {
    const store = kv();
    const keyv = new Keyv({ store: keyvStore(store) });
    /** @type {any[]} */
    const errors = [];
    keyv.on("error", (/** @type {any} */ error) => errors.push(error.code));
    await store.close();
    assert.equal(await keyv.set("a", 1), false);
    assert.deepEqual(errors, ["ERR_CLOSED"]);
  });
}

test("without a namespace, clear() empties the store", async () => {
  const store = kv();
  const keyv = new Keyv6({ store: keyvStore(store) });
  await keyv.set("a", 1);
  await keyv.clear();
  assert.deepEqual(await store.keys(), []);
});
