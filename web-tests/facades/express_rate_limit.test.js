// The counters of express-rate-limit and hono-rate-limiter over a store, in the limiters themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import express from "express";
import { rateLimit } from "express-rate-limit";
import { Hono } from "hono";
import { rateLimiter } from "hono-rate-limiter";
import kv from "polystore-wasm";
import { rateLimitStore } from "polystore-wasm/express-rate-limit";
import { handler, listener } from "polystore-wasm/server";
import { filesFor, urlOf } from "../support/files.js";
import { serveHttp } from "../support/http.js";
import { served } from "../support/served.js";
import { storeWithoutChanges } from "../support/unsupported.js";

const NOW = 1_700_000_000_000;
const { freshPath } = filesFor("rate-limit");

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [name, open] of clients) {
  test(`express-rate-limit counts over ${name}, in a window that does not move`, async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: NOW });
    const store = kv(open(), { prefix: "limit:" });
    const app = express();
    app.use(rateLimit({ windowMs: 60_000, limit: 2, legacyHeaders: true, store: rateLimitStore(store) }));
    app.get("/", (_, response) => void response.send("served"));
    await served(app, async (url) => {
      const visit = async () => {
        const { status, headers } = await fetch(url);
        return [status, headers.get("x-ratelimit-remaining"), Number(headers.get("x-ratelimit-reset")) * 1000 - NOW];
      };
      assert.deepEqual(await visit(), [200, "1", 60_000]);
      mock.timers.setTime(NOW + 50_000);
      assert.deepEqual(await visit(), [200, "0", 60_000]);
      assert.deepEqual(await visit(), [429, "0", 60_000]);
      mock.timers.setTime(NOW + 60_000);
      assert.deepEqual(await visit(), [200, "1", 120_000]);
    });
    await store.close();
  });
}

test("a hit asks a server for the counter and its window at once", { timeout: 10_000 }, async () => {
  const serve = handler(kv(new Map()));
  /** @type {() => void} */
  let open = () => {};
  const both = new Promise((resolve) => (open = () => resolve(undefined)));
  let requests = 0;
  const { origin } = await serveHttp(
    listener(async (request) => {
      if (++requests === 2) open();
      await both; // The first request is not answered before the second one is here.
      return serve(request);
    }),
  );
  const store = kv(/** @type {`http://${string}`} */ (`${origin}/`), { timeout: 5000 });
  assert.equal((await rateLimitStore(store).increment("ada")).totalHits, 1);
  await store.close();
});

test("of many hits at once, none is lost", async () => {
  const store = kv(urlOf(freshPath()));
  // Two limiters, as in two processes.
  const limiters = [rateLimitStore(store), rateLimitStore(store)];
  const infos = await Promise.all(Array.from({ length: 100 }, (_, i) => limiters[i % 2].increment("ada")));
  assert.deepEqual(
    infos.map(({ totalHits }) => totalHits).sort((a, b) => a - b),
    infos.map((_, i) => i + 1),
  );
  await store.close();
});

test("express-rate-limit takes back the hits that it skips, reads a counter, and resets it", async () => {
  const limiter = rateLimit({
    limit: 1,
    skipFailedRequests: true,
    store: rateLimitStore(kv()),
    keyGenerator: () => "ada",
  });
  const app = express();
  app.use(limiter);
  app.get("/", (request, response) => void response.status(Number(request.query.status)).send(""));
  await served(app, async (url) => {
    const skipped = await fetch(`${url}?status=500`);
    assert.equal(skipped.status, 500);
    assert.equal((await limiter.getKey("ada"))?.totalHits, 0);
    assert.deepEqual(
      [(await fetch(`${url}?status=200`)).status, (await fetch(`${url}?status=200`)).status],
      [200, 429],
    );
    limiter.resetKey("ada");
    assert.equal((await fetch(`${url}?status=200`)).status, 200);
  });
  assert.equal(await limiter.getKey("bob"), undefined);
});

test("a hit that is taken back after its window, or twice, makes no counter below 0", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const store = kv();
  const limiter = rateLimitStore(store);
  limiter.init({ windowMs: 1500 });
  await limiter.increment("ada");
  mock.timers.setTime(NOW + 1500);
  await limiter.decrement("ada");
  assert.deepEqual(await store.keys(), []);
  assert.deepEqual(await limiter.increment("ada"), { totalHits: 1, resetTime: new Date(NOW + 3000) });
  await limiter.decrement("ada");
  await limiter.decrement("ada");
  assert.deepEqual(await limiter.get("ada"), { totalHits: 0, resetTime: new Date(NOW + 3000) });
});

test("resetAll() resets the counters under the prefix of the store only", async () => {
  const map = new Map();
  const [first, second] = ["first:", "second:"].map((prefix) => rateLimitStore(kv(map).prefix(prefix)));
  await Promise.all([first.increment("ada"), second.increment("ada")]);
  await first.resetAll();
  assert.deepEqual([await first.get("ada"), (await second.get("ada"))?.totalHits], [undefined, 1]);
  assert.deepEqual([first.prefix, second.prefix], ["first:", "second:"]);
});

test("hono-rate-limiter counts over a store", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const app = new Hono();
  const store = rateLimitStore(kv());
  app.use(rateLimiter({ windowMs: 60_000, limit: 2, standardHeaders: "draft-7", store, keyGenerator: () => "ada" }));
  app.get("/", (context) => context.text("served"));
  const visit = async () => {
    const { status, headers } = await app.request("/");
    return [status, headers.get("ratelimit")];
  };
  assert.deepEqual(await visit(), [200, "limit=2, remaining=1, reset=60"]);
  mock.timers.setTime(NOW + 20_000);
  assert.deepEqual(await visit(), [200, "limit=2, remaining=0, reset=40"]);
  assert.deepEqual((await visit())[0], 429);
});

test("over a storage that cannot change atomically, a hit is ERR_UNSUPPORTED and not a wrong count", async () => {
  const limiter = rateLimitStore(storeWithoutChanges());
  await assert.rejects(limiter.increment("ada"), { code: "ERR_UNSUPPORTED" });
  await assert.rejects(limiter.decrement("ada"), { code: "ERR_UNSUPPORTED" });
  await assert.rejects(limiter.get("ada"), { code: "ERR_UNSUPPORTED" });
});
