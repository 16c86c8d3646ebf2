// The hooks in the real frameworks: what components show while this page and another one change the store.

import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { test as base } from "../support/browser.js";
import { bundle } from "./bundle.js";

/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("./view.js").View} View */

const FRAMEWORKS = /** @type {const} */ (["react", "vue", "svelte"]);

/** The bundled components, and pages that have loaded them. A page fails its test by any error, and by any warning of its framework. */
const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ open: (framework: string) => Promise<Page> }, { folder: string }, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    folder: [
      async ({}, use) => {
        const folder = mkdtempSync(join("build", "hooks-"));
        for (const name of FRAMEWORKS) {
          await bundle(`web-tests/hooks/${name}.js`, join(folder, `${name}.js`), "client");
          const server = name === "svelte" ? "svelte_server" : name;
          await bundle(`web-tests/hooks/${server}.js`, join(folder, `${name}.server.mjs`), "server");
        }
        await use(folder);
        rmSync(folder, { recursive: true });
      },
      { scope: "worker" },
    ],
    open: async ({ chromiumContext, server, folder }, use) => {
      /** @type {Page[]} */
      const pages = [];
      /** @type {string[]} */
      const complaints = [];
      await use(async (framework) => {
        const page = await chromiumContext.newPage();
        pages.push(page);
        page.on("pageerror", (error) => complaints.push(error.message));
        page.on("console", (message) => {
          if (["warning", "error"].includes(message.type())) complaints.push(message.text());
        });
        await page.goto(`${server.origin}/web-tests/browser/empty.html`);
        await page.waitForFunction(() => "kv" in window);
        await page.evaluate(async (path) => {
          Object.assign(window, { application: await import(path), stores: {}, watchers: [] });
        }, `/${folder}/${framework}.js`);
        return page;
      });
      for (const page of pages) await page.close();
      expect(complaints).toEqual([]);
    },
  }),
);

/**
 * Opens stores on a page by their names, which keeps the watchers that they begin.
 * @param {Page} page
 * @param {Record<string, string>} clients A client, or "memory" or "localStorage".
 */
const openStores = (page, clients) =>
  page.evaluate(async (clients) => {
    const { kv, stores, watchers } = /** @type {any} */ (window);
    const track = (/** @type {any} */ store) => {
      const { watch, prefix } = store;
      store.watch = (/** @type {any[]} */ ...args) => {
        const watcher = watch(...args);
        watchers.push(watcher);
        return watcher;
      };
      store.prefix = (/** @type {string} */ name) => track(prefix(name));
      return store;
    };
    for (const [name, client] of Object.entries(clients)) {
      const store = kv(client === "memory" ? new Map() : client === "localStorage" ? localStorage : client);
      await store.clear();
      stores[name] = track(store);
    }
  }, clients);

/**
 * Calls a method of a store of a page.
 * @param {Page} page
 * @param {string} store
 * @param {string} method
 * @param {any[]} args
 */
const call = (page, store, method, ...args) =>
  page.evaluate(
    ([store, method, args]) => /** @type {any} */ (window).stores[store][method](...args),
    /** @type {const} */ ([store, method, args]),
  );

/** @param {Page} page @param {View[]} views */
const show = (page, views) => page.evaluate((views) => /** @type {any} */ (window).application.show(views), views);

/** @param {Page} page */
const hide = (page) => page.evaluate(() => /** @type {any} */ (window).application.hide());

/** How many watchers were begun. @param {Page} page */
const begun = (page) => page.evaluate(() => /** @type {any} */ (window).watchers.length);

/** Resolves when all watchers of a page but some have ended. @param {Page} page @param {number} [living] */
const ended = (page, living = 0) =>
  page.evaluate(async (living) => {
    const { watchers } = /** @type {any} */ (window);
    const ends = watchers.map(async (/** @type {any} */ watcher) => {
      for await (const _ of watcher);
    });
    for (let left = watchers.length; left > living; --left)
      await Promise.race(ends.map((/** @type {any} */ end, /** @type {number} */ i) => end.then(() => i))).then((i) =>
        ends.splice(i, 1),
      );
  }, living);

/** Returns what a component shows of a value that was read. @param {unknown} value @param {string | null} [error] */
const shown = (value, error = null) => JSON.stringify({ value, loading: false, error });

for (const framework of FRAMEWORKS) {
  test.describe(framework, () => {
    for (const client of ["indexeddb:hooks", "localStorage"]) {
      test(`${client}: a component shows what this page and another one set and delete, and what expires`, async ({
        open,
      }) => {
        const page = await open(framework);
        const other = await open(framework);
        for (const each of [page, other]) await openStores(each, { main: client });
        await call(page, "main", "set", "p:count", 1);
        const views = [{ store: "main", prefix: "p:", key: "count" }];
        for (const each of [page, other]) {
          await show(each, views);
          await expect(each.locator("output")).toHaveText(shown(1));
        }
        await call(other, "main", "set", "p:count", { deep: [2] });
        for (const each of [page, other]) await expect(each.locator("output")).toHaveText(shown({ deep: [2] }));
        await call(page, "main", "del", "p:count");
        for (const each of [page, other]) await expect(each.locator("output")).toHaveText(shown(null));
        await call(page, "main", "set", "p:count", 3, { expires: "1s" });
        for (const each of [page, other]) await expect(each.locator("output")).toHaveText(shown(3));
        for (const each of [page, other]) await expect(each.locator("output")).toHaveText(shown(null));
      });
    }

    test("entries come in the order of their keys, with a limit and backwards too", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      for (const key of ["b", "a", "d"]) await call(page, "main", "set", key, key.toUpperCase());
      await show(page, [
        { store: "main" },
        { store: "main", range: { gte: "b", reverse: true } },
        { store: "main", range: { limit: 2 } },
      ]);
      const expectShown = async (/** @type {string[]} */ ...keys) => {
        for (const [i, each] of keys.entries())
          await expect(page.locator("output").nth(i)).toHaveText(
            shown([...each].map((key) => [key, key.toUpperCase()])),
          );
      };
      await expectShown("abd", "db", "ab");
      await call(page, "main", "set", "c", "C");
      await expectShown("abcd", "dcb", "ab");
      await call(page, "main", "del", "a");
      await expectShown("bcd", "dcb", "bc");
      await call(page, "main", "set", "c", 3);
      const changed = [
        ["b", "B"],
        ["c", 3],
        ["d", "D"],
      ];
      await expect(page.locator("output").first()).toHaveText(shown(changed));
      await call(page, "main", "clear");
      await expectShown("", "", "");
    });

    test("components that show the same share one watcher, whose end is that of the last one", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      await call(page, "main", "set", "p:a", 1);
      const view = { store: "main", prefix: "p:", key: "a" };
      await show(page, [view, view, view]);
      await expect(page.locator("output")).toHaveText([shown(1), shown(1), shown(1)]);
      expect(await begun(page)).toBe(1);
      await show(page, [view]);
      await expect(page.locator("output")).toHaveText([shown(1)]);
      await call(page, "main", "set", "p:a", 2);
      await expect(page.locator("output")).toHaveText([shown(2)]);
      expect(await begun(page)).toBe(1);
      await hide(page);
      await ended(page);
    });

    test("another key and another store come into the place of the first ones", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { one: "memory", other: "memory" });
      await call(page, "one", "set", "a", "one a");
      await call(page, "one", "set", "b", "one b");
      await call(page, "other", "set", "b", "other b");
      for (const [store, key] of ["one a", "one b", "other b"].map((text) => text.split(" "))) {
        await show(page, [{ store, key }]);
        await expect(page.locator("output")).toHaveText(shown(`${store} ${key}`));
      }
      expect(await begun(page)).toBe(3);
      await ended(page, 1);
      await call(page, "one", "set", "a", "unseen");
      await call(page, "other", "set", "b", "seen");
      await expect(page.locator("output")).toHaveText(shown("seen"));
    });

    test("a value that is set again as it is renders nothing", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      await call(page, "main", "set", "a", { deep: [1] });
      await show(page, [{ store: "main", key: "a" }, { store: "main" }, { store: "main", key: "last" }]);
      await expect(page.locator("output")).toHaveText([
        shown({ deep: [1] }),
        shown([["a", { deep: [1] }]]),
        shown(null),
      ]);
      const isSame = await page.evaluate(async () => {
        const { stores } = /** @type {any} */ (window);
        const watcher = stores.main.watch("a")[Symbol.asyncIterator]();
        const change = watcher.next();
        const { renders } = /** @type {any} */ (window);
        await stores.main.set("a", { deep: [1] });
        await change; // The components' watchers have heard of it before this one.
        await new Promise((resolve) => setTimeout(resolve));
        await new Promise((resolve) => requestAnimationFrame(resolve));
        return renders === /** @type {any} */ (window).renders;
      });
      expect(isSame).toBe(true);
    });

    test("a thousand changes in one task render a few times only", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      await show(page, [{ store: "main" }]);
      await expect(page.locator("output")).toHaveText(shown([]));
      await page.evaluate(async () => {
        /** @type {any} */ (window).renders = 0;
        const { main } = /** @type {any} */ (window).stores;
        await Promise.all(Array.from({ length: 1000 }, (_, i) => main.set(`key ${i}`, i)));
      });
      await expect(page.locator("output")).toContainText('["key 999",999]');
      expect(await page.evaluate(() => /** @type {any} */ (window).renders)).toBeLessThan(50);
    });

    test("a component that goes before its store is open leaves no watcher", async ({ open }) => {
      const page = await open(framework);
      await page.evaluate(async () => {
        const { kv, stores, watchers, application } = /** @type {any} */ (window);
        /** @type {(client: Map<string, unknown>) => void} */
        let resolve = () => {};
        const store = kv(new Promise((resolved) => (resolve = resolved)));
        stores.main = store;
        const { watch } = store;
        store.watch = (/** @type {any[]} */ ...args) => watchers[watchers.push(watch(...args)) - 1];
        application.show([{ store: "main", key: "a" }]);
        const mounted = () => document.querySelector("output");
        while (!mounted()) await new Promise(requestAnimationFrame);
        await application.hide();
        resolve(new Map());
        await store.get("a");
      });
      await ended(page);
    });

    test("a store that is closed shows ERR_CLOSED beside the last value", async ({ open }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      await call(page, "main", "set", "a", 1);
      await show(page, [{ store: "main", key: "a" }]);
      await expect(page.locator("output")).toHaveText(shown(1));
      await call(page, "main", "close");
      await expect(page.locator("output")).toHaveText(shown(1, "ERR_CLOSED"));
      await show(page, [{ store: "main", key: "b" }]);
      await expect(page.locator("output")).toHaveText(shown(null, "ERR_CLOSED"));
    });

    test("a server renders that something is loading, without a watcher, and the page takes that over", async ({
      open,
      folder,
    }) => {
      const page = await open(framework);
      await openStores(page, { main: "memory" });
      await call(page, "main", "set", "a", 1);
      const views = [
        { store: "main", key: "a" },
        { store: "main", range: { limit: 5 } },
      ];
      const { render } = await import(join(process.cwd(), folder, `${framework}.server.mjs`));
      const { default: kv } = await import("polystore-wasm");
      const store = kv(new Map());
      /** @type {any[]} */
      const watched = [];
      store.watch = /** @type {any} */ ((/** @type {any[]} */ ...args) => watched.push(args));
      /** @type {any} */ (globalThis).stores = { main: store };
      const html = await render(views);
      await store.get("a");
      expect(watched).toEqual([]);
      expect(html.match(/loading(&quot;|"):true/g)).toHaveLength(2);
      await page.evaluate((html) => {
        document.body.innerHTML = html;
        /** @type {any} */ (window).first = document.querySelector("output");
      }, html);
      await page.evaluate((views) => /** @type {any} */ (window).application.hydrate(views), views);
      await expect(page.locator("output")).toHaveText([shown(1), shown([["a", 1]])]);
      expect(await page.evaluate(() => /** @type {any} */ (window).first === document.querySelector("output"))).toBe(
        true,
      );
    });
  });
}
