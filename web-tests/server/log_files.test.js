// What else may lie where a log is, or come there while it is open.

import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { filesFor, urlOf } from "../support/files.js";
import { kv, release } from "../support/stores.js";

const { freshPath } = filesFor("log_files");

test("what lies where a log is compacted to stays, unless it is a log", async () => {
  const path = freshPath(".kv");
  const beside = `${path}.new`;
  const refused = { code: "ERR_CLIENT", message: /\.kv\.new first, and what is there is not a log/ };
  writeFileSync(beside, "mine");
  await assert.rejects(kv(urlOf(path)).set("a", 1), refused);
  assert.equal(readFileSync(beside, "utf8"), "mine");
  rmSync(beside);
  const victim = `${path}.victim`;
  writeFileSync(victim, "the victim's");
  symlinkSync(basename(victim), beside);
  await assert.rejects(kv(urlOf(path)).set("a", 1), refused);
  assert.equal(readFileSync(victim, "utf8"), "the victim's");
  rmSync(beside);
  mkdirSync(beside);
  await assert.rejects(kv(urlOf(path)).set("a", 1), refused);
  rmSync(beside, { recursive: true });
  for (const left of ["", "\0".repeat(50), "polystor\x02\0\0\0"]) {
    writeFileSync(beside, left); // Of a process that was killed.
    await kv(urlOf(path)).set("a", 1);
    await release(urlOf(path));
    assert.ok(!existsSync(beside));
  }
});

test("while a log is compacted, nobody may read the new file who may not read the old one", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  await store.set("a", 1);
  chmodSync(path, 0o600);
  const modes = new Set();
  const watcher = watch(dirname(path), (_, name) => {
    const found = name === `${basename(path)}.new` && statSync(`${path}.new`, { throwIfNoEntry: false });
    if (found) modes.add((found.mode & 0o777).toString(8));
  });
  const value = "x".repeat(100_000);
  for (let i = 0; modes.size === 0; ++i) {
    assert.ok(i < 2000, "it was never compacted");
    await store.set(`${i % 15}`, value);
    await new Promise((resolve) => setImmediate(resolve));
  }
  watcher.close();
  await store.close();
  assert.deepEqual([...modes], ["600"]);
  assert.equal(statSync(path).mode & 0o777, 0o600);
});

for (const meddles of ["removed", "replaced", "moved"]) {
  test(`a log that is ${meddles} while it is open is noticed by the next flush`, async () => {
    const path = freshPath(".kv");
    const store = kv(urlOf(path), { durability: "strict" });
    await store.set("a", 1);
    if (meddles === "removed") rmSync(path);
    else renameSync(path, `${path}.old`);
    if (meddles === "replaced") writeFileSync(path, "another's");
    const noticed = { code: "ERR_CLIENT", message: /was removed, replaced or moved away/ };
    await assert.rejects(store.set("a", 2), noticed);
    await assert.rejects(store.set("a", 3), noticed);
    await assert.rejects(store.close(), noticed);
    if (meddles === "replaced") assert.equal(readFileSync(path, "utf8"), "another's");
    else assert.ok(!existsSync(path));
  });
}

test("a log with two names is refused", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  const other = freshPath(".kv");
  linkSync(path, other);
  for (const name of [path, other]) {
    await assert.rejects(kv(urlOf(name)).get("a"), { code: "ERR_CLIENT", message: /another name \(a hard link\)/ });
  }
  rmSync(other);
  assert.equal(await kv(urlOf(path)).get("a"), 1);
  await release(urlOf(path));
});
