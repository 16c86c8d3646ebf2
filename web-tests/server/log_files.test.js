// What else may lie where a log is, or come there while it is open.

import assert from "node:assert/strict";
import fs, {
  chmodSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname } from "node:path";
import { test } from "node:test";
import { filesFor, urlOf } from "../support/files.js";
import { runApart } from "../support/run_apart.js";
import { kv, release } from "../support/stores.js";

const { freshPath } = filesFor("log_files");

/** @param {string} path A file beside which nothing may be left. */
function assertNothingBeside(path) {
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  assert.deepEqual(names, [basename(path)]);
}

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

/**
 * Makes renaming fail as on Windows, which lets no file take the place of one that is open, until the test ends.
 * @param {import("node:test").TestContext} t
 */
function renameAsWindows(t) {
  const { renameSync } = fs;
  const isOpen = (/** @type {string} */ path) =>
    readdirSync("/proc/self/fd").some((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`) === path;
      } catch {
        return false; // That of the listing.
      }
    });
  t.mock.method(fs, "renameSync", (/** @type {string} */ from, /** @type {string} */ to) => {
    if (existsSync(to) && isOpen(to)) throw Object.assign(new Error(`EPERM: rename ${to}`), { code: "EPERM" });
    renameSync(from, to);
  });
  syncBuiltinESMExports();
  t.after(() => {
    t.mock.restoreAll();
    syncBuiltinESMExports();
  });
}

test("where no file takes the place of one that is open, a log is compacted, and an iteration goes on", async (t) => {
  renameAsWindows(t);
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const value = "x".repeat(100_000);
  for (let i = 0; i < 15; ++i) await store.set(`${i}`, value);
  const entries = store[Symbol.asyncIterator]();
  await entries.next();
  const { ino } = statSync(path);
  for (let i = 0; statSync(path).ino === ino; ++i) {
    assert.ok(i < 2000, "it was never compacted");
    await store.set(`${i % 15}`, `${value}${i}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
  for (let i = 1; i < 15; ++i) assert.equal((await entries.next()).value[1], value);
  assert.equal((await entries.next()).done, true);
  await store.set("last", 1);
  await store.close();
  assertNothingBeside(path);
  assert.equal((await kv(urlOf(path)).keys()).length, 16);
  await release(urlOf(path));
});

test("a log that was moved aside when its process ended is there when it is opened; other files of that name stay", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  renameSync(path, `${path}.replaced`);
  assert.equal(await kv(urlOf(path)).get("a"), 1);
  await release(urlOf(path));
  const other = freshPath(".kv");
  writeFileSync(`${other}.replaced`, "mine");
  assert.equal(await kv(urlOf(other)).get("a"), null);
  await release(urlOf(other));
  assert.equal(readFileSync(`${other}.replaced`, "utf8"), "mine");
});

/** A program on Windows, which counts the renames to each path, and blocks the first ones with the codes that a scanner causes. */
const BLOCKING = `
  import fs from "node:fs";
  import { syncBuiltinESMExports } from "node:module";
  Object.defineProperty(process, "platform", { value: "win32" });
  const { renameSync } = fs;
  const attempts = {};
  let mostBlocked = 0;
  fs.renameSync = (from, to) => {
    const name = to.slice(args[1].length);
    attempts[name] = (attempts[name] ?? 0) + 1;
    const code = ["EPERM", "EBUSY", "EACCES"][attempts[name] % 3];
    if (!name.startsWith(".lock") && attempts[name] <= mostBlocked) throw Object.assign(new Error(code), { code });
    renameSync(from, to);
  };
  syncBuiltinESMExports();
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const store = kv(args[0]);
  const value = "x".repeat(100_000);
  const fill = async (isDone, from = 0) => {
    for (let i = from; !isDone(); ++i) {
      if (i === from + 2000) throw new Error("it waited in vain");
      await store.set("" + (i % 15), value + i);
      await turn();
    }
  };
  const inode = () => fs.statSync(args[1]).ino;`;

test("on Windows, a log takes its place a little later where a scanner blocks that for a while", async () => {
  const path = freshPath(".kv");
  const program = `${BLOCKING}
    mostBlocked = 3;
    await store.set("first", 1); // A log is made.
    const made = inode();
    attempts[""] = attempts[".replaced"] = 0;
    await fill(() => inode() !== made);
    await store.set("last", 1);
    await store.close();
    console.log(JSON.stringify(attempts));`;
  const attempts = await runApart("true", program, urlOf(path), path);
  assert.ok(attempts[""] > 3 && attempts[".replaced"] === 3, JSON.stringify(attempts));
  assertNothingBeside(path);
  assert.equal((await kv(urlOf(path)).keys()).length, 17);
  await release(urlOf(path));
});

test("on Windows, a log that a scanner blocks for longer is written on, and compacted later", async () => {
  const path = freshPath(".kv");
  const program = `${BLOCKING}
    await store.set("first", 1);
    const made = inode();
    mostBlocked = Infinity;
    await fill(() => attempts[".replaced"] > 5);
    while (fs.existsSync(args[1] + ".new")) await turn(); // Until it is given up.
    const blocked = attempts[".replaced"];
    await store.set("second", 2);
    mostBlocked = 0;
    await fill(() => inode() !== made);
    await store.close();
    console.log(JSON.stringify([made === inode(), blocked]));`;
  const [isSame, blocked] = await runApart("true", program, urlOf(path), path);
  assert.equal(isSame, false);
  assert.ok(blocked < 10, `${blocked} attempts`);
  assert.equal((await kv(urlOf(path)).keys()).length, 17);
  await release(urlOf(path));
});

test("on Windows, a log that was moved aside gets its name back a little later where a scanner blocks that", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  renameSync(path, `${path}.replaced`);
  const program = `${BLOCKING}
    mostBlocked = 3;
    console.log(JSON.stringify([await store.get("a"), attempts[""]]));
    await store.close();`;
  assert.deepEqual(await runApart("true", program, urlOf(path), path), [1, 4]);
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

for (const [name, end] of [
  ["a file", ".json"],
  ["a folder", "/"],
  ["a log", ".kv"],
]) {
  test(`${name}: close() of one store leaves another over its URL, and the last one releases it`, async () => {
    const path = freshPath(end);
    const [one, other] = [kv(urlOf(path)), kv(urlOf(path))];
    await one.set("a", 1);
    await one.close();
    await assert.rejects(one.get("a"), { code: "ERR_CLOSED" });
    assert.equal(await other.get("a"), 1);
    await other.set("b", 2);
    await other.close();
    const locks = readdirSync(dirname(path)).filter((file) => file.startsWith(basename(path)) && file.includes("lock"));
    assert.deepEqual(locks, []);
    assert.deepEqual(await kv(urlOf(path)).all(), { a: 1, b: 2 });
    await release(urlOf(path));
  });
}
