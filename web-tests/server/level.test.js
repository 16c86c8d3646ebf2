import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { Level } from "level";
import { MemoryLevel } from "memory-level";
import { MemoryLevel as MemoryLevelOf8 } from "memory-level1";
import { MemoryLevel as MemoryLevelOf9 } from "memory-level2";
import upstream from "polystore";
import kv from "polystore-wasm";
import { level } from "../contract/clients/level.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";

const folder = mkdtempSync(join(tmpdir(), "polystore-level-"));
after(() => rmSync(folder, { recursive: true }));
let databases = 0;
const open = () => new Level(join(folder, `${++databases}`), { valueEncoding: "json" });
const reopen = async (/** @type {any} */ database) => {
  await database.close();
  return new Level(database.location, { valueEncoding: "json" });
};

testContract(level(kv, "Level on disk", open, reopen));
// In memory, what is closed is gone; so it is opened again, which keeps its data.
const same = (/** @type {any} */ database) => database;
testContract(level(kv, "Level in memory", () => new MemoryLevel(), same));
testContract(level(kv, "Level in memory, of the generation of level 8", () => new MemoryLevelOf8(), same));
testContract(level(kv, "Level in memory, of the generation of level 9", () => new MemoryLevelOf9(), same));
testContract(
  level(
    kv,
    "Level, a sublevel whose values are JSON",
    () => new MemoryLevel().sublevel("s:", { valueEncoding: "json" }),
    same,
  ),
);

for (const [name, open] of Object.entries({
  "on disk": () => new Level(join(folder, `${++databases}`), { valueEncoding: "json" }),
  "in memory": () => new MemoryLevel({ valueEncoding: "json" }),
})) {
  test(`${name}: polystore reads what we write`, () => checkOneWay(kv, upstream, open()));
  test(`${name}: we read what polystore writes`, () => checkOneWay(upstream, kv, open()));
  test(`${name}: polystore sees our expiry`, () => checkExpiry(kv, upstream, open()));
  test(`${name}: we see polystore's expiry`, () => checkExpiry(upstream, kv, open()));
}

/**
 * A database that counts its calls.
 * @param {string[]} calls
 */
function counting(calls) {
  const database = /** @type {any} */ (new MemoryLevel());
  for (const name of ["getMany", "batch", "iterator", "get", "put", "del"]) {
    const method = database[name].bind(database);
    database[name] = (/** @type {any[]} */ ...args) => {
      calls.push(name);
      return method(...args);
    };
  }
  return database;
}

test("the first call of a tick is sent at once, and the others are one batch or one getMany", async () => {
  /** @type {string[]} */
  const calls = [];
  const store = kv(counting(calls));
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await store.set("first", 1);
  calls.length = 0;
  await Promise.all(keys.map((key) => store.set(key, key)));
  await Promise.all(keys.map(store.get));
  assert.deepEqual(calls, ["put", "batch", "get", "getMany"]);
});

test("a prefix is read as a range, also at the ends of what keys can be", async () => {
  const store = kv(new MemoryLevel());
  const keys = ["a", "a\u{ffff}", "a\u{ffff}x", "a\u{10ffff}", "a\u{10ffff}x", "b", "ab"];
  for (const key of keys) await store.set(key, key);
  assert.deepEqual((await store.prefix("a\u{ffff}").keys()).sort(), ["", "x"]);
  assert.deepEqual((await store.prefix("a\u{10ffff}").keys()).sort(), ["", "x"]);
  assert.equal((await store.prefix("a").keys()).length, 6);
});

test("a prefix may end within a surrogate pair", async () => {
  const store = kv(new MemoryLevel());
  for (const key of ["a", "a\u{1f5ff}", "a\u{1f600}", "a\u{1f601}x", "a\u{10ffff}", "a\u{ffff}"])
    await store.set(key, key);
  assert.deepEqual(await store.prefix("a\ud83d").keys(), ["\uddff", "\ude00", "\ude01x"]);
  assert.deepEqual(await store.prefix("a\udbff").keys(), ["\udfff"]);
  assert.deepEqual(await store.prefix("a\udc00").keys(), []);
  assert.deepEqual(await store.prefix("\ud83da").keys(), []);
});

test("a listing reads nothing that lies after its prefix", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  const store = kv(database);
  for (const key of ["a", "b1", "b2", "c", "d"]) await store.set(key, 1);
  let entries = 0;
  const iterator = database.iterator.bind(database);
  database.iterator = (/** @type {any} */ options) => {
    const made = iterator(options);
    const nextv = made.nextv.bind(made);
    made.nextv = async (/** @type {number} */ length) => {
      const page = await nextv(length);
      entries += page.length;
      return page;
    };
    return made;
  };
  assert.deepEqual(await store.prefix("b").keys(), ["1", "2"]);
  assert.equal(entries, 2);
});

test("two objects of one sublevel: an eviction spares what the other has just written", async (context) => {
  const database = new MemoryLevel();
  const [reader, writer] = [kv(database.sublevel("a")), kv(database.sublevel("a"))];
  await writer.set("other", 1);
  await reader.set("key", "old", { expires: 1 });
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 2000 });
  // For every moment of the eviction at which the other may write.
  for (let ticks = 0; ticks < 40; ++ticks) {
    context.mock.timers.setTime(Date.now() + 2000);
    const read = reader.get("key");
    for (let i = 0; i < ticks; ++i) await undefined;
    await Promise.all([read, writer.set("key", ticks, { expires: 1 })]);
    assert.equal(await writer.get("key"), ticks, `after ${ticks} ticks`);
  }
});

test("a database and its sublevel share one order of calls", async () => {
  const database = new MemoryLevel();
  const [root, sublevel] = [kv(database), kv(database.sublevel("a"))];
  await Promise.all([root.has("k"), sublevel.has("k")]); // They are open from here on.
  const calls = [root.set("!a!k", 1), sublevel.set("k", 2), root.get("!a!k"), root.set("!a!k", 3), sublevel.get("k")];
  const [, , second, , third] = await Promise.all(calls);
  assert.deepEqual([second, third], [2, 3]);
});

test("a write that a hook refuses fails alone", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  database.hooks.prewrite.add((/** @type {any} */ { key }) => {
    if (key === "refused") throw new Error("refused");
  });
  const store = kv(database);
  await store.set("refused", 1).catch(() => {});
  const calls = [store.set("a", 1), store.set("refused", 2), store.get("refused"), store.get("a"), store.set("b", 3)];
  const [, refused, absent, present] = await Promise.allSettled(calls);
  assert.equal(/** @type {any} */ (refused).reason?.code, "ERR_CLIENT");
  assert.deepEqual(
    [absent, present].map((/** @type {any} */ { value }) => value),
    [null, 1],
  );
  assert.deepEqual(await store.all(), { a: 1, b: 3 });
});

test("a listing comes between what was called before it and what was called after", async () => {
  const database = new MemoryLevel();
  const store = kv(database);
  const [, before, , after] = await Promise.all([store.set("a", 1), store.all(), store.set("b", 2), store.all()]);
  assert.deepEqual([before, after], [{ a: 1 }, { a: 1, b: 2 }]);
});

test("the later calls of one tick on a key are one batch, with the reads between them and what is evicted", async (context) => {
  /** @type {string[]} */
  const calls = [];
  const store = kv(counting(calls));
  await store.set("stale", 1, { expires: 1 });
  context.mock.timers.enable({ apis: ["Date"], now: Date.now() + 2000 });
  assert.equal(await store.get("stale"), null);
  calls.length = 0;
  const results = await Promise.all([
    store.set("a", 1),
    store.get("a"),
    store.set("a", 2),
    store.get("a"),
    store.del("a"),
    store.get("a"),
    store.set("b", 1),
  ]);
  assert.deepEqual(results, ["a", 1, "a", 2, "a", null, "b"]);
  // The first call is sent at once, and so is the only one on another key.
  assert.deepEqual(calls, ["put", "put", "getMany", "batch"]);
});

test("a single write is no batch, which would take twice the time", async () => {
  /** @type {string[]} */
  const calls = [];
  const store = kv(counting(calls));
  await store.set("a", 1);
  await store.del("a");
  assert.deepEqual(calls, ["put", "del"]);
});

test("a call that is never answered holds up the calls on its key only, in the database and its sublevels", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  const [store, sub] = [kv(database), kv(database.sublevel("s"))];
  await Promise.all([store.set("b", 0), sub.set("b", 0)]);
  const { put } = database;
  /** @type {((value?: unknown) => void)[]} */
  const held = [];
  database.put = async (/** @type {any[]} */ ...args) => {
    if (args[0] === "!s!a") await new Promise((resolve) => held.push(resolve));
    return put.apply(database, args);
  };
  const first = store.set("!s!a", '"written past the sublevel"');
  await new Promise((resolve) => setImmediate(resolve)); // The calls of one tick are one batch.
  const later = [sub.set("a", 2), sub.get("a"), sub.keys()];
  assert.deepEqual(await Promise.all([sub.set("b", 1), sub.get("b"), store.get("b")]), ["b", 1, 0]);
  await store.set("c", 1);
  assert.equal(held.length, 1);
  held[0]();
  assert.deepEqual(await Promise.all(later), ["a", 2, ["a", "b"]]);
  await first;
});

test("clear() spares what other code has just written anew, and nothing else", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  const store = kv(database);
  await Promise.all(Array.from({ length: 200 }, (_, i) => store.set(`k${i}`, i)));
  const iterator = database.iterator.bind(database);
  database.iterator = (/** @type {any} */ options) => {
    database.iterator = iterator;
    const made = iterator(options);
    const nextv = made.nextv.bind(made);
    made.nextv = async (/** @type {number} */ length) => {
      const page = await nextv(length);
      await database.put("k7", '{"expires":null,"value":"new"}');
      return page;
    };
    return made;
  };
  await store.clear();
  assert.deepEqual(await store.all(), { k7: "new" });
});

/**
 * Holds up the next call of a method of a database.
 * @param {any} database
 * @param {"put" | "del"} method
 * @returns {() => void} Lets it go on.
 */
function holdNext(database, method) {
  const original = database[method];
  let goOn = () => {};
  const held = new Promise((resolve) => (goOn = () => resolve(undefined)));
  database[method] = async (/** @type {any[]} */ ...args) => {
    database[method] = original;
    await held;
    return original.apply(database, args);
  };
  return goOn;
}

test("a call that is not answered in the store's timeout is ERR_CLIENT; only later writes on its key wait, and it does not replace them", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  const [store, patient] = ["50ms", "10s"].map((timeout) => kv(database, { timeout }));
  await patient.set("a", 1);
  const goOn = holdNext(database, "put");
  await assert.rejects(store.set("a", 2), { code: "ERR_CLIENT", message: /the store's timeout/ });
  await patient.set("b", 2);
  assert.deepEqual(await patient.all(), { a: 1, b: 2 });
  const second = patient.set("a", 3);
  await patient.set("b", 4);
  goOn();
  await second;
  assert.deepEqual(await patient.all(), { a: 3, b: 4 });
});

test("an expired record that is not removed in the store's timeout is absent, and is not removed later than a write on its key", async () => {
  const database = /** @type {any} */ (new MemoryLevel());
  const [store, patient] = ["50ms", "10s"].map((timeout) => kv(database, { timeout }));
  await patient.set("b", 1);
  await database.put("a", '{"expires":1,"value":1}');
  const goOn = holdNext(database, "del");
  assert.equal(await store.get("a"), null);
  assert.equal(await store.get("a"), null);
  const writing = patient.set("a", 2);
  assert.deepEqual(await patient.prefix("b").all(), { "": 1 });
  goOn();
  await writing;
  assert.deepEqual(await patient.all(), { a: 2, b: 1 });
});

test("a database that another holds is an error until it is let go", async () => {
  const location = join(folder, `${++databases}`);
  const holder = new Level(location);
  await holder.open();
  const store = kv(new Level(location));
  await assert.rejects(store.get("a"), (/** @type {any} */ error) => {
    assert.equal(error.code, "ERR_CLIENT");
    assert.match(JSON.stringify(causesOf(error)), /LEVEL_LOCKED/);
    return true;
  });
  await holder.close();
  await store.set("a", 1);
  assert.equal(await store.get("a"), 1);
  await store.close();
});

/** @param {any} error @returns {string[]} */
const causesOf = (error) => (error ? [error.code, ...causesOf(error.cause)] : []);

test("keys and values of every kind of text come back, whatever encodings the user chose", async () => {
  for (const encoding of ["utf8", "json", "buffer", "view", "hex"]) {
    const database = /** @type {any} */ (new MemoryLevel({ keyEncoding: encoding, valueEncoding: encoding }));
    const store = kv(database);
    const keys = ["", "\0", "k".repeat(10000), "\u{1f600}", "ä"];
    for (const key of keys) await store.set(key, { text: "\0\ud800 \u{1f600}", key });
    for (const key of keys) assert.deepEqual(await store.get(key), { text: "\0\ud800 \u{1f600}", key }, encoding);
    assert.deepEqual((await store.keys()).sort(), [...keys].sort());
    const buffers = { keyEncoding: "buffer", valueEncoding: "buffer" };
    await database.put(Buffer.from([0xff, 0xfe]), Buffer.from([0xff, 0x00]), buffers);
    assert.equal((await store.keys()).length, keys.length);
    await store.clear();
    assert.deepEqual(await database.get(Buffer.from([0xff, 0xfe]), buffers), Buffer.from([0xff, 0x00]));
    assert.deepEqual(await store.keys(), []);
  }
});

test("a key that begins with a byte order mark is one of its own, also where keys are kept as views", async () => {
  for (const storeEncoding of /** @type {const} */ (["view", "buffer", "utf8"])) {
    const store = kv(new MemoryLevel({ storeEncoding }));
    await store.set("a", 1);
    await store.set("\ufeffa", 2);
    assert.deepEqual(await store.all(), { a: 1, "\ufeffa": 2 }, storeEncoding);
    await store.prefix("\ufeff").clear();
    assert.deepEqual(await store.all(), { a: 1 }, storeEncoding);
  }
});

test("a database of levelup is refused, in words", async () => {
  const levelup = Object.fromEntries(
    ["open", "close", "get", "put", "del", "batch", "iterator", "clear"].map((name) => [name, async () => {}]),
  );
  await assert.rejects(kv(/** @type {any} */ (levelup)).get("a"), { code: "ERR_CLIENT", message: /levelup/ });
});

test("leaving an iteration lets go of the database", async () => {
  const database = new MemoryLevel();
  const store = kv(database);
  for (let i = 0; i < 10; ++i) await store.set(`k${i}`, i);
  for await (const [key] of store) if (key) break;
  await store.close(); // Which would wait for an iterator that is open.
  assert.equal(database.status, "closed");
});

test("a database that the user closes is an error until he opens it again", async () => {
  const database = new Level(join(folder, `${++databases}`));
  const store = kv(database);
  await store.set("a", 1);
  await database.close();
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
  await database.open();
  assert.equal(await store.get("a"), 1);
});

test("a client of the user's own with the methods of Level is not taken for it", () => {
  const own = Object.fromEntries(
    ["get", "set", "put", "del", "batch", "getMany", "iterator"].map((name) => [name, () => {}]),
  );
  assert.equal(kv(/** @type {any} */ (own)).type, "UNKNOWN");
});
