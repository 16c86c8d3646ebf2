import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Etcd3 } from "etcd3";
import upstream from "polystore";
import kv from "polystore-wasm";
import { etcd } from "../contract/clients/etcd.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { startEtcd } from "../support/etcd.js";

// The shortest lease lasts one and a half times this: longer than any case, whose clock is not etcd's.
const server = await startEtcd(["--election-timeout", "5000"]);
after(() => server.stop());
const connect = () => new Etcd3({ hosts: server.url });

testContract(etcd(kv, "etcd", connect, (client) => client.close()));
testContract(
  etcd(
    kv,
    "a namespace of etcd",
    () => connect().namespace("app/"),
    (client) => client.pool.close(),
  ),
);

/**
 * Runs a test over an etcd that is empty.
 * @param {string} name
 * @param {(client: any) => Promise<void>} run
 */
function testEtcd(name, run) {
  test(name, async () => {
    const client = connect();
    await client.delete().all();
    try {
      await run(client);
    } finally {
      client.close();
    }
  });
}

testEtcd("polystore reads what we write", (client) => checkOneWay(kv, upstream, client));
testEtcd("we read what polystore writes", (client) => checkOneWay(upstream, kv, client));
testEtcd("polystore sees our expiry", (client) => checkExpiry(kv, upstream, client));
testEtcd("we see polystore's expiry", (client) => checkExpiry(upstream, kv, client));

/**
 * What is sent to the server from now on.
 * @param {any} client
 */
function watch(client) {
  /** @type {string[]} */
  const calls = [];
  const { pool } = client;
  const withConnection = pool.withConnection.bind(pool);
  pool.withConnection = (/** @type {string} */ service, /** @type {unknown[]} */ ...args) => {
    calls.push(service);
    return withConnection(service, ...args);
  };
  return calls;
}

testEtcd("the calls of one tick are one transaction for 128, in their order", async (client) => {
  const store = kv(client);
  const calls = watch(client);
  const keys = Array.from({ length: 128 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key) => store.set(key, key)));
  assert.equal(calls.length, 1);
  assert.deepEqual(await Promise.all(keys.map(store.get)), keys);
  assert.equal(calls.length, 2);
  const mixed = [store.get("a"), store.set("a", 1), store.get("a"), store.set("a", 2), store.del("a"), store.get("a")];
  assert.deepEqual(await Promise.all(mixed), [null, "a", 1, "a", "a", null]);
});

testEtcd("a listing is one request for 1,000 records, and of one moment", async (client) => {
  const store = kv(client).prefix("p:");
  const keys = Array.from({ length: 1500 }, (_, i) => `${i}`);
  await Promise.all(keys.map((key) => store.set(key, "before")));
  await kv(client).set("q", 1);
  const calls = watch(client);
  assert.equal((await store.keys()).length, 1500);
  assert.equal(calls.length, 2);
  const seen = [];
  for await (const [key, value] of store) {
    if (seen.length === 0) await Promise.all([store.set("999", "after"), store.del("998"), store.set("zzz", "new")]);
    seen.push([key, value]);
  }
  assert.deepEqual(seen.map(([key]) => key).sort(), [...keys].sort());
  assert.ok(seen.every(([, value]) => value === "before"));
});

testEtcd("what expires is on a lease, which records that expire together share", async (client) => {
  const store = kv(client);
  await Promise.all(Array.from({ length: 10 }, (_, i) => store.set(`k${i}`, i, { expires: 3600 })));
  await store.set("short", 1, { expires: 600 });
  await store.set("for ever", 1);
  const leaseOf = async (/** @type {string} */ key) => String((await client.get(key).exec()).kvs[0].lease);
  const leases = new Set(await Promise.all(Array.from({ length: 10 }, (_, i) => leaseOf(`k${i}`))));
  assert.equal(leases.size, 1);
  const [shared] = leases;
  const life = Number((await client.pool.exec("Lease", "leaseTimeToLive", { ID: shared })).TTL);
  assert.ok(life >= 3600 && life <= 4050, `${life} seconds`);
  assert.notEqual(await leaseOf("short"), shared);
  assert.equal(await leaseOf("for ever"), "0");
  await store.set("k0", 1);
  assert.equal(await leaseOf("k0"), "0", "a lease that is given up must not take the record with it");
});

testEtcd("a lease that is gone is replaced", async (client) => {
  const store = kv(client);
  await store.set("a", 1, { expires: 3600 });
  const { lease } = (await client.get("a").exec()).kvs[0];
  await client.pool.exec("Lease", "leaseRevoke", { ID: String(lease) });
  assert.equal(await store.get("a"), null);
  await store.set("a", 2, { expires: 3600 });
  assert.equal(await store.get("a"), 2);
});

test("etcd itself removes what has expired", async () => {
  const quick = await startEtcd(["--election-timeout", "200", "--heartbeat-interval", "20"]);
  const client = new Etcd3({ hosts: quick.url });
  try {
    const watcher = await client.watch().key("a").create();
    const removed = new Promise((resolve) => watcher.once("delete", resolve));
    await kv(client).set("a", 1, { expires: "1s" });
    assert.notEqual(await client.get("a"), null);
    await removed;
    await watcher.cancel();
    assert.equal(await client.get("a"), null);
  } finally {
    client.close();
    await quick.stop();
  }
});

testEtcd("an eviction takes no record that was written since", async (client) => {
  const store = kv(client);
  const expires = Date.now() - 1000;
  await client.put("a").value(JSON.stringify({ expires, value: "old" }));
  const other = kv(connect());
  const [found] = await Promise.all([store.get("a"), other.set("a", "new"), store.prune()]);
  assert.ok(found === null || found === "new");
  assert.equal(await other.get("a"), "new");
  await other.close();
});

testEtcd("the empty key is a key as any other", async (client) => {
  const store = kv(client);
  await store.set("", "empty");
  await store.prefix("p").set("", "p itself");
  assert.deepEqual(await store.all(), { "": "empty", p: "p itself" });
  assert.deepEqual(await store.prefix("p").all(), { "": "p itself" });
  assert.equal(await store.get(""), "empty");
  await store.del("");
  assert.deepEqual(await store.keys(), ["p"]);
});

testEtcd("a prefix that ends in half of a surrogate pair is that of the whole ones", async (client) => {
  const store = kv(client);
  for (const key of ["a\u{10000}", "a\u{10fc00}", "a\uffff", "a"]) await store.set(key, 1);
  assert.deepEqual(await store.prefix("a\ud800").keys(), ["\udc00"]);
  assert.deepEqual(await store.prefix("a\udbff").keys(), ["\udc00"]);
  assert.deepEqual(await store.prefix("a\udc00").keys(), []);
  assert.equal((await store.prefix("a").keys()).length, 4);
});

testEtcd("a value that is too large is ERR_QUOTA, and takes no other call with it", async (client) => {
  const store = kv(client);
  const [large, small] = await Promise.allSettled([store.set("a", "x".repeat(3 << 20)), store.set("b", 1)]);
  assert.equal(large.status === "rejected" && large.reason.code, "ERR_QUOTA");
  assert.equal(small.status, "fulfilled");
  assert.deepEqual(await store.all(), { b: 1 });
});

test("a store that is full is ERR_QUOTA, and what was there can be read and deleted", async () => {
  const small = await startEtcd(["--quota-backend-bytes", `${4 << 20}`]);
  const client = new Etcd3({ hosts: small.url });
  const store = kv(client);
  try {
    let stored = 0;
    const filling = async () => {
      for (; ; ++stored) await store.set(`k${stored}`, "x".repeat(1 << 19));
    };
    await assert.rejects(filling(), { code: "ERR_QUOTA" });
    assert.ok(stored > 0);
    assert.equal((await store.keys()).length, stored);
    assert.equal(await store.get("k0"), "x".repeat(1 << 19));
    await store.del("k0");
    assert.equal((await store.keys()).length, stored - 1);
  } finally {
    client.close();
    await small.stop();
  }
});

test("a server that goes away is ERR_CLIENT with its cause, and the store works when it is back", async () => {
  const own = await startEtcd();
  const client = new Etcd3({ hosts: own.url });
  const store = kv(client);
  try {
    await store.set("a", 1);
    await own.pause();
    await assert.rejects(store.get("a"), ({ code, cause }) => code === "ERR_CLIENT" && cause instanceof Error);
    await own.resume();
    /** @type {unknown} */
    let found = null;
    // etcd3 asks nothing for some seconds of a server that has failed.
    while (found === null) found = await store.get("a").catch(() => null);
    assert.equal(found, 1);
  } finally {
    client.close();
    await own.stop();
  }
});

testEtcd("close() closes the client", async () => {
  const client = connect();
  const store = kv(client);
  await store.set("a", 1);
  await store.close();
  await assert.rejects(async () => client.get("a"));
});

test("a client of the user's own with some of its methods is not taken for etcd", () => {
  const names = ["get", "set", "getAll", "put", "delete", "lease", "namespace"];
  const own = Object.fromEntries(names.map((name) => [name, () => {}]));
  assert.equal(kv(/** @type {any} */ ({ ...own, pool: { exec() {}, withConnection() {} } })).type, "UNKNOWN");
});
