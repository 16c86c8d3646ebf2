// What is special about files, beyond the contract: crashes, other processes, and what other code left there.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { chmodSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import fs from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import upstream from "polystore";
import kv from "polystore-wasm";
import { file, folder } from "../contract/clients/files.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { filesFor, urlOf } from "../support/files.js";

const { root, freshPath } = filesFor("files");
const freshFile = () => urlOf(freshPath());
const freshFolder = () => /** @type {`file:${string}`} */ (`${urlOf(freshPath(""))}/`);

testContract(file(kv, root));
testContract(folder(kv, root));

for (const [name, fresh] of Object.entries({ "a file": freshFile, "a folder": freshFolder })) {
  test(`${name}: polystore reads what we write`, () => checkOneWay(kv, upstream, fresh()));
  test(`${name}: polystore sees our expiry`, () => checkExpiry(kv, upstream, fresh()));
  test(`${name}: we see polystore's expiry`, () => checkExpiry(upstream, kv, fresh()));
}
test("a file: we read what polystore writes", () => checkOneWay(upstream, kv, freshFile()));
test("a folder: we read what polystore writes", () => checkOneWay(upstream, kv, freshFolder()));

/**
 * Starts a process that sets keys.
 * @param {string} url
 * @param {string} name
 * @param {number} count
 */
function startWriter(url, name, count) {
  const program = fileURLToPath(new URL("file_writer.js", import.meta.url));
  const child = spawn(process.execPath, [program, url, name, String(count)], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once("close", resolve));
  /** How many keys it said were set. */
  const acknowledged = () => output.split("\n").length - 1;
  return { child, ended, acknowledged };
}

/** Resolves when a process has set so many keys. @param {ReturnType<typeof startWriter>} writer @param {number} count */
function reached({ child, acknowledged }, count) {
  return new Promise((resolve) => {
    const look = () => acknowledged() >= count && resolve(undefined);
    child.stdout.on("data", look);
    child.once("close", resolve);
    look();
  });
}

for (const { name, fresh, kills } of [
  { name: "a file", fresh: freshFile, kills: 100 },
  { name: "a folder", fresh: freshFolder, kills: 20 },
]) {
  test(`${name}: a process that is killed while it writes loses nothing that it had been told was written`, async () => {
    for (let kill = 0; kill < kills; ++kill) {
      const url = fresh();
      const writer = startWriter(url, "k", 100_000);
      await reached(writer, 1 + Math.floor(Math.random() * 60));
      writer.child.kill("SIGKILL");
      await writer.ended;
      const keys = new Set(await kv(url).keys());
      for (let i = 0; i < writer.acknowledged(); ++i)
        assert.ok(keys.has(`k:${i}`), `k:${i} of ${writer.acknowledged()}`);
      await kv(url).set("after", true); // Nor does what it left, a lock or half a file, keep others out.
      assert.equal(await kv(url).get("after"), true);
    }
  });

  test(`${name}: two processes that write at once lose nothing`, async () => {
    const url = fresh();
    const writers = [startWriter(url, "a", 100), startWriter(url, "b", 100)];
    await Promise.all(writers.map(({ ended }) => ended));
    assert.deepEqual(
      writers.map(({ acknowledged }) => acknowledged()),
      [100, 100],
    );
    assert.equal((await kv(url).keys()).length, 200);
  });
}

test("a file is not read again as long as it has not changed, and is when it has", async () => {
  const path = freshPath();
  const store = kv(urlOf(path));
  await store.set("a", 1);
  const { atimeNs } = statSync(path, { bigint: true });
  for (let i = 0; i < 20; ++i) await store.get("a");
  assert.equal(statSync(path, { bigint: true }).atimeNs, atimeNs);
  writeFileSync(path, '{"a":{"expires":null,"value":"changed"}}');
  assert.equal(await store.get("a"), "changed");
  rmSync(path);
  assert.equal(await store.get("a"), null);
});

test("the calls of one tick are one write of the file", async () => {
  const path = freshPath();
  const store = kv(urlOf(path));
  await store.set("first", 0);
  const inodes = new Set();
  const sets = Array.from({ length: 200 }, (_, i) => store.set(`k${i}`, i).then(() => inodes.add(statSync(path).ino)));
  await Promise.all(sets);
  assert.equal(inodes.size, 1);
  assert.equal((await store.keys()).length, 201);
});

test("every way to name a file leads to one store", async () => {
  const path = freshPath(" with a blank.json");
  const [first, second, third] = [kv(urlOf(path)), kv(new URL(urlOf(path))), kv(/** @type {any} */ (`file://${path}`))];
  await Promise.all([first.set("a", 1), second.set("b", 2), third.set("c", 3)]);
  assert.deepEqual(await first.all(), { a: 1, b: 2, c: 3 });
  assert.ok(readFileSync(path, "utf8").includes('"a"'));
});

test("a file that is no store is ERR_CORRUPT, and is left as it was", async () => {
  for (const text of ["[1,2]", '{"a":', '"text"', "null", "7"]) {
    const path = freshPath();
    writeFileSync(path, text);
    const store = kv(urlOf(path));
    for (const call of [() => store.get("a"), () => store.set("a", 1), () => store.keys(), () => store.clear()]) {
      await assert.rejects(call, { code: "ERR_CORRUPT", message: new RegExp(path) });
    }
    assert.equal(readFileSync(path, "utf8"), text);
    writeFileSync(path, "{}");
    await store.set("a", 1); // Repaired, it is a store again.
    assert.equal(await store.get("a"), 1);
  }
});

test("an empty file is an empty store, and a key may be called __proto__", async () => {
  const path = freshPath();
  writeFileSync(path, "");
  const store = kv(urlOf(path));
  assert.deepEqual(await store.keys(), []);
  await store.set("__proto__", { a: 1 });
  assert.deepEqual(await store.get("__proto__"), { a: 1 });
  assert.ok(readFileSync(path, "utf8").includes('"__proto__"'));
});

test("a file keeps its permissions, and a link stays a link", async () => {
  const path = freshPath();
  const alias = freshPath();
  writeFileSync(path, "{}");
  chmodSync(path, 0o640);
  symlinkSync(path, alias);
  await kv(urlOf(alias)).set("a", 1);
  assert.equal(statSync(path).mode & 0o777, 0o640);
  assert.ok(readFileSync(path, "utf8").includes('"a"'));
});

test("neither a lock nor a temporary file is left behind", async () => {
  const url = freshFolder();
  await kv(/** @type {any} */ (`${url}data.json`)).set("a", 1);
  await kv(url).set("b", 1);
  await kv(url).del("b");
  assert.deepEqual(readdirSync(new URL(url)), ["data.json"]);
});

test("where nothing can be written, the call is ERR_CLIENT with the cause", async () => {
  const path = freshPath();
  writeFileSync(path, "{}");
  const inside = urlOf(`${path}/inside.json`); // In a file, where a folder would have to be.
  await assert.rejects(kv(inside).set("a", 1), ({ code, cause }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.match(/** @type {any} */ (cause).code, /ENOTDIR|EEXIST/);
    return true;
  });
});

test("a folder: sets and deletions of one key, not waited for, take place in their order", async () => {
  const store = kv(freshFolder());
  for (let round = 0; round < 30; ++round) {
    store.set("k", "x".repeat(5000));
    store.set("k", "short");
    const reading = store.get("k");
    store.del("k");
    const last = store.set("k", round);
    assert.equal(await reading, "short");
    await last;
    assert.equal(await store.get("k"), round);
  }
});

test("sets at once share syncs of their folder, and each waits for one that began when its file had its name", async () => {
  const url = freshFolder();
  const store = kv(url);
  await store.set("first", 1);
  const { rename } = fs;
  const handle = await fs.open(new URL(url));
  const { sync } = Object.getPrototypeOf(handle);
  await handle.close();
  let moment = 0;
  /** When files got their names. @type {Map<string, number>} */
  const named = new Map();
  /** When those syncs of the folder began that have ended. @type {number[]} */
  const syncs = [];
  fs.rename = async (from, to) => {
    await rename(from, to);
    named.set(String(to), ++moment);
  };
  syncBuiltinESMExports();
  Object.getPrototypeOf(handle).sync = async function () {
    const isFolder = (await this.stat()).isDirectory();
    const began = ++moment;
    await sync.call(this);
    if (isFolder) syncs.push(began);
  };
  try {
    const setOne = async (/** @type {number} */ i) => {
      await store.set(`k${i}`, i);
      const since = named.get(fileURLToPath(new URL(`k${i}.json`, url)));
      assert.ok(Math.max(...syncs) > Number(since), `k${i} got its name at ${since}, and the syncs began at ${syncs}`);
    };
    await Promise.all(Array.from({ length: 100 }, (_, i) => setOne(i)));
    assert.ok(syncs.length <= 50, `${syncs.length} syncs`);
  } finally {
    fs.rename = rename;
    syncBuiltinESMExports();
    Object.getPrototypeOf(handle).sync = sync;
  }
});
