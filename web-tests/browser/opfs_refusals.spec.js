// What a browser can refuse to a log, or to its worker: each is answered, with the true reason, or done without.

import { expect } from "@playwright/test";
import { STRICT_POLICY } from "../support/server.js";
import { callsIn, LOG, test } from "./places.js";

/** @typedef {import("@playwright/test").Page} Page */

/** What a call gives, or the error that it rejects with. @param {Page} page @param {[method: string, ...args: any[]]} call */
const attempt = (page, ...[method, ...args]) =>
  page.evaluate(
    async ({ log, method, args }) => {
      const store = /** @type {any} */ (window.kv(/** @type {any} */ (log)));
      return store[method](...args).catch((/** @type {any} */ { code, message, cause }) => ({
        code,
        message,
        cause: cause && `${cause.name}: ${cause.message}`,
      }));
    },
    { log: LOG, method, args },
  );

/** Lets the page start other programs as its workers. @param {Page} page @param {string} text */
const startWorkersOf = (page, text) =>
  page.evaluate((text) => {
    const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
    window.Worker = /** @type {any} */ (
      class extends Worker {
        constructor() {
          super(url);
        }
      }
    );
  }, text);
const WITH_BLOBS = `${STRICT_POLICY}; worker-src 'self' blob:`;

for (const policy of [STRICT_POLICY, WITH_BLOBS]) {
  test(`storage that is denied is an error, and close() is answered, under ${policy}`, async ({ places }) => {
    const page = await places.open(`${policy}; sandbox allow-scripts`, "bundled");
    const failure = await attempt(page, "set", "a", 1);
    expect(failure).toEqual({
      code: "ERR_CLIENT",
      message: expect.stringMatching(/denied|sandboxed/),
      cause: expect.stringMatching(/^SecurityError: /),
    });
    expect(await attempt(page, "get", "a")).toMatchObject({ code: "ERR_CLIENT" });
    expect(await attempt(page, "close")).toBe(undefined);
  });
}

test("a worker that is loaded and never runs is done without", async ({ places }) => {
  const page = await places.open(WITH_BLOBS);
  await startWorkersOf(page, "");
  await page.evaluate(() => {
    AbortSignal.timeout = () => {
      const controller = new AbortController();
      setTimeout(() => controller.abort());
      return controller.signal;
    };
  });
  expect(await callsIn(page)(["set", "a", 1], ["all"])).toEqual(["a", { a: 1 }]);
});

test("workers that die as soon as they run are an error, and the next call tries again", async ({ places }) => {
  const page = await places.open(WITH_BLOBS);
  await startWorkersOf(page, 'onmessage = () => { postMessage("alive"); close(); };');
  const failure = await attempt(page, "set", "a", 1);
  expect(failure).toEqual({ code: "ERR_CLIENT", message: expect.stringMatching(/ended 5 times before it answered/) });
  await page.evaluate(() => (window.Worker = Object.getPrototypeOf(Worker)));
  expect(await callsIn(page)(["set", "a", 1], ["all"], ["close"])).toEqual(["a", { a: 1 }, undefined]);
});

test("an error of the worker has what the browser said", async ({ places }) => {
  const page = await places.open(WITH_BLOBS);
  await startWorkersOf(
    page,
    `FileSystemFileHandle.prototype.createSyncAccessHandle = () => Promise.reject(new DOMException("Not now.", "InvalidStateError"));
     importScripts("${new URL("/dist/clients/opfs/worker.js", page.url())}");`,
  );
  expect(await attempt(page, "get", "a")).toEqual({
    code: "ERR_CLIENT",
    message: "The log failed: Not now.",
    cause: "InvalidStateError: Not now.",
  });
});

test("a browser without synchronous access to files keeps the log without that", async ({ places }) => {
  const page = await places.open(WITH_BLOBS);
  await startWorkersOf(
    page,
    `FileSystemFileHandle.prototype.createSyncAccessHandle = () => Promise.reject(new DOMException("No.", "NotSupportedError"));
     importScripts("${new URL("/dist/clients/opfs/worker.js", page.url())}");`,
  );
  expect(await callsIn(page)(["set", "a", 1], ["type"])).toEqual(["a", "OPFS"]);
  await page.close();
  expect(await callsIn(await places.open())(["all"])).toEqual([{ a: 1 }]);
});

for (const [names, isWorker] of /** @type {const} */ ([
  ["polystore-wasm", true],
  ["'none'", false],
])) {
  test(`a page that demands trusted types, and trusts ${names}, has the log`, async ({ places }) => {
    const page = await places.open(`${STRICT_POLICY}; require-trusted-types-for 'script'; trusted-types ${names}`);
    const started = isWorker && page.waitForEvent("worker");
    expect(await callsIn(page)(["set", "a", 1], ["all"], ["type"])).toEqual(["a", { a: 1 }, "OPFS"]);
    if (started) expect((await started).url()).toMatch(/opfs\/worker\.js$/);
    else expect(page.workers()).toEqual([]);
  });
}

/** Replaces what a library of fake timers does: none of it is ever called. */
function stopTimers() {
  const never = /** @type {any} */ (() => 0);
  window.setTimeout = window.setInterval = window.requestAnimationFrame = window.requestIdleCallback = never;
  window.queueMicrotask = never;
}

for (const policy of [STRICT_POLICY, `${STRICT_POLICY}; worker-src 'none'`]) {
  test(`timers that stand still keep no call waiting, under ${policy}`, async ({ places }) => {
    const page = await places.open(policy, "page", stopTimers);
    const calls = /** @type {const} */ ([["set", "a", 1], ["get", "a"], ["all"], ["clear"], ["keys"], ["close"]]);
    expect(await callsIn(page)(.../** @type {any} */ (calls))).toEqual(["a", 1, { a: 1 }, undefined, [], undefined]);
  });
}
