// The plugins of polystore 0.27 over stores of ours, each in the framework that it is for.
import assert from "node:assert/strict";
import { test } from "node:test";
import axios from "axios";
import { setupCache } from "axios-cache-interceptor";
import { betterAuth } from "better-auth";
import express from "express";
import session from "express-session";
import { Hono } from "hono";
import { sessionMiddleware } from "hono-sessions";
import kv from "polystore-wasm";
import { PolystoreAxiosCacheStorage } from "polystore/axios-cache-interceptor";
import { PolystoreBetterAuthStorage } from "polystore/better-auth";
import { PolystoreSessionStore } from "polystore/express";
import { PolystoreHonoStore } from "polystore/hono-sessions";
import { served, twice } from "../support/served.js";

test("express-session keeps its sessions, with the time at which their cookies expire", async () => {
  const store = kv(new Map());
  // The types of the plugin are those of polystore's own store.
  const sessions = /** @type {any} */ (new PolystoreSessionStore(/** @type {any} */ (store)));
  const app = express();
  app.use(
    session({ secret: "s", resave: false, saveUninitialized: false, store: sessions, cookie: { maxAge: 60_000 } }),
  );
  app.get("/", (request, response) => {
    const seen = /** @type {any} */ (request.session);
    seen.views = (seen.views ?? 0) + 1;
    response.send(`${seen.views} ${seen.cookie.expires instanceof Date}`);
  });
  await served(app, async (url) => {
    assert.deepEqual(await twice((headers) => fetch(url, { headers })), ["1 true", "2 true"]);
  });
  const [kept] = await store.values();
  assert.deepEqual([kept.views, kept.cookie.originalMaxAge, typeof kept.cookie.expires], [2, 60_000, "string"]);
});

test("hono-sessions keeps its sessions", async () => {
  const sessions = new PolystoreHonoStore(/** @type {any} */ (kv(new Map())));
  const app = new Hono();
  const encryptionKey = "a password of at least 32 characters";
  app.use("*", sessionMiddleware({ store: /** @type {any} */ (sessions), encryptionKey, expireAfterSeconds: 900 }));
  app.get("/", (context) => {
    const seen = /** @type {any} */ (context).get("session");
    seen.set("views", (seen.get("views") ?? 0) + 1);
    return context.text(String(seen.get("views")));
  });
  assert.deepEqual(await twice((headers) => app.request("/", { headers })), ["1", "2"]);
});

test("better-auth keeps its sessions", async () => {
  const store = kv(new Map());
  const secondaryStorage = /** @type {any} */ (new PolystoreBetterAuthStorage(/** @type {any} */ (store)));
  const auth = betterAuth({
    baseURL: "http://localhost:3000",
    secret: "a secret of at least 32 characters",
    secondaryStorage,
    emailAndPassword: { enabled: true },
    session: { storeSessionInDatabase: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
  });
  const body = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };
  const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true });
  const cookie = headers.getSetCookie().map((text) => text.split(";")[0]);
  const found = await auth.api.getSession({ headers: new Headers({ cookie: cookie.join("; ") }) });
  assert.equal(found?.user.email, "ada@example.com");
  assert.ok((await store.keys()).length > 0, "the store has the session");
});

test("axios-cache-interceptor keeps its answers", async () => {
  const store = kv(new Map());
  let requests = 0;
  await served(
    (_, response) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ requests: ++requests }));
    },
    async (url) => {
      const storage = /** @type {any} */ (new PolystoreAxiosCacheStorage(/** @type {any} */ (store)));
      const client = setupCache(axios.create(), { storage });
      const answers = [await client.get(url), await client.get(url)];
      assert.deepEqual(
        answers.map(({ data, cached }) => [data.requests, cached]),
        [
          [1, false],
          [1, true],
        ],
      );
    },
  );
  const [kept] = await store.values();
  assert.equal(kept.data.headers["content-type"], "application/json");
});

test("the headers of axios, which have a toJSON(), can be stored", async () => {
  const headers = new axios.AxiosHeaders({ accept: "text/html" });
  const store = kv(new Map());
  await store.set("answer", { headers });
  assert.deepEqual(await store.get("answer"), { headers: { accept: "text/html" } });
});
