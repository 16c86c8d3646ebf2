// What is true of a browser's own storages beyond the contract.

import { expect } from "@playwright/test";
import { NO_WASM_POLICY, serve } from "../support/server.js";
import { test } from "./page.js";

test("a full localStorage rejects with ERR_QUOTA; what was there is still there, and deleting makes room", async ({
  tab,
}) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv(localStorage);
    await store.set("small", "kept");
    await store.set("large", "x".repeat(4_000_000));
    const attempt = (/** @type {string} */ key) =>
      store.set(key, "y".repeat(4_000_000)).catch((/** @type {any} */ error) => [error.code, error.cause.name]);
    const outcome = { refused: await attempt("more"), replaced: await attempt("large"), keys: await store.keys() };
    const [small, large] = [await store.get("small"), (await store.get("large")).length];
    await store.del("large");
    return { ...outcome, small, large, afterwards: await attempt("more") };
  });
  result.keys.sort();
  expect(result).toEqual({
    refused: ["ERR_QUOTA", "QuotaExceededError"],
    replaced: "large",
    keys: ["large", "small"],
    small: "kept",
    large: 4_000_000,
    afterwards: "more",
  });
});

test("expired items make room for new ones when they are listed, or pruned", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv(localStorage);
    const realNow = Date.now;
    const outcome = [];
    for (const free of [store.keys, store.prune]) {
      await store.set("old", "x".repeat(4_000_000), { expires: "1 hour" });
      Date.now = () => realNow() + 7_200_000;
      await free();
      outcome.push(await store.set("new", "y".repeat(4_000_000)));
      Date.now = realNow;
      localStorage.clear();
    }
    return outcome;
  });
  expect(result).toEqual(["new", "new"]);
});

test("what is stored is there after a reload, but for what has expired", async ({ tab }) => {
  /** @param {boolean} writes */
  const visit = async (writes) => {
    const { kv } = window;
    const stores = [kv(localStorage), kv(sessionStorage), kv("cookie"), kv(window.localforage), kv(indexedDB)];
    for (const store of writes ? stores : []) {
      await store.clear();
      await store.set("stays", { a: 1 });
      await store.set("lives", true, { expires: "1 hour" });
      await store.prefix("user:").set("name", "Ada");
    }
    return Promise.all(stores.map((store) => store.all()));
  };
  const all = { stays: { a: 1 }, lives: true, "user:name": "Ada" };
  expect(await tab.evaluate(visit, true)).toEqual([all, all, all, all, all]);
  await tab.reload();
  expect(await tab.evaluate(visit, false)).toEqual([all, all, all, all, all]);
});

test("the browser itself drops a cookie that has expired", async ({ tab }) => {
  await tab.evaluate(async () => {
    const { kv } = window;
    await kv("cookie").set("brief", 1, { expires: "1s" });
  });
  expect(await tab.evaluate(() => document.cookie)).toContain("brief=1");
  await expect.poll(() => tab.evaluate(() => document.cookie)).not.toContain("brief");
});

test("a cookie that the browser refuses is an error", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const store = kv("cookie");
    const error = await store.set("__Host-a", 1).catch((/** @type {any} */ error) => error);
    return [error.code, error.message.includes('"__Host-a"'), await store.has("__Host-a")];
  });
  expect(result).toEqual(["ERR_CLIENT", true, false]);
});

test("a cookie of another path cannot be deleted, and that is said", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const store = window.kv("cookie");
    document.cookie = "above=1; path=/";
    const error = await store.del("above").catch((/** @type {any} */ error) => error);
    const there = await store.has("above");
    document.cookie = "above=; path=/; max-age=0";
    return [error.code, there, await store.del("above")];
  });
  expect(result).toEqual(["ERR_CLIENT", true, "above"]);
});

test("of two cookies of one name, the one that the browser sends first is read", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    document.cookie = "twice=%22root%22; path=/";
    document.cookie = "twice=%22here%22; path=/web-tests/browser";
    const found = await kv("cookie").get("twice");
    for (const path of ["/", "/web-tests/browser"]) document.cookie = `twice=; path=${path}; max-age=0`;
    return found;
  });
  expect(result).toBe("here");
});

test("a change by other code, or by another tab, is seen at once", async ({ chromiumContext, server, tab }) => {
  const other = await chromiumContext.newPage();
  await other.goto(`${server.origin}/web-tests/browser/empty.html`);
  const read = async () => {
    const { kv } = window;
    return Promise.all([kv(localStorage).get("a"), kv("cookie").get("a")]);
  };
  const write = async (/** @type {string} */ value) => {
    const { kv } = window;
    await Promise.all([kv(localStorage).set("a", value), kv("cookie").set("a", value)]);
  };
  await tab.evaluate(write, "first");
  expect(await tab.evaluate(read)).toEqual(["first", "first"]);
  await other.evaluate(write, "second");
  await expect.poll(() => tab.evaluate(read)).toEqual(["second", "second"]);
  await other.close();
});

test("where the page's policy forbids WebAssembly, kv() throws ERR_WASM and says what to allow", async ({
  chromiumContext,
}) => {
  const server = await serve({ policy: NO_WASM_POLICY });
  const page = await chromiumContext.newPage();
  await page.goto(`${server.origin}/web-tests/browser/empty.html`);
  const result = await page.evaluate(async () => {
    const { kv, PolystoreError } = window;
    try {
      kv(localStorage);
      return undefined;
    } catch (error) {
      const { code, message, cause } = /** @type {any} */ (error);
      return [
        code,
        /[^.]\. Add 'wasm-unsafe-eval' to .*Content-Security-Policy\.$/.test(message),
        cause.name,
        error instanceof PolystoreError,
      ];
    }
  });
  expect(result).toEqual(["ERR_WASM", true, "CompileError", true]);
  await page.close();
  await server.close();
});

test("a Map of another window is a Map", async ({ tab }) => {
  const result = await tab.evaluate(async () => {
    const { kv } = window;
    const frame = document.body.appendChild(document.createElement("iframe"));
    const { Map: OtherMap } = /** @type {any} */ (frame.contentWindow);
    const map = new OtherMap([["foreign", "stays"]]);
    const store = kv(map);
    await store.set("a", { b: [1] });
    await store.clear();
    return [store.type, [...map.keys()]];
  });
  expect(result).toEqual(["MEMORY", ["foreign"]]);
});
