import assert from "node:assert/strict";
import { test } from "node:test";
import { Keyv as Keyv5 } from "keyv5";
import { Keyv as Keyv6, KeyvMemoryAdapter } from "keyv6";
import { LRUCache } from "lru-cache";
import kv from "polystore-wasm";
import { WeakLRUCache } from "weak-lru-cache";
import { keyv, lruCache, weakLruCache } from "../contract/clients/caches.js";
import { testContract } from "../contract/suite.js";

testContract(lruCache(kv, "LRUCache", (options) => new LRUCache(/** @type {any} */ (options))));
testContract(
  lruCache(
    kv,
    "LRUCache that hands out what has expired",
    (options) => new LRUCache(/** @type {any} */ ({ ...options, allowStale: true })),
  ),
);
// The serializer that Keyv 5 has by default fails on a member toJSON that is no function.
const json = { serialize: JSON.stringify, deserialize: JSON.parse };
testContract(keyv(kv, "Keyv 5", () => new Keyv5(json)));
testContract(keyv(kv, "Keyv 5 without prefixes", () => new Keyv5({ ...json, useKeyPrefix: false })));
testContract(keyv(kv, "Keyv 6", () => new Keyv6()));
testContract(keyv(kv, "Keyv 6 with a namespace", () => new Keyv6({ namespace: "a:b" })));
testContract(keyv(kv, "Keyv 6 without serialization", () => new Keyv6({ serialization: false })));
testContract(weakLruCache(kv, () => new WeakLRUCache()));

/** @type {Record<string, () => any>} */
const makers = {
  LRUCache: () => new LRUCache({ max: 100 }),
  "Keyv 5": () => new Keyv5(),
  "Keyv 6": () => new Keyv6(),
};

for (const [name, make] of Object.entries(makers)) {
  test(`${name}: values are those of its other users, both ways`, async () => {
    const cache = make();
    const store = kv(cache);
    await store.set("ours", { a: 1 }, { expires: "1h" });
    await cache.set("theirs", { b: [2] });
    assert.deepEqual(await cache.get("ours"), { a: 1 });
    assert.deepEqual(await store.all(), { ours: { a: 1 }, theirs: { b: [2] } });
    assert.deepEqual(await store.get("theirs"), { b: [2] });
  });

  test(`${name}: clear() of a sub-store leaves what lies outside`, async () => {
    const cache = make();
    const store = kv(cache);
    await cache.set("b:theirs", 1);
    await store.set("a:1", 1);
    await store.set("b:1", 2);
    await store.prefix("a:").clear();
    assert.deepEqual((await store.keys()).sort(), ["b:1", "b:theirs"]);
  });
}

test("LRUCache: the expiry is its own, which it tells", async () => {
  const cache = new LRUCache({ max: 10 });
  await kv(cache).set("a", 1, { expires: "10s" });
  const remaining = cache.getRemainingTTL("a");
  assert.ok(remaining > 9000 && remaining <= 10_000, `${remaining} ms`);
  await kv(cache).set("a", 1);
  assert.equal(cache.getRemainingTTL("a"), Infinity);
});

test("LRUCache: its own life of a value holds where the store gives none", async () => {
  const cache = new LRUCache({ max: 10, ttl: 60_000, noUpdateTTL: true });
  const store = kv(cache);
  await store.set("a", 1);
  assert.ok(cache.getRemainingTTL("a") <= 60_000);
  await store.set("a", 1, { expires: "1h" });
  assert.ok(cache.getRemainingTTL("a") > 60_000, "an expiry of the store's comes first");
});

test("LRUCache: what it drops, for it is full, is absent; what it does not take is an error", async () => {
  const cache = new LRUCache({ max: 2, maxSize: 100, sizeCalculation: (text) => String(text).length });
  const store = kv(cache);
  for (const key of ["a", "b", "c"]) await store.set(key, key);
  assert.deepEqual([await store.get("a"), await store.get("b"), await store.get("c")], [null, "b", "c"]);
  await assert.rejects(store.set("d", "x".repeat(200)), { code: "ERR_CLIENT", message: /larger than the option/ });
  assert.deepEqual((await store.keys()).sort(), ["b", "c"]);
});

test("LRUCache: keys that are no text are not listed, nor removed", async () => {
  const cache = new LRUCache({ max: 10 });
  cache.set(1, "one");
  cache.set("a", 2);
  assert.deepEqual(await kv(cache).keys(), ["a"]);
  await kv(cache).clear();
  assert.deepEqual([...cache.keys()], [1]);
});

/** The class of each version, whose types differ. @type {Record<string, any>} */
const versions = { 5: Keyv5, 6: Keyv6 };

for (const [name, Keyv] of Object.entries(versions)) {
  test(`Keyv ${name}: its own life of a value holds where the store gives none`, async (t) => {
    t.mock.method(Date, "now", () => now);
    let now = 1e12;
    const store = kv(new Keyv({ ttl: 1000 }));
    await store.set("a", 1);
    await store.set("b", 2, { expires: "10s" });
    assert.deepEqual(await store.all(), { a: 1, b: 2 });
    now += 1000;
    assert.deepEqual([await store.all(), await store.get("a")], [{ b: 2 }, null]);
  });

  test(`Keyv ${name}: over a store without an iterator it can be used, and not listed`, async () => {
    const map = new Map();
    const plain = {
      opts: {},
      get: async (/** @type {string} */ key) => map.get(key),
      set: async (/** @type {string} */ key, /** @type {unknown} */ value) => void map.set(key, value),
      delete: async (/** @type {string} */ key) => map.delete(key),
      clear: async () => map.clear(),
      has: async (/** @type {string} */ key) => map.has(key),
    };
    const store = /** @type {any} */ (kv(new Keyv({ store: plain })));
    await store.set("a", 1);
    assert.equal(await store.get("a"), 1);
    for (const method of ["keys", "clear", "prune"]) {
      await assert.rejects(store[method](), { code: "ERR_UNSUPPORTED", message: /its store has no iterator/ }, method);
    }
    assert.equal(await store.get("a"), 1);
  });

  test(`Keyv ${name}: a set() that its store fails rejects`, async () => {
    const map = new Map();
    map.set = () => {
      throw new Error("disk on fire");
    };
    const cache = new Keyv({ store: map });
    cache.on("error", () => {});
    await assert.rejects(kv(cache).set("a", 1), { code: "ERR_CLIENT", message: /set\(\) of Keyv returned false/ });
  });

  test(`Keyv ${name}: two with namespaces over one Map see only their own`, async () => {
    const map = new Map();
    const one = kv(new Keyv({ store: map, namespace: "one" }));
    await one.set("a", 1);
    const two = kv(new Keyv({ store: map, namespace: "two" }));
    await two.set("a:b", 2);
    assert.deepEqual(await two.all(), { "a:b": 2 });
    await two.clear();
    assert.equal(map.size, 1);
  });
}

test("Keyv 5: what its prefixes make ambiguous is refused", async () => {
  const store = kv(new Keyv5());
  await assert.rejects(store.set("keyv:a", 1), { code: "ERR_KEY", message: /must not start with the namespace/ });
  for (const namespace of ["", "a:b"]) {
    const listed = kv(new Keyv5({ namespace }));
    await listed.set("x:y", 1);
    assert.equal(await listed.get("x:y"), 1);
    await assert.rejects(listed.keys(), { code: "ERR_UNSUPPORTED", message: /returns wrong keys in the namespace/ });
  }
});

test("Keyv 6: over an object like a Map that cannot be iterated it cannot be listed", async () => {
  const map = new Map();
  const like = {
    get: (/** @type {string} */ key) => map.get(key),
    set: (/** @type {string} */ key, /** @type {unknown} */ value) => map.set(key, value),
    delete: (/** @type {string} */ key) => map.delete(key),
    has: (/** @type {string} */ key) => map.has(key),
    clear: () => map.clear(),
  };
  const store = kv(new Keyv6({ store: new KeyvMemoryAdapter(like) }));
  await store.set("a", 1);
  await assert.rejects(store.keys(), { code: "ERR_UNSUPPORTED", message: /its store has no iterator/ });
});

test("WeakLRUCache: what it has dropped is absent, and is not listed", async () => {
  const cache = new WeakLRUCache({ cacheSize: 32 });
  const store = kv(cache);
  await store.set("a", { large: true });
  assert.deepEqual(cache.getValue("a"), { expires: null, value: { large: true } });
  // As after the garbage collector, which nobody can be sure to have called.
  Map.prototype.get.call(cache, "a").value = undefined;
  assert.deepEqual([await store.get("a"), await store.keys()], [null, []]);
});
