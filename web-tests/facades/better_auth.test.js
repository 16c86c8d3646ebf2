// The secondary storage of better-auth over a store, in better-auth itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import { betterAuth } from "better-auth";
import kv from "polystore-wasm";
import { secondaryStorage } from "polystore-wasm/better-auth";
import { filesFor, urlOf } from "../support/files.js";
import { storeWithoutChanges } from "../support/unsupported.js";

const NOW = 1_700_000_000_000;
const { freshPath } = filesFor("better-auth");

/**
 * @param {import("polystore-wasm").Store} store
 * @param {Partial<import("better-auth").BetterAuthOptions>} [options]
 */
const authOver = (store, options) =>
  betterAuth({
    baseURL: "http://localhost:3000",
    secret: "a secret of at least 32 characters",
    secondaryStorage: secondaryStorage(store),
    emailAndPassword: { enabled: true },
    session: { storeSessionInDatabase: false },
    telemetry: { enabled: false },
    logger: { disabled: true },
    ...options,
  });

const body = { name: "Ada", email: "ada@example.com", password: "correct horse battery" };

test("better-auth keeps its sessions over a File, and ends them", async () => {
  const store = kv(urlOf(freshPath()), { prefix: "auth:" });
  const auth = authOver(store);
  const { headers } = await auth.api.signUpEmail({ body, returnHeaders: true });
  const cookie = headers.getSetCookie().map((text) => text.split(";")[0]);
  const visit = { headers: new Headers({ cookie: cookie.join("; ") }) };
  assert.equal((await auth.api.getSession(visit))?.user.email, "ada@example.com");
  for (const key of await store.keys()) assert.notEqual(await store.ttl(key), Infinity, key);
  await auth.api.signOut(visit);
  assert.equal(await auth.api.getSession(visit), null);
  await store.close();
});

test("better-auth limits requests in a window that does not move, also those that come at once", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const store = kv();
  const rateLimit = /** @type {const} */ ({ enabled: true, window: 10, max: 3, storage: "secondary-storage" });
  const auth = authOver(store, { rateLimit });
  const ask = async () => {
    const headers = { "x-forwarded-for": "203.0.113.7" };
    const response = await auth.handler(new Request("http://localhost:3000/api/auth/get-session", { headers }));
    return response.status;
  };
  const statuses = await Promise.all(Array.from({ length: 8 }, ask));
  assert.deepEqual(statuses.sort(), [200, 200, 200, 429, 429, 429, 429, 429]);
  mock.timers.setTime(NOW + 9000);
  assert.equal(await ask(), 429);
  mock.timers.setTime(NOW + 10_000);
  assert.equal(await ask(), 200);
});

test("increment() sets the time to live of a counter that is made, and of no other", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const store = kv();
  const { increment } = secondaryStorage(store);
  assert.equal(await increment("a", 10), 1);
  mock.timers.setTime(NOW + 4000);
  assert.equal(await increment("a", 10), 2);
  assert.equal(await store.ttl("a"), 6);
});

test("of several getAndDelete() at once, one receives the value", async () => {
  const storage = secondaryStorage(kv(urlOf(freshPath())));
  await storage.set("a", "once", 60);
  const taken = await Promise.all(Array.from({ length: 5 }, () => storage.getAndDelete("a")));
  assert.deepEqual(
    taken.filter((value) => value !== null),
    ["once"],
  );
  assert.equal(await storage.get("a"), null);
});

test("set() without a time to live has the store's default, and delete() deletes", async () => {
  const store = kv(new Map(), { expires: 60 });
  const storage = secondaryStorage(store);
  await storage.set("a", "b");
  const life = await store.ttl("a");
  assert.ok(life !== null && life > 50 && life <= 60, `${life}`);
  await storage.delete("a");
  assert.equal(await storage.get("a"), null);
});

test("over a storage that cannot change atomically, what has to be atomic is ERR_UNSUPPORTED", async () => {
  const storage = secondaryStorage(storeWithoutChanges());
  await storage.set("a", "b", 60);
  assert.equal(await storage.get("a"), "b");
  await assert.rejects(storage.increment("c", 60), { code: "ERR_UNSUPPORTED" });
  await assert.rejects(storage.getAndDelete("a"), { code: "ERR_UNSUPPORTED" });
});
