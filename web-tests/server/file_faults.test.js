// What went wrong with files once, with real files and real second processes.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import kv from "polystore-wasm";
import { withLock } from "../../js/clients/lock_file.js";
import { filesFor, urlOf } from "../support/files.js";

const { freshPath } = filesFor("faults");
const freshFolder = () => {
  const path = `${freshPath("")}/`;
  mkdirSync(path);
  return path;
};

/** The description of a process that is gone, as one of ours leaves it in its lock. */
async function staleText() {
  const lock = freshPath(".lock");
  let text = "";
  await withLock(lock, async () => void (text = readFileSync(lock, "utf8")));
  const gone = spawnSync(process.execPath, ["-e", ""]);
  return JSON.stringify({ ...JSON.parse(text), pid: gone.pid });
}

/** Runs a program of JavaScript with `kv`, in a process of its own, after a command of the shell. */
async function runApart(/** @type {string} */ shell, /** @type {string} */ program, /** @type {string[]} */ ...args) {
  const text = `import kv from "polystore-wasm"; const [...args] = process.argv.slice(1); ${program}`;
  const command = `${shell} && exec "$0" --input-type=module -e "$@"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", command, process.execPath, text, ...args]);
  return JSON.parse(stdout);
}

test("of processes that race for stale locks, one at a time has the lock", async () => {
  const [lock, counter, stale] = [freshPath(".lock"), freshPath(".txt"), await staleText()];
  writeFileSync(counter, "0");
  writeFileSync(lock, stale);
  const racer = fileURLToPath(new URL("lock_racer.js", import.meta.url));
  const racers = Array.from({ length: 6 }, () =>
    promisify(execFile)(process.execPath, [racer, lock, counter, "100", stale]),
  );
  await Promise.all(racers);
  assert.equal(readFileSync(counter, "utf8"), "600");
});

test("a lock that a process left while it took over another is taken over too", async () => {
  const [path, stale] = [freshPath(), await staleText()];
  const lock = `${path}.lock`;
  writeFileSync(lock, stale);
  let between = "";
  // What the lock on a stale lock is called is seen while one is held.
  await withLock(freshPath(".lock"), async () => {
    const { createHash } = await import("node:crypto");
    const { ino } = statSync(lock, { bigint: true });
    between = `${lock}-${createHash("sha256").update(`${ino} ${stale}`).digest("hex").slice(0, 16)}`;
  });
  writeFileSync(between, stale);
  await kv(urlOf(path)).set("a", 1);
  assert.deepEqual([existsSync(lock), existsSync(between)], [false, false]);
});

test("a zombie holds no lock", async () => {
  const path = freshPath();
  const lock = `${path}.lock`;
  const program = `const { withLock } = await import(${JSON.stringify(new URL("../../js/clients/lock_file.js", import.meta.url).href)});
    await withLock(${JSON.stringify(lock)}, async () => process.kill(process.pid, "SIGKILL"));`;
  const parent = spawn("sh", [
    "-c",
    '"$0" --input-type=module -e "$1" & echo started; exec sleep 100',
    process.execPath,
    program,
  ]);
  try {
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const isZombie = () =>
      existsSync(lock) &&
      / Z /.test(readFileSync(`/proc/${JSON.parse(readFileSync(lock, "utf8") || '{"pid":1}').pid}/stat`, "utf8"));
    while (!isZombie()) await new Promise((resolve) => setImmediate(resolve));
    await kv(urlOf(path)).set("a", 1);
    assert.equal(await kv(urlOf(path)).get("a"), 1);
  } finally {
    parent.kill("SIGKILL");
  }
});

for (const { name, change } of [
  { name: "another host", change: { machine: "elsewhere", pid: 999_999_999 } },
  { name: "nobody knows whom", change: null },
]) {
  test(`the lock of ${name} is left alone as long as it is renewed, and taken over when it is not`, async () => {
    const path = freshPath();
    const lock = `${path}.lock`;
    const text = change ? JSON.stringify({ ...JSON.parse(await staleText()), ...change }) : "";
    writeFileSync(lock, text);
    const realNow = performance.now;
    let now = 0;
    let looks = 0;
    let renewing = true;
    // Every look at the clock is 4 s after the one before.
    performance.now = () => {
      if (++looks <= 2 && renewing) utimesSync(lock, looks, looks);
      return (now += 4000);
    };
    try {
      let done = false;
      const setting = kv(urlOf(path))
        .set("a", 1)
        .then(() => (done = true));
      while (looks < 3) await new Promise((resolve) => setImmediate(resolve));
      assert.deepEqual([done, readFileSync(lock, "utf8")], [false, text]);
      renewing = false;
      await setting;
      assert.ok(looks > 4, `taken over after ${looks} looks`);
    } finally {
      performance.now = realNow;
    }
    assert.equal(await kv(urlOf(path)).get("a"), 1);
    assert.ok(!existsSync(lock));
  });
}

test("a process in another container does not break the lock of one that lives", async (t) => {
  if (spawnSync("unshare", ["--pid", "--fork", "--mount-proc", "true"]).status !== 0) return t.skip("no unshare");
  const path = freshPath();
  const counter = freshPath(".txt");
  const module = new URL("../../js/clients/lock_file.js", import.meta.url).href;
  const program = `const { withLock } = await import(${JSON.stringify(module)});
    process.stdout.write("begun");
    await withLock(${JSON.stringify(`${path}.lock`)}, async () => process.stdout.write("held"));`;
  let output = "";
  await withLock(`${path}.lock`, async () => {
    const other = spawn("unshare", [
      "--pid",
      "--fork",
      "--mount-proc",
      process.execPath,
      "--input-type=module",
      "-e",
      program,
    ]);
    const ended = new Promise((resolve) => other.once("close", resolve));
    await new Promise((resolve) => other.stdout.on("data", (chunk) => ((output += chunk), resolve(undefined))));
    // Many looks of the other at the lock: it would have broken it at the first.
    await new Promise((resolve) => setTimeout(resolve, 300));
    assert.equal(output, "begun");
    ended.then(() => writeFileSync(counter, output));
  });
  while (!existsSync(counter)) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(output, "begunheld");
});

for (const [name, place] of Object.entries({ "a file": "data.json", "a folder": "" })) {
  test(`${name}: without room on the disk a write is ERR_QUOTA, and what was written is there`, async (t) => {
    const folder = freshFolder();
    if (spawnSync("mount", ["-t", "tmpfs", "-o", "size=200k", "tmpfs", folder]).status !== 0) return t.skip("no mount");
    const store = kv(urlOf(folder + place));
    try {
      await store.set("kept", "before");
      /** @type {string[]} */
      const written = [];
      /** @type {any} */
      let failure = null;
      for (let i = 0; i < 100 && !failure; ++i) {
        const set = store.set(`k${i}`, "x".repeat(5000));
        await set.then(
          () => written.push(`k${i}`),
          (error) => (failure = error),
        );
      }
      assert.equal(failure.code, "ERR_QUOTA");
      assert.equal(failure.cause.code, "ENOSPC");
      assert.deepEqual((await store.keys()).sort(), ["kept", ...written].sort());
      assert.equal(await store.get("kept"), "before");
      assert.ok(written.length > 5);
      assert.deepEqual(
        readdirSync(folder).filter((file) => !file.endsWith(".json")),
        [],
      );
    } finally {
      await store.close();
      execFileSync("umount", [folder]);
    }
  });

  test(`${name}: one value too large takes none of its tick with it, nor the order`, async () => {
    const url = urlOf(freshFolder() + place);
    const program = `
      const store = kv(args[0]);
      const outcomes = await Promise.allSettled([
        store.set("a", 1), store.set("b", "old"), store.get("b"), store.set("b", "x".repeat(300000)), store.get("b"),
        store.set("c", 3), store.set("a", 2), store.get("a"), store.del("c"),
      ]);
      console.log(JSON.stringify([outcomes.map(({ value, reason }) => reason?.code ?? value), await store.all()]));`;
    assert.deepEqual(await runApart("ulimit -f 100", program, url), [
      ["a", "b", "old", "ERR_QUOTA", "old", "c", "a", 2, "c"],
      { a: 2, b: "old" },
    ]);
  });

  test(`${name}: the owner is kept where we may`, async (t) => {
    if (process.getuid?.() !== 0) return t.skip("only root may give a file away");
    const folder = freshFolder();
    const store = kv(urlOf(folder + place));
    await store.set("a", 1);
    const [path] = readdirSync(folder).map((file) => join(folder, file));
    chownSync(path, 1234, 2345);
    await store.set("a", 2);
    const { uid, gid } = statSync(path);
    assert.deepEqual([uid, gid], [1234, 2345]);
  });

  test(`${name}: 1,500 calls at once need few open files`, async () => {
    const url = urlOf(freshFolder() + place);
    const program = `
      const store = kv(args[0]);
      const numbers = Array.from({ length: 1500 }, (_, i) => i);
      const outcomes = await Promise.allSettled(numbers.map((i) => store.set("k" + i, i)));
      const read = await Promise.all(numbers.map((i) => store.get("k" + i)));
      const failed = outcomes.find(({ reason }) => reason)?.reason.message;
      console.log(JSON.stringify({ failed, same: read.every((value, i) => value === i) }));`;
    assert.deepEqual(await runApart("ulimit -n 200", program, url), { same: true });
  });
}

test("a file whose bytes are not UTF-8 is ERR_CORRUPT, and is left as it was", async () => {
  const path = freshPath();
  const bytes = Buffer.concat([Buffer.from('{"a":{"expires":null,"value":"'), Buffer.from([0xe9]), Buffer.from('"}}')]);
  writeFileSync(path, bytes);
  const store = kv(urlOf(path));
  for (const call of [() => store.get("a"), () => store.set("b", 1), () => store.keys(), () => store.clear()])
    await assert.rejects(call, { code: "ERR_CORRUPT" });
  assert.deepEqual(readFileSync(path), bytes);
});

test("in a folder, what is no UTF-8, no file, or leads to none, is other code's", async () => {
  const folder = freshFolder();
  const bytes = Buffer.concat([Buffer.from('{"expires":null,"value":"'), Buffer.from([0xe9]), Buffer.from('"}')]);
  writeFileSync(join(folder, "bytes.json"), bytes);
  mkdirSync(join(folder, "folder.json"));
  symlinkSync("nowhere", join(folder, "dangling.json"));
  symlinkSync(folder, join(folder, "around.json"));
  execFileSync("mkfifo", [join(folder, "pipe.json")]);
  writeFileSync(join(folder, "linked.txt"), '{"expires":null,"value":"linked"}');
  symlinkSync("linked.txt", join(folder, "link.json"));
  const store = kv(urlOf(folder));
  await store.set("a", "\uFFFD");
  assert.deepEqual(await store.all(), { a: "\uFFFD", link: "linked" });
  for (const key of ["bytes", "folder", "dangling", "around", "pipe"]) {
    assert.deepEqual([await store.get(key), await store.has(key)], [null, false], key);
    await store.del(key);
  }
  await store.clear();
  assert.deepEqual(readFileSync(join(folder, "bytes.json")), bytes);
  assert.deepEqual(readdirSync(folder).sort(), [
    "around.json",
    "bytes.json",
    "dangling.json",
    "folder.json",
    "linked.txt",
    "pipe.json",
  ]);
});

test("a file that cannot be written can be read, where a record has expired too", async (t) => {
  const folder = freshFolder();
  if (spawnSync("mount", ["-t", "tmpfs", "tmpfs", folder]).status !== 0) return t.skip("no mount");
  const path = join(folder, "data.json");
  try {
    writeFileSync(path, JSON.stringify({ old: { expires: 1, value: 1 }, kept: { expires: null, value: 2 } }));
    execFileSync("mount", ["-o", "remount,ro", folder]);
    const store = kv(urlOf(path));
    assert.equal(await store.get("old"), null);
    assert.deepEqual(await store.all(), { kept: 2 });
    assert.equal(await store.prune(), 0);
    await assert.rejects(store.set("a", 1), { code: "ERR_CLIENT" });
    await assert.rejects(store.clear(), { code: "ERR_CLIENT" });
    await store.close();
  } finally {
    execFileSync("umount", [folder]);
  }
});

test("a URL that is not the path it seems to be is refused at once, with the way out", () => {
  for (const url of [
    "file:///notes.txt?.json",
    "file:///a.json?",
    "file:///a.json#x",
    "file:///a#b.json",
    "file:///a/?x=/",
    "file://host/a.json",
    "file:///a%2Fb.json",
  ]) {
    assert.throws(() => kv(/** @type {any} */ (url)), { code: "ERR_CLIENT", message: /pathToFileURL/ }, url);
    assert.throws(() => kv(new URL(url)), { code: "ERR_CLIENT", message: /pathToFileURL/ }, url);
  }
  for (const text of ["file://[", "file:data.json", "FILE:data/"]) {
    assert.throws(() => kv(/** @type {any} */ (text)), { code: "ERR_CLIENT", message: /pathToFileURL/ }, text);
  }
});
