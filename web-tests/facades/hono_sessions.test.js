// The sessions of hono-sessions over a store, in hono-sessions itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Hono } from "hono";
import { sessionMiddleware } from "hono-sessions";
import kv from "polystore-wasm";
import { sessionStore } from "polystore-wasm/hono-sessions";
import { filesFor, urlOf } from "../support/files.js";
import { twice } from "../support/served.js";

const NOW = 1_700_000_000_000;
const { freshPath } = filesFor("hono-sessions");

/**
 * An application that counts the views of a session.
 * @param {import("polystore-wasm").Store} store
 * @param {object} [options]
 */
function application(store, options) {
  const app = new Hono();
  const encryptionKey = "a password of at least 32 characters";
  app.use("*", sessionMiddleware({ store: sessionStore(store), encryptionKey, ...options }));
  app.get("/", (context) => {
    const seen = /** @type {any} */ (context).get("session");
    seen.set("views", (seen.get("views") ?? 0) + 1);
    if (context.req.query("end")) seen.deleteSession();
    return context.text(String(seen.get("views")));
  });
  return app;
}

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [name, open] of clients) {
  test(`hono-sessions keeps its sessions over ${name}, and the store removes what is over`, async ({ mock }) => {
    mock.timers.enable({ apis: ["Date"], now: NOW });
    const store = kv(open());
    const app = application(store, { expireAfterSeconds: 900 });
    const visit = async (/** @type {Record<string, string>} */ headers) => {
      const response = await app.request("/", { headers });
      mock.timers.setTime(Date.now() + 600_000);
      return response;
    };
    assert.deepEqual(await twice(visit), ["1", "2"]);
    const [id] = await store.keys();
    assert.equal(await store.ttl(id), 300);
    mock.timers.setTime(Date.now() + 300_000);
    assert.deepEqual(await store.keys(), []);
    await store.close();
  });
}

test("a session without an expiry has the default expiry of the store, and can be deleted", async () => {
  const store = kv().expires("1 day");
  const app = application(store);
  assert.deepEqual(await twice((headers) => app.request("/", { headers })), ["1", "2"]);
  const [id] = await store.keys();
  assert.notEqual(await store.ttl(id), Infinity);
  await twice((headers) => app.request("/?end=1", { headers }));
  assert.deepEqual(await store.keys(), [id]);
});
