// What is special about a log in Node, beyond the contract: crashes, other processes, and files that are damaged.

import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import fs, {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { basename, dirname, join, resolve } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Worker } from "node:worker_threads";
import { openLog } from "../../js/clients/log/log.js";
import { log } from "../contract/clients/log.js";
import { testContract } from "../contract/suite.js";
import { filesFor, urlOf } from "../support/files.js";
import { runApart } from "../support/run_apart.js";
import { kv, release } from "../support/stores.js";

const { root, freshPath } = filesFor("log");

testContract(log(kv, root, "relaxed"));
testContract(log(kv, root, "strict"));

/** Starts a process that sets keys. @param {string} url @param {string} name */
function startWriter(url, name) {
  const program = fileURLToPath(new URL("file_writer.js", import.meta.url));
  const child = spawn(process.execPath, [program, url, name, "100000"], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  const ended = new Promise((resolve) => child.once("close", resolve));
  const acknowledged = () => output.split("\n").length - 1;
  /** Resolves when it has set so many keys. @param {number} count */
  const reached = (count) =>
    new Promise((resolve) => {
      const look = () => acknowledged() >= count && resolve(undefined);
      child.stdout.on("data", look);
      child.once("close", resolve);
      look();
    });
  return { child, ended, acknowledged, reached };
}

test("a process that is killed while it writes loses nothing that was acknowledged, and keeps nobody out", async () => {
  const url = urlOf(freshPath(".kv"));
  for (let kill = 0; kill < 50; ++kill) {
    const writer = startWriter(url, `${kill}`);
    await writer.reached(1 + Math.floor(Math.random() * 200));
    writer.child.kill("SIGKILL");
    await writer.ended;
    const store = kv(url);
    const keys = new Set(await store.prefix(`${kill}:`).keys());
    for (let i = 0; i < writer.acknowledged(); ++i) assert.ok(keys.has(`${i}`), `${kill}:${i}`);
    await store.close();
  }
});

test("a second process is refused, and told who has the log; when that has ended it is let in", async () => {
  const url = urlOf(freshPath(".kv"));
  const writer = startWriter(url, "k");
  await writer.reached(1);
  await assert.rejects(kv(url).get("k:0"), {
    code: "ERR_CLIENT",
    message: new RegExp(`already open in process ${writer.child.pid} of `),
  });
  writer.child.kill("SIGKILL");
  await writer.ended;
  assert.equal(await kv(url).get("k:0"), "");
  await release(url);
});

test("a thread that ended without closing keeps nobody out", async () => {
  const url = urlOf(freshPath(".kv"));
  const program = `import("polystore-wasm").then(({ default: kv }) => kv(${JSON.stringify(url)}).set("a", 1))`;
  const worker = new Worker(program, { eval: true });
  await once(worker, "exit");
  assert.equal(await kv(url).get("a"), 1);
  await release(url);
});

test("closing leaves no lock, and lets the file be opened again", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  const left = readdirSync(dirname(path)).filter((name) => name.startsWith(path.slice(dirname(path).length + 1)));
  assert.deepEqual(left, [path.slice(dirname(path).length + 1)]);
  assert.equal(await kv(urlOf(path)).get("a"), 1);
  await release(urlOf(path));
});

test("what only has a name like a lock keeps nobody out, and stays", async () => {
  const path = freshPath(".kv");
  const [folder, file] = [`${path}.lock-0123456789abcdef`, `${path}.lock-backup`];
  mkdirSync(folder);
  writeFileSync(file, "another's");
  utimesSync(file, 1, 1);
  assert.equal(await kv(urlOf(path)).get("a"), null);
  await release(urlOf(path));
  assert.ok(existsSync(folder));
  assert.equal(readFileSync(file, "utf8"), "another's");
});

test("a lock without text, for which there was no room, keeps others out until it is silent for a minute", async () => {
  const path = freshPath(".kv");
  const lock = `${path}.lock-00000000000000ee`;
  writeFileSync(lock, "");
  await assert.rejects(kv(urlOf(path)).get("a"), {
    code: "ERR_CLIENT",
    message: /is already open in an unknown process/,
  });
  const now = statSync(lock).mtimeMs / 1000;
  utimesSync(lock, now - 61, now - 61);
  assert.equal(await kv(urlOf(path)).get("a"), null);
  assert.ok(!existsSync(lock));
  await release(urlOf(path));
});

test("the lock of a container that was started again keeps others out for a minute, and the error says what to do", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  const own = readdirSync(dirname(path)).find((name) => name.startsWith(`${basename(path)}.lock-`));
  const holder = JSON.parse(readFileSync(join(dirname(path), String(own)), "utf8"));
  await release(urlOf(path));
  const lock = `${path}.lock-0123456789abcdef`;
  writeFileSync(lock, JSON.stringify({ ...holder, machine: holder.machine.replace(/pid:\[\d+\]$/, "pid:[1]") }));
  await assert.rejects(kv(urlOf(path)).get("a"), {
    code: "ERR_CLIENT",
    message: new RegExp(`already open in process ${process.pid} of .*wait a minute, or remove ${path}\\.lock-\\*`),
  });
  const now = statSync(lock).mtimeMs / 1000;
  utimesSync(lock, now - 61, now - 61);
  assert.equal(await kv(urlOf(path)).get("a"), 1);
  await release(urlOf(path));
});

test("a process that was stopped until another took its log writes nothing more to it", async () => {
  const path = freshPath(".kv");
  const program = `
    import kv from "polystore-wasm";
    import { createInterface } from "node:readline";
    const store = kv(${JSON.stringify(urlOf(path))});
    for await (const key of createInterface(process.stdin)) {
      console.log(await store.set(key, 1).catch(({ code, message }) => code + message));
    }`;
  const child = spawn(process.execPath, ["--input-type=module", "-e", program], { stdio: ["pipe", "pipe", "inherit"] });
  const answers = createInterface(child.stdout)[Symbol.asyncIterator]();
  child.stdin.write("old\n");
  assert.equal((await answers.next()).value, "old");
  child.kill("SIGSTOP");
  // The lock of a process in another container that was silent for two minutes.
  const name = String(readdirSync(dirname(path)).find((name) => name.startsWith(`${basename(path)}.lock-`)));
  const lock = join(dirname(path), name);
  writeFileSync(lock, JSON.stringify({ machine: "another", pid: 1, since: "1" }));
  utimesSync(lock, Date.now() / 1000 - 120, Date.now() / 1000 - 120);
  const store = kv(urlOf(path));
  await store.set("new", 2);
  await sleep(110); // A process checks its lock at most every 100 ms.
  child.stdin.end("late\n");
  child.kill("SIGCONT");
  assert.match(String((await answers.next()).value), /^ERR_CLIENT.*nother process.*Close the store/);
  await store.set("newer", 3);
  await store.close();
  const again = kv(urlOf(path));
  assert.deepEqual(await again.all(), { new: 2, newer: 3, old: 1 });
  await again.close();
});

test("what a process that was killed has left of a lock that it had not taken yet keeps nobody out, and goes with time", async () => {
  const path = freshPath(".kv");
  const lock = `${path}.lock-00000000000000be.new`;
  writeFileSync(lock, "");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  assert.ok(existsSync(lock)); // It may be one that is being taken.
  const now = statSync(lock).mtimeMs / 1000;
  utimesSync(lock, now - 61, now - 61);
  assert.equal(await kv(urlOf(path)).get("a"), 1);
  assert.ok(!existsSync(lock));
  await release(urlOf(path));
});

test("a range reads no more records than its bounds and its limit ask for", async () => {
  const url = urlOf(freshPath(".kv"));
  const store = kv(url).prefix("p:");
  const keys = Array.from({ length: 3000 }, (_, i) => String((i * 7) % 3000).padStart(4, "0"));
  await store.setMany(keys.map((key) => [key, key.repeat(2500)]));
  const { readSync } = fs;
  let bytes = 0;
  fs.readSync = /** @type {any} */ (
    (/** @type {Parameters<typeof readSync>} */ ...args) => {
      const read = readSync(...args);
      bytes += read;
      return read;
    }
  );
  syncBuiltinESMExports();
  const cost = async (/** @type {any} */ range) => {
    bytes = 0;
    const listed = await store.entries(range);
    // A record has 10 KB. Some are read with up to 64 KB around them.
    assert.ok(bytes < 100 * 10_000, `${bytes} bytes of 30 MB were read`);
    return [listed.length, listed[0]?.[0], listed.at(-1)?.[0]];
  };
  try {
    assert.deepEqual(await cost({ limit: 10 }), [10, "0000", "0009"]);
    assert.deepEqual(await cost({ limit: 10, reverse: true }), [10, "2999", "2990"]);
    assert.deepEqual(await cost({ gte: "1000", lt: "1010" }), [10, "1000", "1009"]);
    assert.deepEqual(await cost({ gt: "1000", lte: "1010", reverse: true }), [10, "1010", "1001"]);
    assert.deepEqual(await cost({ gt: "1000", lte: "1000" }), [0, undefined, undefined]);
  } finally {
    fs.readSync = readSync;
    syncBuiltinESMExports();
  }
  // A bound that is no text, which no key of a log can be, still has a place among the keys.
  for (const key of ["a\ud7ff", "a\ue000", "a\u{10000}"]) await store.set(key, 1);
  assert.deepEqual(await store.keys({ gt: "a\ud800" }), ["a\u{10000}"]);
  assert.deepEqual(await store.keys({ gt: "a\udc00" }), []);
  assert.deepEqual(await store.keys({ gte: "a", lt: "a\ud800", reverse: true }), ["a\ue000", "a\ud7ff"]);
  await release(url);
});

test("a range goes on behind its last record after compactions, in either direction", async () => {
  const url = urlOf(freshPath(".kv"));
  const store = kv(url);
  const keys = Array.from({ length: 3000 }, (_, i) => String(i).padStart(4, "0"));
  await store.setMany(keys.map((key) => [key, 1]));
  const reversed = [...keys].reverse();
  for (const [range, expected] of /** @type {const} */ ([
    [{ limit: 2000 }, keys.slice(0, 2000)],
    [{ limit: 2000, reverse: true }, reversed.slice(0, 2000)],
    [{ gte: "0100", lte: "2900", reverse: true }, reversed.slice(99, 2900)],
  ])) {
    /** @type {string[]} */
    const seen = [];
    for await (const [key] of store.range(range)) {
      seen.push(key);
      // Each of these leaves more than a megabyte of garbage, and so makes a compaction.
      if (seen.length % 600 === 0) for (let i = 0; i < 8; ++i) await store.set("0000", "v".repeat(500_000));
    }
    assert.deepEqual(seen, expected);
  }
  await release(url);
});

test("a loop of calls that are awaited is compacted meanwhile", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const value = "x".repeat(10_000);
  let size = 0;
  let calls = 0;
  for (let before = -1; size > before; ++calls) {
    assert.ok(calls < 20_000, "it was never compacted");
    await store.set("a", value);
    before = size;
    size = statSync(path).size;
  }
  await store.close();
});

test("an iteration that nobody goes on with keeps no more than one old file, and goes on behind its last key", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const keys = Array.from({ length: 2000 }, (_, i) => `key ${String(i).padStart(4, "0")}`);
  for (const key of keys) await store.set(key, "first");
  const iteration = store[Symbol.asyncIterator]();
  const seen = [(await iteration.next()).value];
  const value = "x".repeat(10_000);
  const filesOfLog = () =>
    readdirSync("/proc/self/fd").filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(path);
      } catch {
        return false; // That of the listing itself.
      }
    }).length;
  let most = 0;
  let size = 0;
  for (let compactions = 0, before = -1, calls = 0; compactions < 4; ++calls) {
    assert.ok(calls < 80_000, "it was never compacted");
    await store.set("key 1000", value);
    before = size;
    size = statSync(path).size;
    if (size >= before) continue;
    ++compactions;
    await new Promise((resolve) => setImmediate(resolve));
    most = Math.max(most, filesOfLog());
  }
  for (let next; !(next = await iteration.next()).done;) seen.push(next.value);
  assert.deepEqual(
    seen,
    keys.map((key) => [key, key === "key 1000" ? value : "first"]),
  );
  assert.ok(most <= 2, `${most} files of the log were open`);
  assert.equal(filesOfLog(), 1);
  await store.close();
});

test("a loop of calls that are awaited lets others go on where a flush is due", async () => {
  const store = kv(urlOf(freshPath(".kv")));
  await store.set("a", 1);
  let hasTurned = false;
  setImmediate(() => (hasTurned = true));
  const realNow = performance.now;
  performance.now = () => realNow.call(performance) + 1001;
  try {
    for (let calls = 0; !hasTurned; ++calls) {
      assert.ok(calls < 1_000_000, "nothing else ever ran");
      await store.set("a", calls);
    }
  } finally {
    performance.now = realNow;
  }
  await store.close();
});

test("who was silent for so long that another took the log writes no more, and reads", async () => {
  const path = freshPath(".kv");
  const locks = () => readdirSync(dirname(path)).filter((name) => name.startsWith(`${basename(path)}.lock-`));
  const store = kv(urlOf(path));
  await store.set("a", 1);
  const realNow = performance.now;
  let ahead = 150;
  performance.now = () => realNow.call(performance) + ahead;
  try {
    await store.set("a", 2); // Nobody took it.
    for (const lock of locks()) rmSync(join(dirname(path), lock));
    ahead += 150;
    for (const call of [() => store.set("a", 3), () => store.del("a"), () => store.clear(), () => store.prune()])
      await assert.rejects(call, {
        code: "ERR_CLIENT",
        message: /taken over the lock on \S+\.kv, because .* Nothing was written\. Close the store and open it again/,
      });
    assert.equal(await store.get("a"), 2);
    const bytes = readFileSync(path);
    // What was written before the lock was lost cannot be synced any more, and close() says so.
    await assert.rejects(store.close(), ({ code, message }) => {
      assert.equal(code, "ERR_CLIENT");
      assert.match(message, /taken over the lock/);
      return /may or may not be there/.test(message) && !/Nothing was written/.test(message);
    });
    assert.deepEqual(readFileSync(path), bytes); // It is another's.
  } finally {
    performance.now = realNow;
  }
  const next = kv(urlOf(path));
  assert.equal(await next.get("a"), 2);
  await next.close();
});

test("a file that is damaged, or no log, is ERR_CORRUPT with the place, and is left as it was", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  await store.set("a", "x".repeat(100));
  await store.set("b", "y".repeat(100));
  await store.close();
  const bytes = readFileSync(path);
  bytes[bytes.indexOf("xxx")] ^= 1;
  for (const text of [bytes, Buffer.from("{}")]) {
    writeFileSync(path, text);
    const damaged = kv(urlOf(path));
    await assert.rejects(damaged.get("a"), { code: "ERR_CORRUPT", message: /at offset \d+/ });
    await damaged.close();
    await assert.rejects(damaged.get("a"), { code: "ERR_CLOSED" });
    assert.deepEqual(readFileSync(path), text);
  }
});

test("what is overwritten again and again does not fill the disk", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  const value = "x".repeat(10_000);
  for (let i = 0; i < 2000; ++i) {
    await store.set("key", value);
    if (i % 10 === 0) await new Promise((resolve) => setImmediate(resolve)); // Compaction runs when the loop of events does.
  }
  await store.close();
  assert.ok(statSync(path).size < 5_000_000, `${statSync(path).size}`);
  assert.equal(await store.get("key").catch(() => "closed"), "closed");
  assert.equal(await kv(urlOf(path)).get("key"), value);
  await release(urlOf(path));
});

test("a full disk is ERR_QUOTA, what was acknowledged is there, and what is deleted makes room", async () => {
  const path = freshPath(".kv");
  const program = `
    const store = kv(args[0]);
    const written = {};
    const isSame = async () => {
      const all = await store.all();
      const keys = Object.keys(all);
      return keys.length === Object.keys(written).length && keys.every((key) => all[key] === written[key]);
    };
    let failure;
    for (let i = 10; !failure; ++i) {
      const value = String(i).repeat(2500);
      failure = await store.set("k" + i, value).then(() => (written["k" + i] = value, undefined), ({ code }) => code);
    }
    const outcomes = [failure, await isSame()];
    const keys = Object.keys(written);
    for (const key of keys.slice(0, 10)) {
      await store.del(key);
      delete written[key];
    }
    for (const key of keys.slice(0, 5)) await store.set(key, written[key] = "z".repeat(5000));
    outcomes.push(await isSame());
    await store.close();
    console.log(JSON.stringify([outcomes, written]));`;
  const [outcomes, written] = await runApart("ulimit -f 100", program, urlOf(path));
  assert.deepEqual(outcomes, ["ERR_QUOTA", true, true]);
  assert.ok(Object.keys(written).length > 10);
  assert.deepEqual(await kv(urlOf(path)).all(), written);
  await release(urlOf(path));
});

test("without any room a log can be opened and read still, by one at a time", async () => {
  const path = freshPath(".kv");
  await kv(urlOf(path)).set("a", 1);
  await release(urlOf(path));
  const program = `
    const store = kv(args[0]);
    console.log(JSON.stringify([await store.all(), await store.set("b", 2).catch(({ code }) => code)]));
    await store.close();`;
  assert.deepEqual(await runApart("ulimit -f 0", program, urlOf(path)), [{ a: 1 }, "ERR_QUOTA"]);
  const left = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  assert.deepEqual(left, [basename(path)]);
});

test("where there is no room for the name of a lock it is ERR_QUOTA, and nothing is left", async (t) => {
  const path = freshPath(".kv");
  const { writeFileSync: write } = fs;
  const give = (/** @type {any} */ call) => {
    fs.writeFileSync = call;
    syncBuiltinESMExports();
  };
  t.after(() => give(write));
  give(() => {
    throw Object.assign(new Error("ENOSPC: no space left on device, open"), { code: "ENOSPC" });
  });
  await assert.rejects(
    kv(urlOf(path)).get("a"),
    ({ code, message, cause }) =>
      code === "ERR_QUOTA" && /Make room/.test(message) && /** @type {any} */ (cause).code === "ENOSPC",
  );
  give(write);
  assert.equal(await kv(urlOf(path)).get("a"), null);
  await release(urlOf(path));
});

test("a listing shows what was there when it began", async () => {
  const store = kv(urlOf(freshPath(".kv")));
  for (let i = 0; i < 1000; ++i) await store.set(`${i}`.padStart(4, "0"), "before");
  const seen = [];
  for await (const [key, value] of store) {
    if (seen.length === 0)
      await Promise.all([store.set("0999", "after"), store.set("2000", "after"), store.del("0500")]);
    seen.push([key, value]);
  }
  assert.equal(seen.length, 1000);
  assert.ok(seen.every(([, value]) => value === "before"));
  await store.close();
});

test("a durability is one of two, one for all stores of a log, and not every client has one", async () => {
  const url = urlOf(freshPath(".kv"));
  const code = "ERR_OPTIONS";
  const certain = { durability: /** @type {any} */ ("certain") };
  const neither = { code, message: 'durability is "certain"; it must be "strict" or "relaxed".' };
  for (const client of [url, new Map(), Promise.resolve(url)]) assert.throws(() => kv(client, certain), neither);
  const store = kv(url, { durability: "strict" });
  assert.throws(() => kv(url, { durability: "relaxed" }), {
    code,
    message: 'This LOG is already open with durability "strict". Pass the same durability, or close its stores first.',
  });
  assert.equal(await kv(url).set("a", 1), "a");
  assert.throws(() => kv(new Map(), { durability: "strict" }), {
    code,
    message: "The option durability does not apply to MEMORY. Leave it out.",
  });
  await store.close();
});

test("C++ reads what we write, and we what it writes", async () => {
  const path = freshPath(".kv");
  const program = resolve("build/debug/native-tests/polystore_log");
  assert.ok(existsSync(program));
  const store = kv(urlOf(path));
  await store.set("ключ 🔑", { deep: [1, "two", null] });
  await store.set("lives", true, { expires: "1h" });
  await store.set("gone", 1, { expires: 0.001 });
  await store.close();
  const output = execFileSync(program, [path, "from", "C++"], { encoding: "utf8" });
  assert.deepEqual(JSON.parse(output), { "ключ 🔑": { deep: [1, "two", null] }, lives: true });
  assert.equal(await kv(urlOf(path)).get("from"), "C++");
  await release(urlOf(path));
});

test("what is not a file is refused and stays", async () => {
  const [pipe, folder] = [freshPath(".kv"), freshPath(".kv")];
  execFileSync("mkfifo", [pipe]);
  fs.mkdirSync(folder);
  for (const path of [pipe, folder]) {
    await assert.rejects(kv(urlOf(path)).set("a", 1), { code: "ERR_CLIENT", message: /is not a regular file/ });
  }
  assert.ok(statSync(pipe).isFIFO());
});

test("compaction leaves the file to whom it belongs", async () => {
  const path = freshPath(".kv");
  const store = kv(urlOf(path));
  await store.set("a", 1);
  // Only root gives files away.
  if (process.getuid?.() === 0) fs.chownSync(path, 12_345, 54_321);
  const before = statSync(path);
  while (statSync(path).ino === before.ino) {
    await store.set("same", "x".repeat(10_000));
    await new Promise(setImmediate); // Compaction waits for its turn.
  }
  const { uid, gid } = statSync(path);
  assert.deepEqual([uid, gid], [before.uid, before.gid]);
  await store.close();
});

test("of several commits one that expects a damaged record fails alone", async () => {
  const path = freshPath(".kv");
  const client = /** @type {any} */ (await openLog(urlOf(path), "relaxed"));
  const text = "x".repeat(100_000); // The engine keeps shorter values of such a small file in memory.
  const changes = ["a", "b"].map((id) => ({ id, value: id + text, expires: null }));
  await client.commit([{ expected: [], changes }], 0);
  const [a, b] = ["a", "b"].map((id) => client.read(id));
  const file = fs.openSync(path, "r+");
  fs.writeSync(file, "y", readFileSync(path).indexOf(`"${changes[0].value}`) + 50_000);
  fs.closeSync(file);
  const outcomes = await client.commit(
    [
      { expected: [{ id: "b", found: b }], changes: [{ id: "b" }] },
      { expected: [{ id: "a", found: a }], changes: [{ id: "a" }] },
      { expected: [{ id: "c", found: null }], changes: [{ id: "c", value: 1, expires: null }] },
    ],
    0,
  );
  assert.deepEqual(
    outcomes.map((/** @type {any} */ outcome) => (typeof outcome === "object" ? outcome.error.code : outcome)),
    [true, "ERR_CORRUPT", true],
  );
  assert.deepEqual([client.read("b"), client.read("c").value], [undefined, 1]);
  await client.close();
});

test("a log that can only be read refuses each commit that would change it, and removes nothing that has expired", async () => {
  const url = urlOf(freshPath(".kv"));
  const store = kv(url);
  await store.set("a", 1);
  await store.set("expired", 2, { expires: 0.001 });
  await store.close();
  const program = `
    import { openLog } from ${JSON.stringify(new URL("../../js/clients/log/log.js", import.meta.url))};
    const client = await openLog(${JSON.stringify(url)}, "relaxed");
    const outcomes = [];
    for (const [id, changes] of [
      ["expired", [{ id: "expired" }]],
      ["expired", [{ id: "expired", value: 3, expires: null }]],
      ["a", [{ id: "a" }]],
      ["missing", [{ id: "missing", value: 1, expires: null }]],
    ]) {
      const found = client.read(id) ?? null;
      outcomes.push(...(await client.commit([{ expected: [{ id, found }], changes }], 0).catch(({ code }) => [code])));
    }
    console.log(JSON.stringify(outcomes));`;
  const flags = ["--experimental-permission", "--allow-fs-read=*", "--input-type=module", "-e", program];
  const output = execFileSync(process.execPath, flags, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  assert.deepEqual(JSON.parse(output), [false, "ERR_CLIENT", "ERR_CLIENT", "ERR_CLIENT"]);
});

test("a watcher of a log hears all that there is to hear, and the expiry of what an earlier process has left", async () => {
  const url = urlOf(freshPath(".kv"));
  const earlier = kv(url);
  await earlier.set("old", 1, { expires: "2s" }); // Late enough for the watcher to be ready, on a slow machine too.
  await earlier.close();
  const store = kv(url);
  const watcher = store.watch({ lt: "z" }, { reach: "storage" });
  await watcher.ready;
  assert.equal(watcher.reach, "storage");
  const changes = watcher[Symbol.asyncIterator]();
  const keepsAlive = setInterval(() => {}, 1000);
  assert.deepEqual((await changes.next()).value, { type: "expire", key: "old" });
  clearInterval(keepsAlive);
  await store.close();
});
