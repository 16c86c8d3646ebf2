// A store as a driver of unstorage 1 and 2, in unstorage itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";
import { unstorageDriver } from "polystore-wasm/unstorage";
import { createStorage as createStorage1 } from "unstorage1";
import { createStorage as createStorage2 } from "unstorage2";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("unstorage");

/** @type {[version: string, createStorage: any][]} */
const versions = [
  ["1", createStorage1],
  ["2", createStorage2],
];
/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [version, createStorage] of versions) {
  for (const [name, open] of clients) {
    test(`unstorage ${version} reads, writes, lists and deletes over ${name}`, async () => {
      const store = kv(open(), { prefix: "nitro:" });
      const storage = createStorage({ driver: unstorageDriver(store) });
      assert.equal(await storage.getItem("a"), null);
      await storage.setItem("a", { b: [1] });
      await storage.setItem("text", "1 apple");
      await storage.setItems([
        { key: "c:d", value: 1 },
        { key: "c:e", value: true },
        { key: "ca", value: null },
      ]);
      assert.deepEqual(await storage.getItem("a"), { b: [1] });
      assert.equal(await storage.getItem("text"), "1 apple");
      const items = await storage.getItems(["c:d", "x", "c:e"]);
      assert.deepEqual(
        items.map((/** @type {any} */ { value }) => value),
        [1, null, true],
      );
      assert.deepEqual([await storage.hasItem("a"), await storage.hasItem("x")], [true, false]);
      assert.deepEqual((await storage.getKeys()).sort(), ["a", "c:d", "c:e", "ca", "text"]);
      assert.deepEqual((await storage.getKeys("c")).sort(), ["c:d", "c:e"]);
      await storage.removeItem("a");
      assert.equal(await storage.hasItem("a"), false);
      await storage.clear();
      assert.deepEqual(await store.keys(), []);
      await store.close();
    });
  }

  test(`unstorage ${version} clears what is mounted below a base`, async () => {
    const [outer, inner] = [kv(), kv()];
    const storage = createStorage({ driver: unstorageDriver(outer) }).mount("c:inner", unstorageDriver(inner));
    await Promise.all([storage.setItem("c:a", 1), storage.setItem("c:inner:b", 2)]);
    await storage.clear("c");
    assert.deepEqual([await outer.keys(), await inner.keys()], [["c:a"], []]);
  });

  test(`unstorage ${version} keeps bytes`, async () => {
    const storage = createStorage({ driver: unstorageDriver(kv()) });
    await storage.setItemRaw("bytes", new Uint8Array([0, 1, 255]));
    assert.deepEqual([...(await storage.getItemRaw("bytes"))], [0, 1, 255]);
    await storage.setItemRaw("text", "123");
    assert.equal(await storage.getItemRaw("text"), "123");
  });

  test(`unstorage ${version} gives and reads the time to live`, async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: 0 });
    const storage = createStorage({ driver: unstorageDriver(kv()) });
    await storage.setItem("a", 1, { ttl: 10 });
    await storage.setItem("b", 1, { ttl: 0 });
    mock.timers.setTime(4000);
    assert.deepEqual({ ...(await storage.getMeta("a", { nativeOnly: true })) }, { ttl: 6 });
    assert.deepEqual({ ...(await storage.getMeta("b", { nativeOnly: true })) }, {});
    mock.timers.setTime(10_000);
    assert.deepEqual({ ...(await storage.getMeta("a", { nativeOnly: true })) }, {});
    assert.deepEqual(await storage.getKeys(), ["b"]);
  });

  test(`stores of two kinds can be mounted in unstorage ${version}`, async () => {
    const [memory, file] = [kv(), kv(urlOf(freshPath()))];
    const storage = createStorage({ driver: unstorageDriver(memory) }).mount("file", unstorageDriver(file));
    await storage.setItem("file:a", 1);
    await storage.setItem("a", 2);
    assert.deepEqual([await file.keys(), await memory.keys()], [["a"], ["a"]]);
    assert.deepEqual((await storage.getKeys()).sort(), ["a", "file:a"]);
    assert.equal(storage.getMount("file:a").driver.getInstance(), file);
    // The program that made the store closes it.
    await storage.dispose();
    assert.equal(await file.get("a"), "1");
    await file.close();
  });
}
