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

/**
 * A page at a path of its own, where nothing else is.
 * @param {import("@playwright/test").Page} tab
 * @param {string} url
 */
async function visit(tab, url) {
  const body = '<!doctype html><script type="module" src="/web-tests/browser/empty.page.js"></script>';
  await tab.route(url, (route) => route.fulfill({ contentType: "text/html", body }));
  await tab.goto(url);
}

/**
 * Calls a method of the cookies' store, in the page in which it is evaluated.
 * @param {any[]} call Its name, and its arguments.
 * @returns {Promise<any>} What it gives, or the code of its error.
 */
const attempt = ([name, ...args]) =>
  /** @type {any} */ (window.kv("cookie"))[name](...args).catch((/** @type {any} */ error) => error.code);

test("a cookie is the same on all pages, whatever their paths", async ({ server, tab }) => {
  await visit(tab, `${server.origin}/shop/cart`);
  await tab.evaluate(attempt, ["set", "items", 1]);
  for (const path of ["/", "/shop", "/shop/cart/", "/shop/cart/pay", "/elsewhere/x"]) {
    await visit(tab, server.origin + path);
    expect(await tab.evaluate(attempt, ["get", "items"])).toBe(1);
  }
  await tab.evaluate(attempt, ["del", "items"]);
  await visit(tab, `${server.origin}/shop/cart`);
  expect(await tab.evaluate(() => document.cookie)).not.toContain("items");
});

test("what was left for a folder is found there, and replaced where it is written anew, or deleted", async ({
  server,
  tab,
}) => {
  const cart = `${server.origin}/shop/cart`;
  await visit(tab, cart);
  await tab.evaluate(() => {
    for (const path of ["", "; path=/shop/", "; path=/shop/cart"]) {
      for (const name of ["left", "gone", "kept"]) document.cookie = `${name}=0${path}`;
    }
  });
  expect(await tab.evaluate(attempt, ["get", "left"])).toBe(0);
  await tab.evaluate(() => history.pushState(null, "", "/elsewhere")); // As a router does.
  expect(await tab.evaluate(attempt, ["set", "left", 1])).toBe("left");
  expect(await tab.evaluate(attempt, ["del", "gone"])).toBe("gone");
  const cookies = await tab.context().cookies(cart);
  const named = (/** @type {string} */ name) => cookies.filter((cookie) => cookie.name === name);
  expect(named("left").map(({ path, value }) => [path, value])).toEqual([["/", "1"]]);
  expect(named("gone")).toEqual([]);

  // Where a page does not see what was left, it stays; and the page that does sees what was written since.
  await visit(tab, `${server.origin}/`);
  await tab.evaluate(attempt, ["set", "kept", 2]);
  await visit(tab, cart);
  expect(await tab.evaluate(attempt, ["get", "kept"])).toBe(2);
  expect(await tab.evaluate(attempt, ["del", "kept"])).toBe("kept");
  expect(await tab.evaluate(() => document.cookie)).not.toContain("kept");
  await tab.evaluate(attempt, ["del", "left"]);
});

test("a cookie lives 400 days, without an expiry or with a longer one", async ({ server, tab }) => {
  await tab.evaluate(async () => {
    const store = window.kv("cookie");
    await store.set("never", 1);
    await store.set("long", 1, { expires: "10 years" });
  });
  const cookies = await tab.context().cookies(server.origin);
  for (const name of ["never", "long"]) {
    const { expires } = cookies.find((cookie) => cookie.name === name) ?? { expires: 0 };
    expect(Math.round((expires * 1000 - Date.now()) / 86_400_000)).toBe(400);
    await tab.evaluate(attempt, ["del", name]);
  }
});

test("the option cookie says where a cookie holds", async ({ server, tab }) => {
  const url = `${server.origin.replace("127.0.0.1", "a.shop.localhost")}/cart/pay`;
  await visit(tab, url);
  const options = /** @type {Record<string, import("../../dist/index.js").CookieOptions>} */ ({
    path: { path: "/cart" },
    domain: { domain: "shop.localhost" },
    strict: { sameSite: "strict" },
    partitioned: { secure: true, partitioned: true, sameSite: "none" },
  });
  const results = await tab.evaluate(async (options) => {
    const { kv } = window;
    const read = [];
    for (const [name, cookie] of Object.entries(options)) {
      const store = kv("cookie", { cookie });
      read.push(await store.set(name, name), await store.get(name), await kv(store).has(name));
    }
    const elsewhere = kv("cookie", { cookie: { path: "/elsewhere" } });
    const unseen = await elsewhere.set("unseen", 1).catch((/** @type {any} */ error) => error);
    const insecure = kv("cookie", { cookie: { sameSite: "none" } });
    const refused = await insecure.set("refused", 1).catch((/** @type {any} */ error) => error);
    return { read, unseen: [unseen.code, unseen.message], refused: [refused.code, refused.message] };
  }, options);
  expect(results.read).toEqual(Object.keys(options).flatMap((name) => [name, name, true]));
  expect(results.unseen).toEqual(["ERR_CLIENT", expect.stringContaining('the path "/elsewhere"')]);
  expect(results.refused).toEqual(["ERR_CLIENT", expect.stringContaining("the browser refused the cookie")]);
  const cookies = await tab.context().cookies();
  const named = (/** @type {string} */ name) => cookies.find((cookie) => cookie.name === name);
  expect(named("path")).toMatchObject({ path: "/cart", domain: "a.shop.localhost", secure: false });
  expect(named("domain")).toMatchObject({ path: "/", domain: ".shop.localhost" });
  expect(named("strict")).toMatchObject({ path: "/", sameSite: "Strict" });
  expect(named("partitioned")).toMatchObject({ path: "/", secure: true, sameSite: "None" });
  expect(named("unseen")).toBe(undefined);

  await tab.evaluate(async (options) => {
    for (const [name, cookie] of Object.entries(options)) await window.kv("cookie", { cookie }).del(name);
  }, options);
  expect(await tab.evaluate(() => document.cookie)).toBe("");
});

test("a cookie of another domain cannot be replaced or deleted, and that is said", async ({ server, tab }) => {
  await visit(tab, `${server.origin.replace("127.0.0.1", "a.shop.localhost")}/`);
  await tab.evaluate(() => void (document.cookie = "above=1; domain=shop.localhost"));
  expect(await tab.evaluate(attempt, ["del", "above"])).toBe("ERR_CLIENT");
  expect(await tab.evaluate(attempt, ["get", "above"])).toBe(1);
  const domain = { cookie: { domain: "shop.localhost" } };
  expect(await tab.evaluate((options) => window.kv("cookie", options).del("above"), domain)).toBe("above");
  expect(await tab.evaluate(attempt, ["del", "above"])).toBe("above");
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
