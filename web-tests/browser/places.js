// The places of a browser: pages of an origin, with any policy, its service worker, and its shared workers.

import { mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { build } from "esbuild";
import { test as base } from "../support/browser.js";
import { serve, STRICT_POLICY } from "../support/server.js";

/** The log of these tests. */
export const LOG = "opfs:notes";

/** A call of the store of LOG: the method, and what it is given. @typedef {readonly [method: string, ...args: any[]]} Call */
/** Makes calls one after the other, in one place, and resolves with what they give. @typedef {(...calls: Call[]) => Promise<any[]>} Place */
/** @typedef {import("@playwright/test").Page} Page */
/** @typedef {import("@playwright/test").Worker} Worker */

/** What runs in a service worker, and in a shared one: all of it in one file, for a service worker can import nothing. */
const PROGRAM = `
  import kv from "polystore-wasm";
  import "polystore-wasm/opfs";
  self.kv = kv;
  self.makeCalls = ${makeCalls};
  self.onconnect = ({ ports: [port] }) => {
    port.onmessage = async ({ data }) => port.postMessage(await makeCalls(data).catch(String));
  };`;

/** @param {{ log: any, calls: Call[] }} given */
async function makeCalls({ log, calls }) {
  const store = /** @type {any} */ (globalThis).kv(log);
  const results = [];
  for (const [method, ...args] of calls) results.push(method === "type" ? store.type : await store[method](...args));
  return results;
}

/** Playwright's `test`, with the places of an origin. */
export const test = base.extend(
  /** @type {import("@playwright/test").Fixtures<{ places: Places }, { folder: string }, {}, import("../support/browser.js").WorkerFixtures>} */ ({
    /** What the server of these tests has. */
    folder: [
      async ({}, use) => {
        const folder = await mkdtemp(join(tmpdir(), "polystore-places-"));
        const stdin = { contents: PROGRAM, resolveDir: resolve(".") };
        // That a classic script has no import.meta is known: there, the worker starts from a text.
        const logOverride = { "empty-import-meta": /** @type {const} */ ("silent") };
        await build({ stdin, bundle: true, format: "iife", outfile: join(folder, "place.js"), logOverride });
        await symlink(resolve("dist"), join(folder, "dist"));
        await writeFile(join(folder, "page.html"), '<!doctype html><script type="module" src="page.js"></script>');
        await writeFile(join(folder, "bundled.html"), '<!doctype html><script src="place.js"></script>');
        await writeFile(join(folder, "page.js"), 'import kv from "/dist/index.js"; window.kv = kv;');
        await use(folder);
        await rm(folder, { recursive: true });
      },
      { scope: "worker" },
    ],
    // Each has an origin of its own, which holds nothing, and whose service worker nobody has.
    places: async ({ chromiumContext, folder }, use) => {
      const server = await serve({ root: folder });
      const places = new Places(chromiumContext, server.origin);
      await use(places);
      await places.close();
      await server.close();
    },
  }),
);

/** The places of one origin. */
class Places {
  #context;
  #origin;
  /** @type {Page[]} */
  #pages = [];

  /**
   * @param {import("@playwright/test").BrowserContext} context
   * @param {string} origin
   */
  constructor(context, origin) {
    this.#context = context;
    this.#origin = origin;
  }

  /**
   * @param {string} [policy]
   * @param {"page" | "bundled"} [name] Whether the page loads the package's files, or all of it in one.
   * @param {() => void} [prepare] Runs in the page before its scripts.
   * @returns {Promise<Page>}
   */
  async open(policy = STRICT_POLICY, name = "page", prepare = undefined) {
    const page = await this.#context.newPage();
    this.#pages.push(page);
    if (prepare) await page.addInitScript(prepare);
    await page.goto(`${this.#origin}/${name}.html?policy=${encodeURIComponent(policy)}`);
    await page.evaluate(`window.makeCalls = ${makeCalls}`);
    return page;
  }

  /** A page that can start no worker. */
  openStrict() {
    return this.open(`${STRICT_POLICY}; worker-src 'none'`);
  }

  /** @returns {Promise<Worker>} */
  async startServiceWorker() {
    const page = await this.open();
    const starting = this.#context.waitForEvent("serviceworker");
    await page.evaluate(() => navigator.serviceWorker.register("/place.js").then(() => navigator.serviceWorker.ready));
    await page.close();
    return starting;
  }

  /** Ends all service workers, as the browser does with those that have nothing to do. */
  async stopServiceWorkers() {
    const page = await this.open();
    const devtools = await this.#context.newCDPSession(page);
    await devtools.send("ServiceWorker.enable");
    await devtools.send("ServiceWorker.stopAllWorkers");
    await page.close();
  }

  async close() {
    for (const page of this.#pages) await page.close();
  }
}

/** @param {Page | Worker} place @returns {Place} */
export const callsIn =
  (place) =>
  (...calls) =>
    /** @type {Page} */ (place).evaluate((given) => /** @type {any} */ (globalThis).makeCalls(given), {
      log: LOG,
      calls,
    });

/** @param {Page} page Starts a shared worker. @returns {Place} */
export const callsInShared =
  (page) =>
  (...calls) =>
    page.evaluate(
      (given) =>
        new Promise((resolve, reject) => {
          const test = /** @type {any} */ (window);
          const { port } = (test.shared ??= new SharedWorker("/place.js"));
          port.onmessage = (/** @type {MessageEvent} */ { data }) =>
            Array.isArray(data) ? resolve(data) : reject(data);
          port.postMessage(given);
        }),
      { log: LOG, calls },
    );
