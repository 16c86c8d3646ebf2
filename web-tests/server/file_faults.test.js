// What went wrong with files once, with real files and real second processes.

import assert from "node:assert/strict";
import { execFile, execFileSync, spawn, spawnSync } from "node:child_process";
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import kv from "polystore-wasm";
import { Lock } from "../../js/disk/lock.js";
import { mapDiskFull } from "../../js/disk/text_file.js";
import { filesFor, urlOf } from "../support/files.js";
import { runApart } from "../support/run_apart.js";

const { freshPath } = filesFor("faults");
const freshFolder = () => {
  const path = `${freshPath("")}/`;
  mkdirSync(path);
  return path;
};

/** The locks on a file. @param {string} path */
const locksOf = (path) => readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.lock-`));

/** A path for the lock of another process on a file. @param {string} path */
const otherLock = (path) => `${path}.lock-0123456789abcdef`;

/** The description of a process that is gone, as one of ours leaves it in its lock. */
async function staleText() {
  const path = freshPath();
  const lock = await Lock.wait(path);
  const text = readFileSync(join(dirname(path), locksOf(path)[0]), "utf8");
  lock.release();
  const gone = spawnSync(process.execPath, ["-e", ""]);
  return JSON.stringify({ ...JSON.parse(text), pid: gone.pid });
}

test("of processes that race for a lock, and leave stale ones, one at a time has it", async () => {
  const [path, counter, stale] = [freshPath(), freshPath(".txt"), await staleText()];
  writeFileSync(counter, "0");
  writeFileSync(otherLock(path), stale);
  const racer = fileURLToPath(new URL("lock_racer.js", import.meta.url));
  const racers = Array.from({ length: 6 }, () =>
    promisify(execFile)(process.execPath, [racer, path, counter, "100", stale]),
  );
  await Promise.all(racers);
  assert.equal(readFileSync(counter, "utf8"), "600");
  (await Lock.wait(path)).release();
  assert.deepEqual(locksOf(path), []);
});

test("files and folders of other code that are named like a lock are neither heeded nor removed", async () => {
  const path = freshPath();
  const others = [".lock", ".lock-", ".lock-backup", ".lock-0123456789abcdef.bak"].map((end) => path + end);
  for (const other of others) {
    writeFileSync(other, "another's");
    utimesSync(other, 1, 1);
  }
  mkdirSync(otherLock(path));
  await kv(urlOf(path)).set("a", 1);
  for (const other of others) assert.equal(readFileSync(other, "utf8"), "another's");
  assert.ok(existsSync(otherLock(path)));
});

for (const text of ["null", "7", "[]", '{"machine":', "{}"]) {
  test(`a lock that says ${text} is that of a process of which nothing is known`, async () => {
    const path = freshPath(".kv");
    writeFileSync(otherLock(path), text);
    await assert.rejects(Lock.take(path), { code: "ERR_CLIENT", message: /is already open in process unknown/ });
    utimesSync(otherLock(path), 1, 1);
    (await Lock.take(path)).release();
    assert.deepEqual(locksOf(path), []);
  });
}

test("a lost log is named in the error, and not its lock", async (t) => {
  const path = freshPath(".kv");
  const lock = await Lock.take(path);
  t.mock.method(performance, "now", () => 1e9);
  rmSync(join(dirname(path), locksOf(path)[0]));
  assert.throws(() => lock.check("Try again."), {
    code: "ERR_CLIENT",
    message: new RegExp(`lock on ${path}, because .* Try again\\.`),
  });
  lock.release();
});

test("a zombie holds no lock", async () => {
  const path = freshPath();
  const program = `const { Lock } = await import(${JSON.stringify(new URL("../../js/disk/lock.js", import.meta.url).href)});
    await Lock.wait(${JSON.stringify(path)});
    process.kill(process.pid, "SIGKILL");`;
  const parent = spawn("sh", [
    "-c",
    '"$0" --input-type=module -e "$1" & echo started; exec sleep 100',
    process.execPath,
    program,
  ]);
  try {
    await new Promise((resolve) => parent.stdout.once("data", resolve));
    const isZombie = () => {
      const name = locksOf(path).find((name) => !name.endsWith(".new"));
      if (!name) return false;
      const { pid } = JSON.parse(readFileSync(join(dirname(path), name), "utf8"));
      return / Z /.test(readFileSync(`/proc/${pid}/stat`, "utf8"));
    };
    while (!isZombie()) await new Promise((resolve) => setImmediate(resolve));
    await kv(urlOf(path)).set("a", 1);
    assert.equal(await kv(urlOf(path)).get("a"), 1);
  } finally {
    parent.kill("SIGKILL");
  }
});

/** The description of a process that is gone, in another container of this machine: its number means nothing here. */
async function textFromContainer() {
  const ours = JSON.parse(await staleText());
  const machine = ours.machine.replace(/pid:\[\d+\]$/, "pid:[1]");
  assert.notEqual(machine, ours.machine);
  return JSON.stringify({ ...ours, machine });
}

for (const { name, textOf } of [
  {
    name: "another host",
    textOf: async () => JSON.stringify({ ...JSON.parse(await staleText()), machine: "elsewhere", pid: 999_999_999 }),
  },
  { name: "another container", textOf: textFromContainer },
  { name: "nobody knows whom", textOf: async () => "" },
]) {
  test(`the lock of ${name} is left alone as long as it is renewed, and taken over when it is not`, async () => {
    const path = freshPath();
    const lock = otherLock(path);
    const text = await textOf();
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

for (const [name, place] of Object.entries({ "a file": "data.json", "a folder": "" })) {
  test(`${name}: without room for a write it is ERR_QUOTA, and what was written is there`, async () => {
    const folder = freshFolder();
    const program = `
      const store = kv(args[0]);
      const written = { kept: "before" };
      await store.set("kept", "before");
      for (let i = 1; ; ++i) {
        const value = "x".repeat(2000 * i);
        const failure = await store.set("k" + i, value).then(() => null, ({ code, cause }) => [code, cause.code]);
        if (failure) {
          const all = await store.all();
          const same = Object.keys(all).length === i && Object.keys(all).every((key) => all[key] === written[key]);
          console.log(JSON.stringify([failure, i, same]));
          break;
        }
        written["k" + i] = value;
      }`;
    const [failure, count, same] = await runApart("ulimit -f 100", program, urlOf(folder + place));
    assert.deepEqual([failure, same], [["ERR_QUOTA", "EFBIG"], true]);
    assert.ok(count > 5);
    assert.deepEqual(
      readdirSync(folder).filter((file) => !file.endsWith(".json")),
      [],
    );
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

  test(`${name}: a change whose lock another process has taken over writes nothing`, async () => {
    const folder = freshFolder();
    const store = kv(urlOf(folder + place));
    await store.set("a", 1);
    const texts = () => readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), "utf8")]);
    const before = texts();
    const realNow = performance.now;
    let now = realNow.call(performance);
    // Each look at the clock is 150 ms after the one before, and the lock is gone by then.
    performance.now = () => {
      for (const file of readdirSync(folder)) if (file.includes(".lock-")) rmSync(join(folder, file));
      return (now += 150);
    };
    try {
      for (const call of [() => store.incr("a"), () => store.take("a"), () => store.setIfAbsent("b", 1)])
        await assert.rejects(call, { code: "ERR_CLIENT", message: /taken over the lock on .* Nothing was written/ });
    } finally {
      performance.now = realNow;
    }
    assert.deepEqual(texts(), before);
    assert.equal(await store.incr("a"), 2);
  });

  test(`${name}: the owner is kept where we may`, async () => {
    // Only root may give a file away; others to another of their groups.
    const owner = process.getuid?.() === 0 ? [1234, 2345] : [process.getuid?.(), process.getgroups?.().at(-1)];
    const folder = freshFolder();
    const store = kv(urlOf(folder + place));
    await store.set("a", 1);
    const [path] = readdirSync(folder).map((file) => join(folder, file));
    chownSync(path, Number(owner[0]), Number(owner[1]));
    await store.set("a", 2);
    const { uid, gid } = statSync(path);
    assert.deepEqual([uid, gid], owner);
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

test("a full disk is ERR_QUOTA, with the system's error as the cause", async () => {
  await assert.rejects(
    mapDiskFull("Writing", () => writeFile("/dev/full", "x")),
    ({ code, cause }) => code === "ERR_QUOTA" && /** @type {any} */ (cause).code === "ENOSPC",
  );
});

/** Whether calls reject that had to remove something, and with what; and what those give that only read. */
const READ_AND_REMOVE = `
  const outcomes = {};
  for (const [name, call] of Object.entries({
    get: () => store.get("old"), has: () => store.has("old"), all: () => store.all(), keys: () => store.keys(),
    iterate: async () => { for await (const entry of store) return entry; },
    prune: () => store.prune(), clear: () => store.clear(), del: () => store.del("kept"), set: () => store.set("kept", big),
  })) outcomes[name] = (await call().catch(({ code }) => code)) ?? null;
  console.log(JSON.stringify(outcomes));`;

for (const [name, place] of Object.entries({ "a file": "data.json", "a folder": "" })) {
  test(`${name} that cannot be written can be read, where a record has expired too; what cannot be removed is an error`, async () => {
    const folder = freshFolder();
    await kv(urlOf(folder + place)).set("kept", 2);
    if (place)
      writeFileSync(
        folder + place,
        JSON.stringify({ old: { expires: 1, value: 1 }, kept: { expires: null, value: 2 } }),
      );
    else writeFileSync(join(folder, "old.json"), '{"expires":1,"value":1}');
    chmodSync(folder, 0o555);
    chmodSync(dirname(folder), 0o755);
    // Root may write everywhere, so it becomes somebody else; once all code is loaded, which only root may be allowed to read.
    const program = `
      await kv(args[1]).keys();
      if (process.getuid() === 0) process.setuid(65534);
      const store = kv(args[0]);
      const big = 3;
      ${READ_AND_REMOVE}`;
    const other = urlOf(place ? freshPath() : `${freshPath("")}/`);
    assert.deepEqual(await runApart("true", program, urlOf(folder + place), other), {
      ...{ get: null, has: false, all: { kept: 2 }, keys: ["kept"], iterate: ["kept", 2] },
      ...{ prune: "ERR_CLIENT", clear: "ERR_CLIENT", del: "ERR_CLIENT", set: "ERR_CLIENT" },
    });
    chmodSync(folder, 0o755);
    assert.equal(await kv(urlOf(folder + place)).prune(), 1);
  });
}

test("a file on a full disk can be read, where a record has expired too; what cannot be removed is an error", async () => {
  const path = freshPath();
  const kept = "x".repeat(200_000);
  const text = JSON.stringify({ old: { expires: 1, value: 1 }, kept: { expires: null, value: kept } });
  writeFileSync(path, text);
  const program = `const store = kv(args[0]); const big = "x".repeat(200_000); ${READ_AND_REMOVE}`;
  assert.deepEqual(await runApart("ulimit -f 100", program, urlOf(path)), {
    ...{ get: null, has: false, all: { kept }, keys: ["kept"], iterate: ["kept", kept] },
    ...{ prune: "ERR_QUOTA", clear: null, del: "kept", set: "ERR_QUOTA" },
  });
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

test("a URL of a file that is neither file, log nor folder is refused at once, with the way out", () => {
  const message = /its path must end in \.json \(a file\), \.kv \(a log\) or \/ \(a folder\)/;
  for (const url of ["file:///a.txt", "file:///data.KV", "file:///folder"]) {
    assert.throws(() => kv(/** @type {any} */ (url)), { code: "ERR_CLIENT", message }, url);
    assert.throws(() => kv(new URL(url)), { code: "ERR_CLIENT", message }, url);
  }
});

test("a log of a browser is refused, with what is the same here", async () => {
  const message =
    /only browsers have an origin private file system\. On a server, open a log as a file: file:\/\/\/….kv/;
  await assert.rejects(kv("opfs:notes").get("a"), { code: "ERR_CLIENT", message });
});
