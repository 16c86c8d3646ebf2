// What is true of a log in the private file system beyond the contract: many tabs, owners that end, and browsers without it.

import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { expect } from "@playwright/test";
import { launchChromium } from "../support/browser.js";
import { serve } from "../support/server.js";
import { startWorkersFrom, test } from "./log_pages.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("./log_pages.js").Log} Log */

/** Lets the channel be the first to tell of an owner, and counts what is asked by way of channels. */
function announceByChannelFirst() {
  const page = /** @type {any} */ (window);
  page.askedByChannel = 0;
  /** @type {(value?: unknown) => void} */
  let hear;
  const heard = new Promise((resolve) => (hear = resolve));
  window.BroadcastChannel = class extends BroadcastChannel {
    /** @param {string} name */
    constructor(name) {
      super(name);
      this.addEventListener("message", ({ data }) => "term" in data && setTimeout(hear));
    }
    /** @param {any} data */
    postMessage(data) {
      if (data.kind) ++page.askedByChannel;
      super.postMessage(data);
    }
  };
  window.Worker = class extends Worker {
    /** @param {any} listener */
    set onmessage(listener) {
      super.onmessage = async (event) => {
        if (event.data.term) await heard;
        listener(event);
      };
    }
  };
}

/** Notes how many bytes the largest message has that an owner sends to the page. */
function watchMessages() {
  const page = /** @type {any} */ (window);
  page.largestMessage = 0;
  const watch = (/** @type {MessageEvent} */ { data }) => {
    for (const part of Object.values(data)) {
      const bytes = part?.buffer?.byteLength ?? JSON.stringify(part)?.length ?? 0;
      page.largestMessage = Math.max(page.largestMessage, bytes);
    }
  };
  window.Worker = class extends Worker {
    /** @param {any[]} args */
    constructor(...args) {
      super(.../** @type {[string]} */ (args));
      this.addEventListener("message", watch);
    }
  };
  window.BroadcastChannel = class extends BroadcastChannel {
    /** @param {string} name */
    constructor(name) {
      super(name);
      this.addEventListener("message", watch);
    }
  };
}

/** Hears the first page of a listing only, and then nothing more of that owner. */
function hearOnePage() {
  const page = /** @type {any} */ (window);
  let isDeaf = false;
  page.heardOnePage = new Promise((resolve) => (page.whenHeard = resolve));
  window.BroadcastChannel = class extends BroadcastChannel {
    /** @param {any} listener */
    set onmessage(listener) {
      super.onmessage = (event) => {
        if (event.data.page && isDeaf) return;
        listener(event);
        if (!event.data.page) return;
        isDeaf = true;
        page.whenHeard();
      };
    }
  };
}

/** Stores 300 KB. @param {Log} log */
async function storeThree(log) {
  const store = window.kv(log);
  for (const key of ["a", "b", "c"]) await store.set(key, key.repeat(100_000));
  await store.close();
}

const set = (/** @type {Page} */ page, /** @type {Log} */ log, /** @type {string} */ key, /** @type {any} */ value) =>
  page.evaluate(
    async ({ log, key, value }) => {
      const { stores = [] } = /** @type {any} */ (window);
      const store = window.kv(log);
      Object.assign(window, { stores: [...stores, store] });
      return store.set(key, value);
    },
    { log, key, value },
  );
/** Closes the stores of a page that `set` made, and so the log. */
const release = (/** @type {Page} */ page) =>
  page.evaluate(async () => {
    for (const store of /** @type {any} */ (window).stores) await store.close();
  });
const all = (/** @type {Page} */ page, /** @type {Log} */ log) => page.evaluate((log) => window.kv(log).all(), log);

/** Sets keys one after the other, and keeps those that were acknowledged; ends when `window.isEnough` is set. */
function writeOn(/** @type {{ log: Log, prefix: string }} */ { log, prefix }) {
  const page = /** @type {any} */ (window);
  page.acknowledged = [];
  page.failures = [];
  const store = window.kv(log).prefix(prefix);
  page.writing = (async () => {
    for (let i = 0; !page.isEnough; ++i) {
      await store.set(String(i), i).then(
        () => page.acknowledged.push(`${prefix}${i}`),
        (/** @type {Error} */ error) => page.failures.push(error.message),
      );
    }
  })();
}
const acknowledgedMore = (/** @type {Page} */ page, /** @type {number} */ count) =>
  page.waitForFunction((count) => /** @type {any} */ (window).acknowledged.length > count, count);
const enough = (/** @type {Page} */ page) =>
  page.evaluate(async () => {
    const { writing, acknowledged, failures } = Object.assign(/** @type {any} */ (window), { isEnough: true });
    await writing;
    return { acknowledged, failures };
  });

test("it is loaded when it is used, and only then is a worker started", async ({ open, log, server }) => {
  const page = await open();
  const before = server.requests.length;
  await page.evaluate(() => window.kv(new Map()).set("a", 1));
  expect(server.requests.slice(before)).toEqual([]);
  await set(page, log, "a", 1);
  expect(server.requests.slice(before)).toEqual(["/dist/clients/opfs/opfs.js", "/dist/clients/opfs/worker.js"]);
});

test("what was written is there after a reload, and after many in a row", async ({ open, log }) => {
  const page = await open();
  for (let i = 0; i < 10; ++i) {
    await set(page, log, `key ${i}`, i);
    await page.reload();
    await page.waitForFunction(() => "kv" in window);
  }
  expect(Object.keys(await all(page, log))).toHaveLength(10);
});

test("two tabs see what the other writes, whoever has the log", async ({ open, log }) => {
  const [one, two] = [await open(), await open()];
  await set(one, log, "one", 1);
  await set(two, log, "two", 2);
  expect(await all(one, log)).toEqual({ one: 1, two: 2 });
  expect(await all(two, log)).toEqual({ one: 1, two: 2 });
});

test("a page asks its own worker directly, whichever way it heard of it first", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(announceByChannelFirst);
  await set(page, log, "a", 1);
  expect(await all(page, log)).toEqual({ a: 1 });
  expect(await page.evaluate(() => /** @type {any} */ (window).askedByChannel)).toBe(0);
});

test("ten tabs count together, each under a lock of theirs", async ({ open, log }) => {
  const pages = await Promise.all(Array.from({ length: 10 }, open));
  await Promise.all(
    pages.map((page) =>
      page.evaluate(async (log) => {
        const store = window.kv(log);
        for (let i = 0; i < 20; ++i) {
          await navigator.locks.request("count", async () => store.set("count", ((await store.get("count")) ?? 0) + 1));
        }
      }, log),
    ),
  );
  expect(await all(pages[0], log)).toEqual({ count: 200 });
});

test("the owner is closed under load: another takes over, and nothing is lost or refused", async ({ open, log }) => {
  const owner = await open();
  await set(owner, log, "owner", true);
  const others = [await open(), await open()];
  await Promise.all(others.map((page, i) => page.evaluate(writeOn, { log, prefix: `${i}:` })));
  for (const page of others) await acknowledgedMore(page, 20);
  await owner.close();
  for (const page of others) {
    const { length } = await page.evaluate(() => /** @type {any} */ (window).acknowledged);
    await acknowledgedMore(page, length + 20);
  }
  for (const page of others) {
    const { acknowledged, failures } = await enough(page);
    expect(failures).toEqual([]);
    expect(Object.keys(await all(others[0], log))).toEqual(expect.arrayContaining(acknowledged));
  }
});

test("a worker is killed in mid-write, again and again: what was acknowledged is there", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(writeOn, { log, prefix: "" });
  for (let kill = 1; kill <= 10; ++kill) {
    const { length } = await page.evaluate(() => /** @type {any} */ (window).acknowledged);
    await acknowledgedMore(page, length + 15);
    await page.evaluate(() => /** @type {any} */ (window).workers.at(-1).terminate());
  }
  const { length } = await page.evaluate(() => /** @type {any} */ (window).acknowledged);
  await acknowledgedMore(page, length + 15);
  const { acknowledged, failures } = await enough(page);
  expect(failures).toEqual([]);
  expect(Object.keys(await all(page, log)).sort()).toEqual(acknowledged.sort());
});

test("calls that an owner made and did not answer are answered by the next, and not made again", async ({
  open,
  log,
}) => {
  const [owner, late, other] = [await open(), await open(), await open()];
  await owner.evaluate(startWorkersFrom, "/web-tests/browser/opfs_mute.worker.js");
  await owner.evaluate(async (log) => {
    const store = window.kv(log);
    await Promise.all(["a", "b", "c"].map((key) => store.set(key, 1, { expires: "1h" })));
  }, log);
  const lost = await late.evaluate(async (log) => {
    const now = Date.now();
    Date.now = () => now + 3_600_001;
    const results = /** @type {any} */ ([]);
    const twoWereLost = new Promise((resolve) => {
      new BroadcastChannel("lost").onmessage = ({ data }) => results.push(data.result) === 2 && resolve(undefined);
    });
    const store = window.kv(log);
    const answers = Promise.all([store.set("unanswered", "late"), store.prune(), store.set("behind", 1)]);
    Object.assign(window, { answers });
    await twoWereLost;
    return results;
  }, log);
  expect(lost).toEqual([0, 3]);
  await set(other, log, "unanswered", "other");
  await set(other, log, "a", "other");
  await owner.close();
  const answers = await late.evaluate(() => /** @type {any} */ (window).answers);
  expect(answers).toEqual(["unanswered", 3, "behind"]);
  expect(await all(late, log)).toEqual({ unanswered: "other", a: "other", behind: 1 });
});

test("an owner that is frozen gives the log away, and is served again when it goes on", async ({ open, log }) => {
  const [owner, other] = [await open(), await open()];
  await set(owner, log, "owner", 1);
  const devtools = await owner.context().newCDPSession(owner);
  await devtools.send("Page.setWebLifecycleState", { state: "frozen" });
  await set(other, log, "other", 2);
  await release(other);
  await devtools.send("Page.setWebLifecycleState", { state: "active" });
  expect(await all(owner, log)).toEqual({ owner: 1, other: 2 });
});

test("a write that an owner refused is not acknowledged by the next, whatever came behind it", async ({
  open,
  log,
}) => {
  const [owner, late, other] = [await open(), await open(), await open()];
  await owner.evaluate(startWorkersFrom, "/web-tests/browser/opfs_mute_small.worker.js");
  await set(owner, log, "owner", 1);
  await late.evaluate(startWorkersFrom, "/web-tests/browser/opfs_small.worker.js?2000000");
  await late.evaluate(async (log) => {
    const refused = new Promise((resolve) => {
      new BroadcastChannel("lost").onmessage = ({ data }) => data.error && resolve(undefined);
    });
    const store = window.kv(log);
    const answers = Promise.allSettled([
      store.set("unanswered", 1),
      store.get("owner"), // What is set in one go is one request.
      store.set("big", "x".repeat(3_000_000)),
      store.get("owner"),
      store.set("behind", 1),
    ]);
    Object.assign(window, { answers });
    await refused;
  }, log);
  await set(other, log, "other", 1); // The owner has heard what the late one asked.
  await owner.close();
  const answers = await late.evaluate(async () =>
    (await /** @type {any} */ (window).answers).map((/** @type {any} */ { value, reason }) => value ?? reason.code),
  );
  expect(answers).toEqual(["unanswered", 1, "ERR_QUOTA", 1, "behind"]);
  expect(await all(late, log)).toEqual({ owner: 1, unanswered: 1, other: 1, behind: 1 });
});

test("a page that is told again and again that it is shown lets go of the log when it closes", async ({
  open,
  log,
}) => {
  const [one, two] = [await open(), await open()];
  await one.evaluate(async (log) => {
    const store = window.kv(log);
    await store.set("one", 1);
    for (let i = 0; i < 3; ++i) dispatchEvent(new PageTransitionEvent("pageshow"));
    await store.set("again", 1);
    await store.close();
  }, log);
  expect(await all(two, log)).toEqual({ one: 1, again: 1 });
});

test("a page whose worker cannot be started again says so, and goes on when it can", async ({ open, log }) => {
  const page = await open();
  await page.route("**/in_place.js", (route) => route.abort()); // Nor can what would serve in place of it.
  await set(page, log, "a", 1);
  const results = await page.evaluate(async (log) => {
    const test = /** @type {any} */ (window);
    const { Worker } = test;
    const store = window.kv(log);
    test.Worker = class {
      constructor() {
        return new Worker("/nothing.js");
      }
    };
    test.workers.at(-1).terminate();
    /** @type {any} */
    let failure;
    while (!failure) await store.set("b", 1).catch((error) => (failure = error));
    const again = await store.set("c", 1).catch((error) => error.code);
    test.Worker = Worker;
    await store.set("d", 1);
    const keys = await store.keys();
    await store.close();
    return { code: failure.code, again, keys };
  }, log);
  expect(results).toEqual({ code: "ERR_CLIENT", again: "ERR_CLIENT", keys: expect.arrayContaining(["a", "d"]) });
});

test("a page whose worker failed takes its turn again behind the next owner", async ({ open, log }) => {
  const [first, failing, last] = [await open(), await open(), await open()];
  await set(first, log, "first", 1);
  await failing.evaluate(startWorkersFrom, "/web-tests/browser/opfs_fails_once.worker.js?InvalidStateError");
  await set(failing, log, "failing", 1);
  await set(last, log, "last", 1);
  await first.close();
  await set(last, log, "again", 1);
  await release(last);
  expect(await all(failing, log)).toEqual({ first: 1, failing: 1, last: 1, again: 1 });
});

test("values are listed and gone through in messages of a bounded size, by the owner's page and by others", async ({
  open,
  log,
}) => {
  const pages = [await open(), await open()];
  for (const page of pages) {
    await page.evaluate(watchMessages);
    const { lengths, largest } = await page.evaluate(async (log) => {
      const store = window.kv(log);
      const keys = Array.from({ length: 12 }, (_, i) => `key ${String(i).padStart(2, "0")}`);
      for (const key of keys) await store.set(key, key.repeat(100_000));
      const lengthOf = (/** @type {string[]} */ values) => values.join("").length;
      let goneThrough = 0;
      for await (const [, value] of store) goneThrough += String(value).length;
      const values = lengthOf(await store.values());
      const entries = lengthOf((await store.entries()).map(([, value]) => String(value)));
      return { lengths: [values, entries, goneThrough], largest: /** @type {any} */ (window).largestMessage };
    }, log);
    expect(lengths).toEqual([7_200_000, 7_200_000, 7_200_000]);
    // 1 MB, and the value that passes it.
    expect(largest).toBeLessThan(2_000_000);
    expect(largest).toBeGreaterThan(600_000);
  }
});

test("a listing whose owner ends in the middle of it is of one moment, that of the next owner", async ({
  open,
  log,
}) => {
  const [owner, other] = [await open(), await open()];
  await owner.evaluate(async (log) => {
    const store = window.kv(log);
    for (const key of ["a", "b", "c", "d"]) await store.set(key, key.repeat(700_000));
  }, log);
  await other.evaluate(hearOnePage);
  await other.evaluate((log) => {
    const page = /** @type {any} */ (window);
    page.listing = window.kv(log).values();
  }, log);
  await other.evaluate(() => /** @type {any} */ (window).heardOnePage);
  await owner.evaluate((log) => window.kv(log).del("a"), log);
  await owner.close();
  const firsts = await other.evaluate(async () => {
    const values = await /** @type {any} */ (window).listing;
    return values.map((/** @type {string} */ value) => `${value[0]}${value.length}`);
  });
  expect(firsts).toEqual(["b700000", "c700000", "d700000"]);
});

test("durable when that is asked for, together with a tab that does not ask", async ({ open, log }) => {
  const [one, two] = [await open(), await open()];
  await one.evaluate((log) => window.kv(log, { durability: "strict" }).set("one", 1), log);
  await two.evaluate((log) => window.kv(log, { durability: "strict" }).set("two", 2), log);
  expect(await all(one, log)).toEqual({ one: 1, two: 2 });
  const refused = await one.evaluate((log) => {
    try {
      return window.kv(log, { durability: "relaxed" });
    } catch (error) {
      return /** @type {any} */ (error).code;
    }
  }, log);
  expect(refused).toBe("ERR_OPTIONS");
});

test("what is strict is refused where it cannot be flushed, what is relaxed is not", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_unflushed.worker.js");
  const results = await page.evaluate(async (log) => {
    const relaxed = await window.kv(log).set("a", 1);
    const strict = window.kv(`${log} strict`, { durability: "strict" });
    return [relaxed, await strict.set("a", 1).catch((error) => error.code)];
  }, log);
  expect(results).toEqual(["a", "ERR_CLIENT"]);
});

test("files that the browser holds still, after a reload say, are waited for", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_fails_once.worker.js?NoModificationAllowedError");
  await set(page, log, "a", 1);
  expect(await page.evaluate((log) => window.kv(log).type, log)).toBe("OPFS");
});

test("a full quota is ERR_QUOTA; what was acknowledged is there, and removing makes room", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(startWorkersFrom, "/web-tests/browser/opfs_small.worker.js?2000000");
  const result = await page.evaluate(async (log) => {
    const store = window.kv(log);
    const text = "x".repeat(100_000);
    let count = 0;
    let failure = /** @type {any} */ (undefined);
    while (!failure && count < 100) {
      await store.set(String(count), text).then(
        () => ++count,
        (/** @type {any} */ error) => (failure = error),
      );
    }
    const isWhole = (await store.keys()).length === count && (await store.get(String(count - 1))) === text;
    for (let i = 0; i < count; ++i) await store.del(String(i));
    await store.set("again", text);
    return { code: failure?.code, isWhole, isThere: await store.has("again"), count };
  }, log);
  expect(result).toEqual({ code: "ERR_QUOTA", isWhole: true, isThere: true, count: expect.any(Number) });
  expect(result.count).toBeGreaterThan(3);
});

test("with less room than it takes, a log is opened and read, and what is removed is", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(storeThree, log);
  const tight = await open();
  await tight.evaluate(startWorkersFrom, "/web-tests/browser/opfs_small.worker.js?50000");
  const result = await tight.evaluate(async (log) => {
    const store = window.kv(log);
    const { length } = await store.get("a");
    await store.del("a");
    const keys = await store.keys();
    const refused = await store.set("d", "d".repeat(100_000)).catch((error) => error.code);
    await store.clear();
    return { length, keys, refused, left: await store.keys() };
  }, log);
  expect(result).toEqual({ length: 100_000, keys: ["b", "c"], refused: "ERR_QUOTA", left: [] });
});

test("a private window has it too", async ({ server, log }) => {
  const { context, close } = await launchChromium();
  const secret = await /** @type {import("@playwright/test").Browser} */ (context.browser()).newContext();
  const page = await secret.newPage();
  await page.goto(`${server.origin}/web-tests/browser/empty.html`);
  await page.waitForFunction(() => "kv" in window);
  await set(page, log, "a", 1);
  expect(await page.evaluate((log) => [window.kv(log).type], log)).toEqual(["OPFS"]);
  await close();
});

test("where there is no private file system it is a database, which is moved over when there is", async ({
  open,
  log,
}) => {
  const without = await open();
  await without.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  await set(without, log, "old", "of the database");
  await without.evaluate((log) => window.kv(log).set("short", 1, { expires: "1h" }), log);
  expect(await without.evaluate((log) => window.kv(log).type, log)).toBe("INDEXEDDB");
  expect(await all(without, log)).toEqual({ old: "of the database", short: 1 });
  await without.close();

  const again = await open();
  expect(await all(again, log)).toEqual({ old: "of the database", short: 1 });
  expect(await again.evaluate((log) => window.kv(log).type, log)).toBe("OPFS");
  await again.evaluate((log) => window.kv(log).clear(), log);
  await again.close();
  expect(await all(await open(), log)).toEqual({}); // Nothing is moved over twice.
});

test("a page that is refused the private file system asks a page that has the log; with none, nothing older comes back", async ({
  open,
  log,
}) => {
  const owner = await open();
  await set(owner, log, "a", "old");
  const refused = await open();
  await refused.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  await set(refused, log, "a", "new");
  expect(await all(owner, log)).toEqual({ a: "new" });
  await refused.close();
  await owner.evaluate((log) => window.kv(log).del("a"), log);
  await owner.close();

  const alone = await open();
  await alone.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  const failures = await alone.evaluate(async (log) => {
    const store = window.kv(log);
    const calls = [() => store.get("a"), () => store.set("a", "lost?")];
    const errors = [];
    for (const call of calls) errors.push(await call().catch((error) => `${error.code} ${error.message}`));
    return errors;
  }, log);
  expect(failures).toEqual(
    failures.map(() =>
      expect.stringMatching(/^ERR_CLIENT .*refuses access to its private file system, which holds the log/),
    ),
  );
  await alone.close();
  expect(await all(await open(), log)).toEqual({});
});

test("what a page writes while another moves the database into the log is in the log", async ({ open, log }) => {
  const without = await open();
  await without.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  await without.evaluate(async (log) => {
    const store = window.kv(log);
    await Promise.all(Array.from({ length: 3000 }, (_, i) => store.set(`before:${i}`, i)));
    const state = { written: 0, isEnough: false };
    Object.assign(window, { state });
    const write = async () => {
      while (!state.isEnough) await store.set(`while:${state.written++}`, 1);
      return state.written;
    };
    Object.assign(window, { writing: write() });
  }, log);
  const moving = await open();
  expect((await moving.evaluate((log) => window.kv(log).prefix("before:").keys(), log)).length).toBe(3000);
  const written = await without.evaluate(async () => {
    const { state, writing } = /** @type {any} */ (window);
    const soFar = state.written;
    while (state.written < soFar + 20) await new Promise((resolve) => setTimeout(resolve)); // And after it.
    state.isEnough = true;
    return writing;
  });
  await without.close();
  await moving.close();
  const again = await open();
  expect((await again.evaluate((log) => window.kv(log).prefix("while:").keys(), log)).length).toBe(written);
  expect((await again.evaluate((log) => window.kv(log).prefix("before:").keys(), log)).length).toBe(3000);
});

test("a page that does not let go of the database keeps nobody waiting, and its records are neither hidden nor overwritten", async ({
  open,
  log,
}) => {
  const without = await open();
  await without.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  await set(without, log, "a", "of the database");
  await without.evaluate(
    (name) => new Promise((resolve) => (indexedDB.open(name).onsuccess = resolve)), // And it hears of no new version.
    `polystore-wasm ${log}`,
  );
  const other = await open();
  const refused = await other.evaluate(
    (log) =>
      window
        .kv(log)
        .set("b", 1)
        .catch((error) => `${error.code} ${error.message}`),
    log,
  );
  expect(refused).toMatch(/^ERR_CLIENT Another page of this site does not let go of the database .* close that page/);
  await without.close();
  await set(other, log, "b", "of the file system");
  expect(await all(other, log)).toEqual({ a: "of the database", b: "of the file system" });
});

test("what the log has no room for stays in the database until it has", async ({ open, log }) => {
  const without = await open();
  await without.evaluate(startWorkersFrom, "/web-tests/browser/opfs_refused.worker.js");
  await without.evaluate(storeThree, log);
  const tight = await open();
  await tight.evaluate(startWorkersFrom, "/web-tests/browser/opfs_small.worker.js?50000");
  const failure = await tight.evaluate(
    (log) =>
      window
        .kv(log)
        .get("a")
        .catch((error) => error.code),
    log,
  );
  expect(failure).toBe("ERR_QUOTA");
  await tight.close();
  const again = await open();
  expect(Object.keys(await all(again, log))).toEqual(["a", "b", "c"]);
});

test("a log that is damaged is ERR_CORRUPT, with the place, and is left as it is", async ({ open, log }) => {
  const page = await open();
  await page.evaluate(async (log) => {
    const store = window.kv(log);
    await store.set("a", "x".repeat(100));
    await store.set("b", "y".repeat(100));
    await store.close();
  }, log);
  const result = await page.evaluate(async (log) => {
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("polystore-wasm")).getDirectoryHandle(log.slice(5));
    const current = await (await (await folder.getFileHandle("current")).getFile()).text();
    const file = await folder.getFileHandle(`${current}.kv`);
    const bytes = new Uint8Array(await (await file.getFile()).arrayBuffer());
    const at = new TextDecoder("latin1").decode(bytes).indexOf("xxx");
    bytes[at] ^= 1;
    const writable = await file.createWritable();
    await writable.write(bytes);
    await writable.close();
    const failure = await window
      .kv(log)
      .get("a")
      .then(String, (/** @type {any} */ error) => [error.code, error.message]);
    const after = new Uint8Array(await (await file.getFile()).arrayBuffer());
    return { failure, isSame: after.length === bytes.length && after.every((byte, i) => byte === bytes[i]) };
  }, log);
  expect(result.failure).toEqual(["ERR_CORRUPT", expect.stringMatching(/damaged at offset \d+/)]);
  expect(result.isSame).toBe(true);
});

test("C++ reads the bytes that a browser wrote", async ({ open, log }, testInfo) => {
  const page = await open();
  const bytes = await page.evaluate(async (log) => {
    const store = window.kv(log);
    await store.set("ключ 🔑", { deep: [1, "two", null] });
    await store.set("lives", true, { expires: "1h" });
    await store.set("gone", 1, { expires: 0.001 });
    await store.set("removed", 1);
    await store.set("replaced", "before");
    await store.set("replaced", "after");
    await store.set("", "x".repeat(100_000));
    await store.del("removed");
    await store.prefix("many:").set("cleared", 1);
    await store.prefix("many:").clear();
    await store.close();
    const root = await navigator.storage.getDirectory();
    const folder = await (await root.getDirectoryHandle("polystore-wasm")).getDirectoryHandle(log.slice(5));
    const current = await (await (await folder.getFileHandle("current")).getFile()).text();
    return [...new Uint8Array(await (await (await folder.getFileHandle(`${current}.kv`)).getFile()).arrayBuffer())];
  }, log);
  const path = testInfo.outputPath("data.kv");
  writeFileSync(path, Buffer.from(bytes));
  const program = resolve("build/debug/native-tests/polystore_log");
  const written = { "ключ 🔑": { deep: [1, "two", null] }, lives: true, replaced: "after", "": "x".repeat(100_000) };
  const read = () => JSON.parse(execFileSync(program, [path, "from", "C++"], { encoding: "utf8" }));
  expect(read()).toEqual(written);
  expect(read()).toEqual({ ...written, from: "C++" });
});

test("where the worker's file is not to be had it is started from a text, if the policy lets it", async ({ log }) => {
  const server = await serve({ policy: "script-src 'self' 'wasm-unsafe-eval'; worker-src blob:" });
  const { context, close } = await launchChromium();
  const page = await context.newPage();
  await page.goto(`${server.origin}/web-tests/browser/empty.html`);
  await page.waitForFunction(() => "kv" in window);
  await set(page, log, "a", 1);
  expect(await page.evaluate((log) => window.kv(log).type, log)).toBe("OPFS");
  expect(server.requests).toContain("/dist/clients/opfs/worker_text.js");
  await close();
  await server.close();
});
