// What a log in the browser's private file system makes of files that fail, and of a `current` that is damaged: it destroys nothing.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Engine } from "../../js/engine/engine.js";
import { OpfsFiles } from "../../js/clients/opfs/opfs_files.js";
import { FaultyFolder } from "../support/access_handles.js";

Object.defineProperty(globalThis, "navigator", {
  value: { storage: { estimate: async () => ({ quota: 1e9, usage: 0 }) } },
  configurable: true,
});

/** A log that is open; what was changed, and what was flushed then, a count of changes each. */
class Log {
  #files;
  #engine;

  /** @param {FaultyFolder} folder */
  static async open(folder) {
    const files = await OpfsFiles.open(/** @type {any} */ (folder), "log");
    try {
      return new Log(files, new Engine(files, "log"));
    } catch (error) {
      files.end();
      throw error;
    }
  }

  /** @param {OpfsFiles} files @param {Engine} engine */
  constructor(files, engine) {
    this.#files = files;
    this.#engine = engine;
  }

  /** @param {number} number */
  set(number) {
    this.#engine.put(`${number}`, "true", null);
    this.#engine.put("last", `${number}`, null);
    this.#engine.apply();
  }

  flush() {
    this.#engine.flush();
  }

  compact() {
    for (;;) {
      const { more, file } = this.#engine.compact(100);
      if (!more) return;
      if (file === undefined) continue;
      try {
        this.#files.sync(file);
      } catch (error) {
        this.#engine.abandonCompaction();
        throw error;
      }
    }
  }

  /** How many numbers from 0 on are there, which is all that are. */
  get count() {
    const count = Number(this.#engine.getText("last") ?? -1) + 1;
    for (let i = 0; i < count; ++i) assert.equal(this.#engine.getText(`${i}`), "true", `${i} of ${count}`);
    return count;
  }

  close() {
    this.#engine.close();
    this.#files.end();
  }
}

/** @param {FaultyFolder} folder */
async function countIn(folder) {
  const log = await Log.open(folder);
  try {
    return log.count;
  } finally {
    log.close();
  }
}

/** A log of so many numbers. @param {number} count */
async function told(count) {
  const folder = new FaultyFolder();
  const log = await Log.open(folder);
  for (let i = 0; i < count; ++i) log.set(i);
  log.flush();
  log.close();
  return folder;
}

const sizes = (/** @type {FaultyFolder} */ folder) => ["0.kv", "1.kv"].map((name) => folder.bytes(name).length);
const text = (/** @type {FaultyFolder} */ folder, /** @type {string} */ name) =>
  Buffer.from(folder.bytes(name)).toString();

/**
 * Sets numbers, flushes, compacts, closes and opens, whatever fails; says how many numbers were set, and flushed.
 * @param {FaultyFolder} folder
 */
async function story(folder) {
  let set = 0;
  let flushed = 0;
  const attempt = (/** @type {() => void} */ action) => {
    try {
      action();
      return true;
    } catch {
      return false; // It is injected.
    }
  };
  for (let part = 0; part < 2; ++part) {
    const log = await Log.open(folder).catch(() => null);
    for (let i = 0; log && i < 6; ++i) {
      if (attempt(() => log.set(set))) ++set;
      if (i % 2 === 1 && attempt(() => log.flush())) flushed = set;
      if (i % 3 === 1) attempt(() => log.compact());
    }
    log?.close();
  }
  return { set, flushed };
}

for (const isForGood of [false, true]) {
  for (const keepsWrites of [false, true]) {
    for (const power of ["stays", "is lost", "is lost after the next open"]) {
      const title = `every call in turn fails ${isForGood ? "from then on" : "once"}, a write ${keepsWrites ? "when it is made" : "before"}, and the power ${power}`;
      test(`${title}: what was acknowledged is there`, async () => {
        let calls = 0;
        for (let hasFailed = true; hasFailed; ++calls) {
          const folder = new FaultyFolder();
          folder.failAfter(calls, { isForGood, keepsWrites });
          const { set, flushed } = await story(folder);
          ({ hasFailed } = folder);
          folder.failNoMore();
          if (power === "is lost") folder.losePower();
          const expected = power === "is lost" ? flushed : set;
          const log = await Log.open(folder);
          // A change whose acknowledgement failed may be there.
          assert.ok(
            log.count === expected || (log.count > expected && log.count <= 12),
            `call ${calls}: ${log.count} of ${expected}`,
          );
          let next = log.count;
          if (power === "is lost after the next open") {
            folder.losePower();
            next = flushed;
          } else {
            log.set(next);
            log.compact();
            log.set(++next);
            log.flush();
            folder.losePower();
            ++next;
          }
          log.close();
          const left = await countIn(folder);
          assert.ok(left >= next, `call ${calls}: ${left} of ${next} after the next open`);
        }
        assert.ok(calls > 60, `${calls}`);
      });
    }
  }
}

/** A log of a header and four numbers, and one of five, as a compaction has them both that ends before the old one is empty. */
async function twoLogs() {
  const [old, compacted] = [await told(4), await told(5)];
  old.put("1.kv", compacted.bytes("0.kv"));
  return old;
}

test("a flush of `current` that fails when a log takes its place leaves both, and writes no more", async () => {
  const folder = await told(5);
  const log = await Log.open(folder);
  let calls = 0;
  // The last flush of a compaction is that of `current`.
  for (; text(folder, "current") === "0" && calls < 100; ++calls) {
    folder.failAfter(calls, { keepsWrites: true });
    assert.throws(() => log.compact(), /Injected/, `call ${calls}`);
  }
  folder.failNoMore();
  assert.throws(() => log.set(5), { code: "ERR_CLIENT", message: /Injected.*open it again/ });
  assert.equal(log.count, 5);
  log.close();
  assert.ok(Math.min(...sizes(folder)) > 24, `${sizes(folder)}`);
  assert.equal(await countIn(folder), 5);
});

test("what a compaction left that ended halfway is removed", async () => {
  for (const current of ["0", "1"]) {
    const folder = await twoLogs();
    folder.put("current", Buffer.from(current));
    assert.equal(await countIn(folder), current === "0" ? 4 : 5);
    assert.deepEqual(sizes(folder).map(Boolean), [current === "0", current === "1"]);
  }
});

test("where `current` is lost or damaged, the only file that has anything is the log, and is named again", async () => {
  for (const current of ["", "2", "x", "\xff"]) {
    for (const name of ["0.kv", "1.kv"]) {
      const folder = new FaultyFolder();
      folder.put(name, (await told(5)).bytes("0.kv"));
      folder.put("current", Buffer.from(current, "latin1"));
      const log = await Log.open(folder);
      assert.equal(log.count, 5, `${name} with ${current}`);
      log.compact();
      log.set(5);
      log.close();
      assert.equal(await countIn(folder), 6);
      assert.equal(text(folder, "current"), name === "0.kv" ? "1" : "0");
    }
  }
});

test("a crash while the first log is made leaves nothing that keeps it from being made", async () => {
  const { length } = (await told(0)).bytes("0.kv");
  for (let size = 0; size <= length; ++size) {
    for (const current of ["", "0", "1"]) {
      const folder = new FaultyFolder();
      folder.put("0.kv", new Uint8Array(current === "0" ? 0 : size));
      folder.put("current", Buffer.from(current));
      assert.equal(await countIn(folder), 0);
    }
  }
});

test("if it cannot be determined which file is the log, the error is ERR_CORRUPT with the sizes found, and the files stay", async () => {
  const both = await twoLogs();
  const [old, compacted] = ["0.kv", "1.kv"].map((name) => both.bytes(name));
  const none = new Uint8Array(0);
  const header = old.slice(0, 24);
  const cases = [
    { current: "", logs: [old, compacted] },
    { current: "2", logs: [old, compacted] },
    { current: "", logs: [header, compacted] },
    { current: "1", logs: [old, none] },
    { current: "0", logs: [none, old] },
    { current: "0", logs: [old.slice(0, 10), compacted] },
  ];
  for (const { current, logs } of cases) {
    const folder = new FaultyFolder();
    folder.put("current", Buffer.from(current));
    for (const [i, bytes] of logs.entries()) folder.put(`${i}.kv`, bytes);
    const [first, second] = logs.map(({ length }) => length);
    const message = `In the folder "log" of a log, 0.kv has ${first} bytes, 1.kv has ${second}, and current contains "${current}": it cannot be determined which file is the log. The files were left unchanged. To use one of them, remove the other one and current.`;
    await assert.rejects(Log.open(folder), { code: "ERR_CORRUPT", message });
    for (const [i, bytes] of logs.entries()) assert.deepEqual(folder.bytes(`${i}.kv`), bytes);
    assert.equal(text(folder, "current"), current);
  }

  const folder = await twoLogs();
  folder.put("current", none);
  folder.put("0.kv", none);
  assert.equal(await countIn(folder), 5);
});
