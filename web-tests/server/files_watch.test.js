// What a watcher of a file or a folder hears of other programs.

import assert from "node:assert/strict";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import kv from "polystore-wasm";
import { filesFor, urlOf } from "../support/files.js";
import { heard } from "../support/heard.js";
import { runApart } from "../support/run_apart.js";

const { freshPath } = filesFor("files-watch");

/** @param {string} key @param {any} value */
const set = (key, value) => ({ type: "set", key, value });
/** @param {string} key */
const del = (key) => ({ type: "del", key });

/** Watches what a store has. @param {any} store */
async function watch(store) {
  const watcher = store.watch(undefined, { reach: "storage" });
  await watcher.ready;
  return watcher[Symbol.asyncIterator]();
}

/** The key of the folder's files whose names are too long for their key. */
const LONG = "long ".repeat(80);

for (const [name, slash] of [
  ["a file", ""],
  ["a folder", "/"],
]) {
  const fresh = () => /** @type {`file:${string}`} */ (urlOf(freshPath(slash ? "" : ".json")) + slash);

  test(`${name}: a watcher hears another process, and keeps no process alive`, async () => {
    const url = fresh();
    const store = kv(url);
    const changes = await watch(store); // There is no file and no folder yet.
    const program = `
      const store = kv(args[0]);
      const watcher = store.watch(() => {});
      await watcher.ready;
      for (const [key, value] of JSON.parse(args[1])) await store.set(key, value);
      console.log(JSON.stringify(watcher.reach));
    `;
    const write = (/** @type {any[]} */ ...entries) => runApart("true", program, url, JSON.stringify(entries));
    assert.equal(await write(["k", { deep: [1] }]), "storage");
    assert.deepEqual(await heard(changes), [set("k", { deep: [1] })]);
    await write(["k", { deep: [1] }], [LONG, 2]); // The first one changes nothing.
    assert.deepEqual(await heard(changes), [set(LONG, 2)]);
    await write(["k", null]);
    assert.deepEqual(await heard(changes), [del("k")]);
    await store.close();
  });

  test(`${name}: a watcher goes on when the folder that it is in is removed and made again`, async () => {
    const path = join(freshPath(""), "in");
    const url = /** @type {`file:${string}`} */ (slash ? `${urlOf(path)}/` : `${urlOf(path)}/store.json`);
    const store = kv(url);
    await store.setMany({ a: 1, b: 2 });
    const changes = await watch(store);
    rmSync(path, { recursive: true });
    const gone = await heard(changes, 2);
    assert.deepEqual(gone.map(({ key }) => key).sort(), ["a", "b"]);
    assert.ok(gone.every(({ type }) => type === "del"));
    await store.set("c", 3);
    assert.deepEqual(await heard(changes), [set("c", 3)]);
    mkdirSync(`${path}.new`);
    const text = '{"expires":null,"value":4}';
    if (slash) writeFileSync(join(`${path}.new`, "c.json"), text);
    else writeFileSync(join(`${path}.new`, "store.json"), `{"c":${text}}`);
    renameSync(path, `${path}.old`);
    renameSync(`${path}.new`, path);
    for (let last; last?.value !== 4;) [last] = await heard(changes);
    await store.close();
  });
}

test("a file: a watcher hears what is written in place, by hand, behind a link", async () => {
  const path = freshPath(".json");
  const link = freshPath(".json");
  symlinkSync(path, link);
  const store = kv(urlOf(link));
  const changes = await watch(store);
  writeFileSync(path, '{"a":{"expires":null,"value":1}}');
  assert.deepEqual(await heard(changes), [set("a", 1)]);
  writeFileSync(path, "half of a fi");
  assert.deepEqual(await heard(changes), [{ type: "gap" }]);
  writeFileSync(path, '{"a":{"expires":null,"value":2}}');
  let last;
  while (last?.type !== "set") [last] = await heard(changes);
  assert.deepEqual(last, set("a", 2));
  await store.close();
});

test("a folder: a watcher hears each of many files at once, and no other files", async () => {
  const path = freshPath("");
  mkdirSync(path);
  const store = kv(/** @type {`file:${string}`} */ (`${urlOf(path)}/`));
  const changes = await watch(store);
  writeFileSync(join(path, "readme.txt"), "of other code");
  const count = 20_000; // More than Linux keeps for a process that does not look.
  for (let i = 0; i < count; ++i) writeFileSync(join(path, `${i}.json`), '{"expires":null,"value":1}');
  const keys = new Set();
  while (keys.size < count) {
    const [{ type, key }] = await heard(changes);
    assert.equal(type, "set");
    keys.add(key);
  }
  await store.close();
});
