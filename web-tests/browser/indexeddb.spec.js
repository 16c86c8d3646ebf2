// What is true of IndexedDB beyond the contract: transactions, connections that are lost, and databases of others.

import { fileURLToPath } from "node:url";
import { expect } from "@playwright/test";
import { build } from "esbuild";
import { serve } from "../support/server.js";
import { test as base } from "./page.js";

/** `tab`, where no database is left of other tests, and a second one of the same origin. */
const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ other: import("@playwright/test").Page }, {}, { tab: import("@playwright/test").Page }, import("../support/browser.js").WorkerFixtures>} */ ({
    tab: async ({ tab }, use) => {
      await tab.evaluate(async () => {
        for (const { name } of await indexedDB.databases()) {
          await new Promise((resolve, reject) => {
            const deleting = indexedDB.deleteDatabase(/** @type {string} */ (name));
            deleting.onsuccess = resolve;
            deleting.onerror = reject;
          });
        }
      });
      await use(tab);
    },
    other: async ({ chromiumContext, server }, use) => {
      const other = await chromiumContext.newPage();
      await other.goto(`${server.origin}/web-tests/browser/empty.html`);
      await use(other);
      await other.close();
    },
  }),
);

/**
 * Deletes a database, in the page in which it is evaluated.
 * @param {string} name
 * @returns {Promise<string>} What happened first.
 */
function deleteDatabase(name) {
  return new Promise((resolve, reject) => {
    const deleting = indexedDB.deleteDatabase(name);
    deleting.onblocked = () => resolve("blocked");
    deleting.onsuccess = () => resolve("deleted");
    deleting.onerror = () => reject(deleting.error);
  });
}

/**
 * Makes a database as other code would, in the page in which it is evaluated, and leaves the connection on its window.
 * @param {{ name: string, stores: string[], version?: number }} description
 */
function makeDatabase({ name, stores, version }) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(name, version);
    opening.onupgradeneeded = () => {
      for (const store of stores) opening.result.createObjectStore(store).put("theirs", "key");
    };
    opening.onsuccess = () => {
      Object.assign(window, { connection: opening.result });
      resolve(undefined);
    };
    opening.onerror = () => reject(opening.error);
    opening.onblocked = () => reject(new Error("blocked"));
  });
}

/** Closes what `makeDatabase` has left open. */
function closeDatabase() {
  /** @type {any} */ (window).connection.close();
}

test("each write is as durable as the option says, and relaxed where it says nothing", async ({ tab }) => {
  const durabilities = await tab.evaluate(async () => {
    /** @type {string[]} */
    let begun = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      const made = transaction.apply(this, args);
      if (made.mode === "readwrite") begun.push(made.durability);
      return made;
    };
    const made = async (/** @type {any} */ options) => {
      const store = window.kv("indexeddb:durability", options);
      await Promise.all([store.set("a", 1), store.get("a")]);
      await store.del("a");
      await store.clear();
      await store.close();
      return begun.splice(0);
    };
    return {
      nothing: await made(undefined),
      relaxed: await made({ durability: "relaxed" }),
      strict: await made({ durability: "strict" }),
    };
  });
  const three = (/** @type {string} */ durability) => [durability, durability, durability];
  expect(durabilities).toEqual({ nothing: three("relaxed"), relaxed: three("relaxed"), strict: three("strict") });
});

test("it is loaded when it is used; kv(indexedDB) is a database named polystore", async ({ tab, server }) => {
  const path = "/dist/clients/indexeddb/indexeddb.js";
  expect(server.requests.slice(server.requests.lastIndexOf("/dist/index.js"))).not.toContain(path);
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const [one, two] = [kv(indexedDB), kv("indexeddb:polystore")];
    await one.set("a", 1);
    await kv("indexeddb:other").set("b", 2);
    const names = (await indexedDB.databases()).map(({ name }) => name).sort();
    return [one.type, two.type, await two.all(), names];
  });
  expect(result).toEqual(["INDEXEDDB", "INDEXEDDB", { a: 1 }, ["other", "polystore"]]);
  expect(server.requests).toContain(path);
});

test("a factory of another window keeps its data where that window has it", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const frame = document.body.appendChild(document.createElement("iframe"));
    const theirs = /** @type {any} */ (frame.contentWindow).indexedDB;
    let opened = 0;
    const { open } = theirs;
    theirs.open = (/** @type {any[]} */ ...args) => (++opened, open.apply(theirs, args));
    await kv(theirs).set("a", 1);
    return [opened, await kv(indexedDB).all()];
  });
  expect(result).toEqual([1, { a: 1 }]);
});

test("a database without a name is an error at once, and so is what only looks like one", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const codes = [];
    for (const input of ["indexeddb:", "indexeddb", "IndexedDB:a", { deleteDatabase() {} }]) {
      try {
        kv(/** @type {any} */ (input));
        codes.push(`${input} was wrapped`);
      } catch (error) {
        const { code, message } = /** @type {any} */ (error);
        codes.push([code, message.includes('"indexeddb:name"')]);
      }
    }
    const own = new Map();
    const client = { get: own.get.bind(own), set: own.set.bind(own), open() {}, deleteDatabase() {} };
    return [...codes, kv(client).type];
  });
  const refused = ["ERR_CLIENT", true];
  expect(result).toEqual([refused, refused, refused, refused, "UNKNOWN"]);
});

test("1,000 calls at once, a listing of 1,000 and a clear() cost a few transactions", async ({ tab }) => {
  const counts = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:counting");
    await store.get("a");
    let transactions = 0;
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      ++transactions;
      return transaction.apply(this, args);
    };
    const cost = async (/** @type {() => Promise<any>} */ action) => {
      const before = transactions;
      const result = await action();
      return [result?.length, transactions - before];
    };
    const keys = Array.from({ length: 1000 }, (_, i) => `key ${i}`);
    return {
      set: await cost(() => Promise.all(keys.map((key, i) => store.set(key, i)))),
      get: await cost(() => Promise.all(keys.map(store.get))),
      mixed: await cost(() => Promise.all([store.set("a", 1), store.get("a"), store.del("a"), store.has("a")])),
      entries: await cost(() => store.entries()),
      prefix: await cost(() => store.prefix("key 99").keys()),
      clear: await cost(() => store.clear()),
    };
  });
  expect(counts).toEqual({
    set: [1000, 1],
    get: [1000, 1],
    mixed: [4, 1],
    entries: [1000, 4],
    prefix: [11, 1],
    clear: [undefined, 1],
  });
});

test("an iteration fetches a page when its turn comes, and more at once where the records before were small", async ({
  tab,
}) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:pages");
    await Promise.all(Array.from({ length: 2500 }, (_, i) => store.set(String(i).padStart(4, "0"), i)));
    /** @type {number[]} */
    const pages = [];
    const { getAll } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.getAll = function (...args) {
      const request = getAll.apply(this, args);
      request.addEventListener("success", () => pages.push(request.result.length));
      return request;
    };
    const seen = [];
    let first;
    for await (const [key] of store) {
      first ??= [...pages];
      seen.push(key);
    }
    return { first, pages, count: seen.length, last: seen.at(-1) };
  });
  expect(result).toEqual({ first: [32], pages: [32, 128, 512, 1000, 828], count: 2500, last: "2499" });
});

test("a page of an iteration has few records where those before were large", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:large");
    await Promise.all(Array.from({ length: 40 }, (_, i) => store.set(`key ${i}`, { text: "v".repeat(300_000) })));
    /** @type {number[]} */
    const pages = [];
    const { getAll } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.getAll = function (...args) {
      const request = getAll.apply(this, args);
      request.addEventListener("success", () => pages.push(request.result.length));
      return request;
    };
    let count = 0;
    for await (const [, value] of store) count += value.text.length === 300_000 ? 1 : 0;
    return { pages, count };
  });
  expect(result).toEqual({ pages: [32, 3, 3, 2], count: 40 });
});

test("a range reads no more records than its bounds and its limit ask for", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:bounded").prefix("p:");
    const keys = Array.from({ length: 2500 }, (_, i) => String(i).padStart(4, "0"));
    await store.setMany(keys.map((key) => [key, key]));
    let read = 0;
    const { getAll } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.getAll = function (...args) {
      const request = getAll.apply(this, args);
      request.addEventListener("success", () => (read += request.result.length));
      return request;
    };
    const cost = async (/** @type {any} */ range) => {
      read = 0;
      const listed = await store.keys(range);
      return [listed.length, listed[0], listed.at(-1), read];
    };
    return {
      first: await cost({ limit: 100 }),
      last: await cost({ limit: 100, reverse: true }),
      one: await cost({ limit: 1, reverse: true }),
      few: await cost({ gte: "1000", lt: "1010" }),
      fewest: await cost({ gt: "1000", lte: "1010", reverse: true, limit: 20 }),
      all: await cost({ reverse: true }),
      none: await cost({ gt: "1000", lte: "1000" }),
    };
  });
  expect(result).toEqual({
    first: [100, "0000", "0099", 100],
    last: [100, "2499", "2400", 100],
    one: [1, "2499", "2499", 1],
    few: [10, "1000", "1009", 10],
    fewest: [10, "1010", "1001", 10],
    all: [2500, "2499", "0000", 2500],
    none: [0, undefined, undefined, 0],
  });
});

test("a range is in the order of code points, also where the pages after the first have keys that IndexedDB orders otherwise", async ({
  tab,
}) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:code points");
    const numbers = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));
    const sorted = [...numbers, "50\ue000", "50\uffff", "50\u{1f600}", "é", "é\uff01", "é\u{10000}z"];
    sorted.push("\ue000", "\uffff", "\u{10000}", "\u{10000}\uffff", "\u{10000}\u{10000}", "\u{10ffff}");
    sorted.sort((one, other) => {
      const [a, b] = [Array.from(one), Array.from(other)];
      const at = a.findIndex((character, i) => character !== b[i]);
      if (at < 0) return a.length - b.length;
      return (a[at]?.codePointAt(0) ?? -1) - (b[at]?.codePointAt(0) ?? -1);
    });
    await store.setMany(sorted.map((key) => [key, key]));
    /** @type {any[]} */
    const wrong = [];
    const check = async (/** @type {any} */ range, /** @type {string[]} */ expected) => {
      const listed = await store.keys(range);
      if (listed.join() !== expected.join()) wrong.push([range, listed, expected]);
    };
    const reversed = sorted.toReversed();
    for (const limit of [1, 33, 50, 55, 63, 64, 65, 70, 71, 100]) {
      await check({ limit }, sorted.slice(0, limit));
      await check({ limit, reverse: true }, reversed.slice(0, limit));
    }
    for (const [i, key] of sorted.entries()) {
      await check({ gt: key }, sorted.slice(i + 1));
      await check(
        { lte: key, reverse: true, limit: 40 },
        sorted
          .slice(0, i + 1)
          .toReversed()
          .slice(0, 40),
      );
    }
    return { count: new Set(sorted).size, wrong };
  });
  expect(result).toEqual({ count: 72, wrong: [] });
});

test("a prefix is a range of keys, whatever it ends with, and clear() removes only that", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:ranges");
    const keys = [
      "",
      "a",
      "a\uffff",
      "a\uffff\uffff",
      "a\uffffb",
      "b",
      "\ud83d\ude00",
      "\ud83d",
      "\uffff",
      "\uffff\uffff",
    ];
    await Promise.all(keys.map((key) => store.set(key, 1)));
    const failures = [];
    const sorted = [...keys].sort();
    for (const prefix of keys) {
      const given = (await store.prefix(prefix).keys()).map((key) => prefix + key);
      const expected = sorted.filter((key) => key.startsWith(prefix));
      if (JSON.stringify(given.sort()) !== JSON.stringify(expected)) failures.push([prefix, given, expected]);
    }
    await store.prefix("a\uffff").clear();
    const left = await store.keys();
    return [failures, left.sort().map((key) => JSON.stringify(key))];
  });
  const left = ["", "a", "b", "\ud83d", "\ud83d\ude00", "\uffff", "\uffff\uffff"].map((key) => JSON.stringify(key));
  expect(result).toEqual([[], left]);
});

test("a connection that was closed is opened again", async ({ tab }) => {
  const values = await tab.evaluate(async () => {
    /** @type {IDBDatabase[]} */
    const connections = [];
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      connections.push(this);
      return transaction.apply(this, args);
    };
    const store = window.kv("indexeddb:closing");
    await store.set("a", 1);
    connections.at(-1)?.close(); // As a browser does that has no memory left, and tells nobody.
    return [await store.get("a"), await store.set("b", 2), await store.keys(), new Set(connections).size];
  });
  expect(values).toEqual([1, "b", ["a", "b"], 2]);
});

test("when the browser clears the site's data, no call fails, and the database is made again", async ({
  chromiumContext,
}) => {
  const server = await serve(); // An origin of its own, for its data is gone then.
  const tab = await chromiumContext.newPage();
  await tab.goto(`${server.origin}/web-tests/browser/empty.html`);
  const session = await chromiumContext.newCDPSession(tab);
  const clear = () => session.send("Storage.clearDataForOrigin", { origin: server.origin, storageTypes: "indexeddb" });
  await tab.evaluate(async () => {
    const store = window.kv("indexeddb:cleared");
    await store.set("old", 1);
    const state = { calls: 0, failures: /** @type {string[]} */ ([]), over: false };
    // One transaction after the other, so that the connection is lost in the middle of one.
    const use = async () => {
      while (!state.over) {
        await Promise.all([store.set("a", ++state.calls), store.get("a")]).catch((error) =>
          state.failures.push(`${error.message} ${error.cause?.name}`),
        );
      }
      return store.entries();
    };
    Object.assign(window, { state, using: use() });
  });
  const calls = () => tab.evaluate(() => /** @type {any} */ (window).state.calls);
  for (let round = 0; round < 3; ++round) {
    await clear();
    const before = await calls();
    await expect.poll(calls).toBeGreaterThan(before + 1);
  }
  const [entries, state] = await tab.evaluate(async () => {
    const { state, using } = /** @type {any} */ (window);
    state.over = true;
    return [await using, state];
  });
  expect(state.failures).toEqual([]);
  expect(entries).toEqual([["a", state.calls]]);
  await tab.close();
  await server.close();
});

test("another tab deletes the database without being blocked; it is made again, empty", async ({ tab, other }) => {
  await tab.evaluate(async () => {
    const store = window.kv("indexeddb:deleted");
    await store.set("a", 1);
    // Not even when a listing is in the middle, or calls are under way.
    const iterator = store[Symbol.asyncIterator]();
    await iterator.next();
    Object.assign(window, { store, iterator, writing: store.set("b", 2) });
  });
  expect(await other.evaluate(deleteDatabase, "deleted")).toBe("deleted");
  const result = await tab.evaluate(async () => {
    const { store, iterator, writing } = /** @type {any} */ (window);
    await writing;
    const end = await iterator.next();
    return [end.done, await store.get("a"), await store.set("c", 3), await store.get("c")];
  });
  expect(result).toEqual([true, null, "c", 3]);
  expect(await other.evaluate(() => window.kv("indexeddb:deleted").get("c"))).toBe(3);
});

test("another tab upgrades the database without being blocked, and what is in it stays", async ({ tab, other }) => {
  await tab.evaluate(() => window.kv("indexeddb:upgraded").set("a", 1));
  await other.evaluate(makeDatabase, { name: "upgraded", stores: ["more"], version: 7 });
  const use = async () => {
    const store = window.kv("indexeddb:upgraded");
    return [await store.get("a"), await store.set("b", 2), await store.keys()];
  };
  expect(await tab.evaluate(use)).toEqual([1, "b", ["a", "b"]]);
});

test("somebody else's database is an error, and stays as it is", async ({ tab }) => {
  await tab.evaluate(makeDatabase, { name: "theirs", stores: ["keyval"] });
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:theirs");
    const outcomes = [];
    for (const call of [() => store.get("key"), () => store.set("key", 1), () => store.clear(), () => store.keys()]) {
      const { code, message } = await call().catch((/** @type {any} */ error) => error);
      outcomes.push([
        code,
        ['"theirs"', '"keyval"', '"polystore"', "another name"].filter((text) => !message.includes(text)),
      ]);
    }
    const { connection } = /** @type {any} */ (window);
    const reading = connection.transaction("keyval").objectStore("keyval").get("key");
    await new Promise((resolve) => (reading.onsuccess = resolve));
    return [outcomes, reading.result, connection.version, [...connection.objectStoreNames]];
  });
  const outcome = ["ERR_CLIENT", []];
  expect(result).toEqual([[outcome, outcome, outcome, outcome], "theirs", 1, ["keyval"]]);
  // When it is gone, the name is free.
  await tab.evaluate(closeDatabase);
  expect(await tab.evaluate(deleteDatabase, "theirs")).toBe("deleted");
  expect(await tab.evaluate(() => window.kv("indexeddb:theirs").set("a", 1))).toBe("a");
});

test("an empty database becomes ours, when nobody holds it open", async ({ tab, other }) => {
  await other.evaluate(makeDatabase, { name: "empty", stores: [] });
  const attempt = () =>
    window
      .kv("indexeddb:empty")
      .set("a", 1)
      .catch((/** @type {any} */ { code, message }) => [
        code,
        message.includes('"empty"'),
        message.includes("has it open"),
      ]);
  expect(await tab.evaluate(attempt)).toEqual(["ERR_CLIENT", true, true]);
  await other.evaluate(closeDatabase);
  expect(await tab.evaluate(attempt)).toBe("a");
  // What was given up has not left a connection behind.
  expect(await other.evaluate(deleteDatabase, "empty")).toBe("deleted");
});

test("where the browser refuses to open a database, every call says why", async ({ chromiumContext }) => {
  // A page without an origin has no storage. It cannot import modules either, so it gets all in one script.
  const server = await serve({ policy: "sandbox allow-scripts; script-src 'none' 'wasm-unsafe-eval'" });
  const { outputFiles } = await build({
    stdin: {
      contents: 'import kv from "./dist/index.js"; window.kv = kv;',
      resolveDir: fileURLToPath(new URL("../..", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "iife",
  });
  const tab = await chromiumContext.newPage();
  await tab.addInitScript({ content: outputFiles[0].text });
  await tab.goto(`${server.origin}/web-tests/browser/empty.html`);
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:refused");
    const outcomes = [];
    for (const call of [() => store.get("a"), () => store.set("a", 1), () => store.keys()]) {
      const { code, cause } = await call().catch((/** @type {any} */ error) => error);
      outcomes.push([code, cause?.name]);
    }
    return outcomes;
  });
  expect(result).toEqual(Array(3).fill(["ERR_CLIENT", "SecurityError"]));
  await tab.close();
  await server.close();
});

test("a page whose browser has no IndexedDB is told so", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    Object.defineProperty(window, "indexedDB", { value: undefined });
    const { code, message } = await window
      .kv("indexeddb:a")
      .get("b")
      .catch((/** @type {any} */ error) => error);
    return [code, message.includes("IndexedDB is not available here"), message.includes("localStorage")];
  });
  expect(result).toEqual(["ERR_CLIENT", true, true]);
});

test("a full disk is ERR_QUOTA; what was acknowledged can be read, and deleting makes room", async ({
  chromiumContext,
}) => {
  // An origin of its own: Chromium remembers for some seconds how much room an origin had.
  const server = await serve();
  const tab = await chromiumContext.newPage();
  await tab.goto(`${server.origin}/web-tests/browser/empty.html`);
  const session = await chromiumContext.newCDPSession(tab);
  await session.send("Storage.overrideQuotaForOrigin", { origin: server.origin, quotaSize: 5_000_000 });
  const result = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:full");
    // Random, because browsers compress what they store.
    const random = () => Array.from({ length: 50_000 }, () => Math.random().toString(36).slice(2, 12)).join("");
    /** @type {Record<string, string>} */
    const acknowledged = {};
    /** @type {any} */
    let error;
    for (let i = 0; i < 30 && !error; ++i) {
      const value = random();
      await store.set(`large ${i}`, value).then(
        (key) => (acknowledged[key] = value),
        (failure) => (error = failure),
      );
    }
    const all = await store.all();
    const kept = Object.keys(acknowledged);
    const intact = kept.every((key) => all[key] === acknowledged[key]) && Object.keys(all).length === kept.length;
    Object.assign(window, { store, value: random() });
    await Promise.all(kept.map(store.del));
    return [error?.code, error?.cause?.name, kept.length > 2, intact];
  });
  expect(result).toEqual(["ERR_QUOTA", "QuotaExceededError", true, true]);
  const again = () => {
    const { store, value } = /** @type {any} */ (window);
    return store.set("again", value).catch((/** @type {any} */ { code }) => code);
  };
  await expect.poll(() => tab.evaluate(again)).toBe("again"); // The browser counts anew a moment later.
  await tab.close();
  await server.close();
});

test("a value that does not fit is refused alone, and the calls of the same tick go through", async ({ tab }) => {
  const outcome = await tab.evaluate(async () => {
    const store = window.kv("indexeddb:failing");
    const { put } = IDBObjectStore.prototype;
    IDBObjectStore.prototype.put = function (value, key) {
      // What the browser does when its disk is full, after a while, which no test can wait for.
      const request = put.call(this, value, key);
      if (key === "large") this.transaction.abort();
      return request;
    };
    const calls = [store.set("a", 1), store.set("large", "…"), store.set("b", 2)];
    const settled = await Promise.allSettled(calls);
    IDBObjectStore.prototype.put = put;
    return [settled.map(({ status }) => status), await store.entries()];
  });
  expect(outcome).toEqual([
    ["fulfilled", "rejected", "fulfilled"],
    [
      ["a", 1],
      ["b", 2],
    ],
  ]);
});

test("two tabs on one database lose nothing of each other", async ({ tab, other }) => {
  const write = async (/** @type {string} */ who) => {
    const store = window.kv("indexeddb:shared").prefix(`${who}:`);
    for (let i = 0; i < 20; ++i) await Promise.all(Array.from({ length: 10 }, (_, j) => store.set(`${i} ${j}`, who)));
  };
  await Promise.all([tab.evaluate(write, "one"), other.evaluate(write, "two")]);
  const count = async () => {
    const store = window.kv("indexeddb:shared");
    return [(await store.prefix("one:").keys()).length, (await store.prefix("two:").keys()).length];
  };
  expect(await tab.evaluate(count)).toEqual([200, 200]);
  expect(await other.evaluate(count)).toEqual([200, 200]);
});

test("an expired record that another tab replaced meanwhile is not removed", async ({ tab }) => {
  const values = await tab.evaluate(async () => {
    const { evictLate } = await import(/** @type {string} */ ("/web-tests/browser/late_eviction.js"));
    return evictLate("indexeddb:tabs");
  });
  expect(values).toEqual([null, "a", "new"]);
});

test("close() ends what is under way and closes the connection; the database can be wrapped again", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    /** @type {Set<IDBDatabase>} */
    const connections = new Set();
    const { transaction } = IDBDatabase.prototype;
    IDBDatabase.prototype.transaction = function (...args) {
      connections.add(this);
      return transaction.apply(this, args);
    };
    const store = window.kv("indexeddb:closed");
    const writing = store.set("a", 1);
    await store.close();
    const { code } = await store.get("a").catch((/** @type {any} */ error) => error);
    const states = [...connections].map((connection) => {
      try {
        return connection.transaction("polystore").mode;
      } catch (error) {
        return /** @type {DOMException} */ (error).name;
      }
    });
    return [await writing, code, states, await window.kv("indexeddb:closed").get("a")];
  });
  expect(result).toEqual(["a", "ERR_CLOSED", ["InvalidStateError"], 1]);
});

test("a worker has it too, and shares the data with its page", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const worker = new Worker("/web-tests/browser/indexeddb.worker.js", { type: "module" });
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = ({ message }) => reject(new Error(message));
    });
    const store = window.kv("indexeddb:worker");
    await store.set("page", 1);
    worker.postMessage("indexeddb:worker");
    return [await answer, await store.get("worker")];
  });
  expect(result).toEqual([{ type: "INDEXEDDB", all: { page: 1, worker: 2 } }, 2]);
});
