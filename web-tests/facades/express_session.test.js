// The sessions of express-session over a store, in express-session itself.

import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { test } from "node:test";
import { promisify } from "node:util";
import express from "express";
import session from "express-session";
import kv from "polystore-wasm";
import { sessionStore } from "polystore-wasm/express-session";
import { filesFor, urlOf } from "../support/files.js";
import { served, twice } from "../support/served.js";
import { storeWithoutChanges } from "../support/unsupported.js";

const NOW = 1_700_000_000_000;
const OPTIONS = { secret: "s", resave: false, saveUninitialized: false };
const { freshPath } = filesFor("express-session");

/**
 * An application that counts the views of a session.
 * @param {Partial<import("express-session").SessionOptions>} options
 * @param {(request: any) => void} [visit]
 */
function application(options, visit = ({ session }) => (session.views = (session.views ?? 0) + 1)) {
  const app = express();
  app.use(session({ ...OPTIONS, ...options }));
  app.get("/", (request, response) => {
    visit(request);
    response.send(String(/** @type {any} */ (request.session)?.views));
  });
  return app;
}

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [name, open] of clients) {
  test(`express-session keeps its sessions over ${name}, as long as their cookies`, async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: NOW });
    const store = kv(open());
    const app = application({ store: sessionStore(store, session), cookie: { maxAge: 60_000 } });
    await served(app, async (url) => {
      assert.deepEqual(await twice((headers) => fetch(url, { headers })), ["1", "2"]);
    });
    const [id] = await store.keys();
    assert.deepEqual([await store.ttl(id), (await store.get(id)).cookie.originalMaxAge], [60, 60_000]);
    mock.timers.setTime(NOW + 60_000);
    assert.deepEqual(await store.keys(), []);
    await store.close();
  });
}

test("a visit that changes nothing renews the session, and leaves the stored data as they are", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const store = kv();
  const cookie = { maxAge: 60_000 };
  const app = application({ store: sessionStore(store, session), cookie }, (request) => (request.session.views ??= 1));
  await served(app, async (url) => {
    await twice(async (headers) => {
      const response = await fetch(url, { headers });
      await response.clone().text();
      mock.timers.setTime(Date.now() + 40_000);
      return response;
    });
  });
  const [id] = await store.keys();
  assert.deepEqual([await store.ttl(id), (await store.get(id)).views], [20, 1]);
});

test("a touch does not undo what another request stored meanwhile", async () => {
  const store = kv();
  const sessions = sessionStore(store, session);
  const cookie = { originalMaxAge: 60_000, expires: new Date(Date.now() + 60_000) };
  await Promise.all([sessions.set("a", { cookie, views: 2 }), sessions.touch("a", { cookie, views: 1 })]);
  assert.equal((await store.get("a")).views, 2);
});

test("a cookie without an expiry leaves the life of its session to the store", async () => {
  const store = kv().expires("1 day");
  const sessions = sessionStore(store, session);
  await sessions.set("a", { cookie: { expires: null } });
  const life = await store.ttl("a");
  assert.ok(life !== null && life > 86_000 && life <= 86_400, `${life}`);
  await sessions.touch("a", { cookie: {} });
  assert.notEqual(await store.ttl("a"), Infinity);
});

test("req.session can be regenerated, reloaded and destroyed", async () => {
  const store = kv();
  const app = express();
  app.use(session({ ...OPTIONS, store: sessionStore(store, session) }));
  app.get("/", async (request, response) => {
    const first = request.sessionID;
    await promisify(request.session.regenerate.bind(request.session))();
    const seen = /** @type {any} */ (request.session);
    seen.at = new Date(0);
    await promisify(seen.save.bind(seen))();
    await promisify(seen.reload.bind(seen))();
    const { at } = /** @type {any} */ (request.session);
    const kept = await store.keys();
    await promisify(request.session.destroy.bind(request.session))();
    response.json([first === request.sessionID, at, kept.length, await store.keys()]);
  });
  await served(app, async (url) => {
    assert.deepEqual(await (await fetch(url)).json(), [false, "1970-01-01T00:00:00.000Z", 1, []]);
  });
});

test("all sessions can be listed, counted and cleared, with callbacks and with promises", async () => {
  const map = new Map([["other", { expires: null, value: 1 }]]);
  const sessions = sessionStore(kv(map).prefix("session:"), session);
  await promisify((/** @type {any} */ done) => sessions.set("a", { cookie: {}, views: 1 }, done))();
  await sessions.set("b", { cookie: {}, views: 2 });
  const all = await promisify((/** @type {any} */ done) => sessions.all(done))();
  assert.deepEqual(all, { a: { cookie: {}, views: 1 }, b: { cookie: {}, views: 2 } });
  assert.equal(await promisify((/** @type {any} */ done) => sessions.length(done))(), 2);
  await promisify((/** @type {any} */ done) => sessions.clear(done))();
  assert.deepEqual([await sessions.length(), [...map.keys()]], [0, ["other"]]);
});

test("an error of the store reaches the callback, and so the application", async () => {
  const store = kv();
  const sessions = sessionStore(store, session);
  const app = application({ store: sessions });
  app.use((/** @type {any} */ error, /** @type {any} */ _, /** @type {any} */ response, /** @type {any} */ __) => {
    response.status(500).send(error.code);
  });
  await served(app, async (url) => {
    const cookie = (await fetch(url)).headers.getSetCookie().map((text) => text.split(";")[0]);
    await store.close();
    assert.equal(await (await fetch(url, { headers: { cookie: cookie.join("; ") } })).text(), "ERR_CLOSED");
  });
  const touching = sessionStore(storeWithoutChanges(), session).touch("a", { cookie: {} });
  await assert.rejects(touching, { code: "ERR_UNSUPPORTED" });
});

test("it can be required", () => {
  const require = createRequire(import.meta.url);
  const { sessionStore } = require("polystore-wasm/express-session");
  assert.ok(sessionStore(kv(), session) instanceof session.Store);
});
