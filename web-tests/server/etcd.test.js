import assert from "node:assert/strict";
import { once } from "node:events";
import { createRequire } from "node:module";
import { after, test } from "node:test";
import { Etcd3 } from "etcd3";
import upstream from "polystore";
import kv from "polystore-wasm";
import { etcd } from "../contract/clients/etcd.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { startEtcd } from "../support/etcd.js";
import { heard } from "../support/heard.js";

const { noop } = createRequire(createRequire(import.meta.url).resolve("etcd3"))("cockatiel");

// The shortest lease lasts one and a half times this: longer than any case, whose clock is not etcd's.
const server = await startEtcd(["--election-timeout", "5000"]);
after(server.stop);
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
 * Runs a test over an empty etcd.
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
 * Notes what a client asks.
 * @param {any} client
 * @returns {[method: string, request: any][]}
 */
function noteCalls({ pool }) {
  /** @type {[string, any][]} */
  const calls = [];
  const exec = pool.exec;
  pool.exec = function (/** @type {any[]} */ ...args) {
    calls.push([args[1], args[2]]);
    return exec.apply(this, args);
  };
  return calls;
}

/** The number of operations of a transaction, or the name of another request. @param {[method: string, request: any]} call */
const sizeOf = ([method, { success }]) => success?.length ?? method;

testEtcd(
  "the first call of a tick is sent at once, and the others share transactions, in their order",
  async (client) => {
    const store = kv(client);
    await store.set("a", 1);
    const calls = noteCalls(client);
    const mixed = [
      store.get("a"),
      store.set("a", 2),
      store.set("b", 1),
      store.get("a"),
      store.del("b"),
      store.get("b"),
    ];
    assert.deepEqual(await Promise.all(mixed), [1, "a", "b", 2, "b", null]);
    // Those on the key of the first call wait for it.
    assert.deepEqual(calls.map(sizeOf), ["range", 2, 2]);
    calls.length = 0;
    await Promise.all([store.set("a", 3), store.set("a", 4), store.get("a"), store.set("a", 5)]);
    assert.deepEqual(calls.map(sizeOf), ["put", 2, "put"], "a key that is read between two writes");
    calls.length = 0;
    await Promise.all(Array.from({ length: 300 }, (_, i) => store.set(`k${i}`, i)));
    assert.deepEqual(calls.map(sizeOf), ["put", 128, 128, 43]);
  },
);

testEtcd("a listing is one request a page, and all of one moment", async (client) => {
  const store = kv(client);
  await Promise.all(Array.from({ length: 1500 }, (_, i) => store.set(`k${i}`, i)));
  const calls = noteCalls(client);
  assert.equal((await store.keys()).length, 1500);
  assert.deepEqual(
    calls.map(([method]) => method),
    ["range", "range"],
  );
  const seen = [];
  for await (const [key] of store) {
    if (seen.push(key) > 1) continue;
    await client.put("k9999").value('{"expires":null,"value":1}');
  }
  assert.equal(seen.length, 1500);
});

testEtcd("an iteration goes on where etcd has forgotten the moment it began at", async (client) => {
  const store = kv(client);
  await Promise.all(Array.from({ length: 1500 }, (_, i) => store.set(`k${i}`, i)));
  let seen = 0;
  for await (const _ of store) {
    if (++seen > 1) continue;
    const { header } = await client.put("l").value('{"expires":null,"value":1}');
    await client.kv.compact({ revision: header.revision, physical: true });
  }
  assert.equal(seen, 1501);
});

testEtcd("records that are too large for one reply are read and listed all the same", async (client) => {
  const store = kv(client);
  const large = "x".repeat(1_000_000);
  for (let i = 0; i < 7; ++i) await store.set(`k${i}`, large);
  assert.deepEqual(
    (await Promise.all([..."0123456"].map((i) => store.get(`k${i}`)))).map((text) => text === large),
    Array(7).fill(true),
  );
  assert.equal((await store.values()).length, 7);
  await store.set("small", 1);
  await store.clear();
  assert.deepEqual(await store.keys(), []);
});

testEtcd(
  "a record that is too large is ERR_QUOTA, takes no other with it, and leaves the client at work",
  async (client) => {
    const store = kv(client);
    await store.set("a", 1);
    for (const size of [1_600_000, 3_000_000]) {
      const calls = [store.set("b", 2), store.set("a", "x".repeat(size)), store.set("c", 3), store.get("a")];
      const [b, a, c, read] = await Promise.allSettled(calls);
      assert.deepEqual([b.status, c.status, read.status === "fulfilled" && read.value], ["fulfilled", "fulfilled", 1]);
      assert.equal(a.status === "rejected" && a.reason.code, "ERR_QUOTA");
      assert.match(a.status === "rejected" ? a.reason.cause.message : "", /too large|larger than max/);
      assert.deepEqual(await store.all(), { a: 1, b: 2, c: 3 });
    }
  },
);

testEtcd("what expired is not deleted if it was written since", async (client) => {
  const old = '{"expires":1000,"value":1}';
  const fresh = '{"expires":null,"value":2}';
  await client.put("a").value(old);
  const exec = client.pool.exec;
  let written = false;
  client.pool.exec = async function (/** @type {any[]} */ ...args) {
    if (args[2].compare?.length > 0 && !written) {
      written = true;
      await client.put("a").value(fresh);
    }
    return exec.apply(this, args);
  };
  assert.equal(await kv(client).get("a"), null);
  assert.ok(written, "between what was read and the transaction that deletes");
  assert.equal(await client.get("a"), fresh);
});

testEtcd("the empty key is the byte 0xFF, and foreign bytes that are no text are left alone", async (client) => {
  const store = kv(client);
  const record = '{"expires":null,"value":1}';
  await client.put(Buffer.of(0xfe)).value(record);
  await client.put(Buffer.of(0x61, 0xff)).value(record);
  await store.set("", 1);
  await store.set("\ufffd", 2);
  await store.prefix("a").set("", 3);
  assert.equal(await client.get(Buffer.of(0xff)), '{"expires":null,"value":1}');
  assert.deepEqual(await store.all(), { "": 1, "\ufffd": 2, a: 3 });
  await store.clear();
  assert.deepEqual(await client.getAll().keyBuffers(), [Buffer.of(0x61, 0xff), Buffer.of(0xfe)]);
});

testEtcd("a prefix may end within a surrogate pair, or with the last character there is", async (client) => {
  const store = kv(client);
  for (const key of ["a\u{1f600}", "a\u{1f601}x", "a\u{10ffff}x", "ab", "b"]) await store.set(key, 1);
  assert.deepEqual(await store.prefix("a\ud83d").keys(), ["\ude00", "\ude01x"]);
  assert.deepEqual(await store.prefix("a\ude00").keys(), []);
  assert.deepEqual(await store.prefix("a\u{10ffff}").keys(), ["x"]);
});

/** @param {Etcd3} client @param {string} key The lease of what is at a key: its id, or "0". */
async function leaseOf(client, key) {
  return (await client.get(key).exec()).kvs[0].lease;
}

testEtcd(
  "a lease outlasts its records by an eighth at most, is shared, and is left with the expiry",
  async (client) => {
    const store = kv(client);
    await Promise.all([..."abc"].map((key) => store.set(key, 1, { expires: "1h" })));
    await store.set("d", 1, { expires: "65min" });
    await store.set("e", 1, { expires: "20min" });
    await store.set("f", 1, { expires: "1000 years" });
    const [a, b, c, d, e, f] = await Promise.all([..."abcdef"].map((key) => leaseOf(client, key)));
    assert.deepEqual([b, c, d, f], [a, a, a, "0"]);
    assert.notEqual(e, a);
    const { grantedTTL } = await client.leaseClient.leaseTimeToLive({ ID: a });
    assert.equal(grantedTTL, "4050");
    await store.set("a", 1);
    await store.set("b", 1, { expires: "20min" });
    assert.deepEqual([await leaseOf(client, "a"), await leaseOf(client, "b")], ["0", e]);
  },
);

testEtcd("a lease that is gone is replaced", async (client) => {
  const store = kv(client);
  await store.set("a", 1, { expires: "1h" });
  await client.leaseClient.leaseRevoke({ ID: await leaseOf(client, "a") });
  assert.equal(await store.get("a"), null);
  await store.set("a", 2, { expires: "1h" });
  assert.equal(await store.get("a"), 2);
});

testEtcd("a lease is not shared when a clock was set back, or the machine slept", async (client) => {
  const realNow = Date.now;
  const store = kv(client);
  try {
    await store.set("a", 1, { expires: "1h" });
    Date.now = () => realNow() + 1800_000;
    await store.set("b", 1, { expires: "1h" });
  } finally {
    Date.now = realNow;
  }
  assert.notEqual(await leaseOf(client, "a"), await leaseOf(client, "b"));
});

test("etcd itself removes what has expired", async () => {
  const quick = await startEtcd(["--heartbeat-interval", "10", "--election-timeout", "100"]);
  const client = new Etcd3({ hosts: quick.url });
  try {
    const watcher = await client.watch().key("a").create();
    const removed = once(/** @type {any} */ (watcher), "delete");
    await kv(client).set("a", 1, { expires: "1s" });
    const [{ key }] = await removed;
    assert.equal(String(key), "a");
    await watcher.cancel(); // Which would try to reach the server for ever.
  } finally {
    client.close();
    await quick.stop();
  }
});

test("a watcher hears other programs; a lost connection is a gap when it is back", async () => {
  const own = await startEtcd();
  const [client, other] = [new Etcd3({ hosts: own.url }), new Etcd3({ hosts: own.url })];
  const store = kv(client, { prefix: "p:" });
  try {
    const watcher = store.watch({ lt: "z" }, { reach: "storage" });
    await watcher.ready;
    const changes = watcher[Symbol.asyncIterator]();
    const put = (/** @type {string} */ key, /** @type {any} */ value) =>
      other.put(key).value(JSON.stringify({ expires: null, value }));
    await put("q", 1);
    await put("p:k", 1);
    assert.deepEqual(await heard(changes), [{ type: "set", key: "k", value: 1 }]);
    await own.kill();
    const next = heard(changes);
    await own.restart();
    assert.deepEqual(await next, [{ type: "gap" }]);
    const late = new Etcd3({ hosts: own.url }); // After a lost connection, a client refuses calls for some seconds.
    await late.delete().key("p:k");
    late.close();
    assert.deepEqual(await heard(changes), [{ type: "del", key: "k" }]);
  } finally {
    await store.close();
    other.close();
    await own.stop();
  }
});

test("a server that is full is ERR_QUOTA, and what is there is read", async () => {
  const small = await startEtcd(["--quota-backend-bytes", "5000000"]);
  const client = new Etcd3({ hosts: small.url });
  try {
    const store = kv(client);
    await store.set("a", 1);
    /** @type {any} */
    let error;
    for (let i = 0; !error; ++i) await store.set(`k${i}`, "x".repeat(1_000_000)).catch((reason) => (error = reason));
    assert.equal(error.code, "ERR_QUOTA");
    assert.match(error.cause.message, /space exceeded/);
    await assert.rejects(store.set("b", 1, { expires: "1h" }), { code: "ERR_QUOTA" });
    const [read, , deleted] = await Promise.allSettled([store.get("a"), store.set("a", 2), store.del("k0")]);
    assert.deepEqual([read, deleted.status], [{ status: "fulfilled", value: 1 }, "fulfilled"]);
  } finally {
    client.close();
    await small.stop();
  }
});

test("a server that goes away is ERR_CLIENT with the cause, and the store works again when it is back", async () => {
  const mortal = await startEtcd();
  // Without etcd3's own rests after failures, during which it asks nobody.
  const faultHandling = { host: () => noop, global: noop };
  const client = new Etcd3({ hosts: mortal.url, faultHandling });
  try {
    const store = kv(client);
    await store.set("a", 1);
    const sets = Array.from({ length: 1000 }, (_, i) => store.set(`k${i}`, i));
    const settled = Promise.allSettled(sets);
    await sets[0];
    await mortal.kill();
    const outcomes = await settled;
    const codes = outcomes.flatMap((outcome) => (outcome.status === "rejected" ? [outcome.reason.code] : []));
    assert.ok(codes.length > 0 && codes.every((code) => code === "ERR_CLIENT"), `${codes.length} failed`);
    for (const call of [store.get("a"), store.set("b", 1, { expires: "1h" }), store.keys()]) {
      await assert.rejects(call, ({ code, cause }) => {
        assert.equal(code, "ERR_CLIENT");
        assert.match(/** @type {any} */ (cause).message, /UNAVAILABLE/);
        return true;
      });
    }
    await mortal.restart();
    const kept = await store.all();
    assert.equal(kept.a, 1);
    for (const [i, { status }] of outcomes.entries()) if (status === "fulfilled") assert.equal(kept[`k${i}`], i);
  } finally {
    client.close();
    await mortal.stop();
  }
});

testEtcd("a call that etcd does not answer holds up the calls on its key only", async (client) => {
  const store = kv(client);
  await store.set("b", 0);
  const exec = client.pool.exec;
  /** @type {((value?: unknown) => void)[]} */
  const held = [];
  client.pool.exec = async function (/** @type {any[]} */ ...args) {
    if (args[1] === "put" && String(args[2].key) === "a") await new Promise((resolve) => held.push(resolve));
    return exec.apply(this, args);
  };
  const first = store.set("a", 1);
  await new Promise((resolve) => setImmediate(resolve)); // The calls of one tick are one transaction.
  const second = [store.set("a", 2), store.get("a"), store.keys()];
  assert.deepEqual(await Promise.all([store.set("b", 1), store.get("b"), store.prefix("b").keys()]), ["b", 1, [""]]);
  await store.set("c", 1);
  assert.equal(held.length, 1);
  client.pool.exec = exec;
  held[0]();
  const [, value, keys] = await Promise.all(second);
  assert.equal(await first, "a");
  assert.equal(value, 2);
  assert.ok(
    /** @type {string[]} */ (keys).includes("a"),
    "a listing comes after the writes that were called before it",
  );
});

testEtcd("clear() spares what another process has just written anew, and nothing else", async (client) => {
  const store = kv(client);
  await Promise.all(Array.from({ length: 200 }, (_, i) => store.set(`k${i}`, i)));
  const other = connect();
  const exec = client.pool.exec;
  client.pool.exec = async function (/** @type {any[]} */ ...args) {
    if (args[1] === "txn") {
      client.pool.exec = exec;
      await other.put("k7").value('{"expires":null,"value":"new"}');
    }
    return exec.apply(this, args);
  };
  await store.clear();
  assert.deepEqual(await store.all(), { k7: "new" });
  other.close();
});

testEtcd(
  "a call that etcd does not answer in time keeps only later writes on its key waiting, and does not replace them",
  async (client) => {
    const [store, patient] = ["20ms", "10s"].map((timeout) => kv(client, { timeout }));
    const { exec } = client.pool;
    let goOn = () => {};
    const held = new Promise((resolve) => (goOn = () => resolve(undefined)));
    client.pool.exec = async (/** @type {any[]} */ ...args) => {
      client.pool.exec = exec;
      await held;
      return exec.apply(client.pool, args);
    };
    await assert.rejects(store.set("a", 1), { code: "ERR_CLIENT" });
    assert.equal(await patient.get("a"), null);
    const second = patient.set("a", 2);
    await patient.set("b", 2);
    assert.deepEqual(await patient.prefix("b").all(), { "": 2 });
    goOn();
    await second;
    assert.equal(await patient.get("a"), 2);
  },
);

testEtcd("close() closes the Etcd3; that of a namespace leaves it open", async (client) => {
  await kv(client.namespace("app/")).close();
  const store = kv(client);
  await store.set("a", 1);
  await store.close();
  await assert.rejects(client.get("a").exec(), /already closed/);
  await assert.rejects(kv(client).get("a"), { code: "ERR_CLIENT" });
});

/**
 * Runs something as a user who may do one thing with the keys that begin with "mine:", and nothing with others.
 * @param {any} root
 * @param {"Read" | "Readwrite"} permission
 * @param {(client: Etcd3) => Promise<void>} run
 */
async function asLimited(root, permission, run) {
  const admin = root.user("root");
  const [role, user] = [root.role("mine"), root.user("limited")];
  await admin.create("secret");
  await root.role("root").create();
  await admin.addRole("root");
  await role.create();
  await role.grant({ permission, range: root.range({ prefix: "mine:" }) });
  await user.create("secret");
  await user.addRole("mine");
  await root.auth.authEnable();
  const as = (/** @type {string} */ username) =>
    new Etcd3({ hosts: server.url, auth: { username, password: "secret" } });
  const [limited, again] = [as("limited"), as("root")];
  try {
    await run(limited);
  } finally {
    await again.auth.authDisable();
    for (const { name } of [user, admin]) await root.user(name).delete();
    for (const name of ["mine", "root"]) await root.role(name).delete();
    limited.close();
    again.close();
  }
}

testEtcd("a key that may not be read takes no other read with it", (root) =>
  asLimited(root, "Readwrite", async (limited) => {
    const store = kv(limited);
    const outcomes = await Promise.allSettled([store.set("mine:a", 1), store.get("other"), store.get("mine:a")]);
    assert.deepEqual([outcomes[0].status, outcomes[2]], ["fulfilled", { status: "fulfilled", value: 1 }]);
    assert.equal(outcomes[1].status === "rejected" && outcomes[1].reason.code, "ERR_CLIENT");
  }),
);

testEtcd("to a user who may only read, what has expired is absent though it is there", async (root) => {
  await root.put("mine:old").value('{"expires":1,"value":1}');
  await root.put("mine:new").value('{"expires":null,"value":2}');
  await asLimited(root, "Read", async (limited) => {
    const store = kv(limited).prefix("mine:");
    assert.deepEqual([await store.get("old"), await store.has("old"), await store.all()], [null, false, { new: 2 }]);
    for (const call of [() => store.prune(), () => store.clear(), () => store.set("new", 3)]) {
      await assert.rejects(call, { code: "ERR_CLIENT", message: /permission denied/ });
    }
  });
  assert.equal(await root.get("mine:old").string(), '{"expires":1,"value":1}');
});

test("a client of the user's own with the methods of an Etcd3 is not taken for it", () => {
  const names = ["get", "set", "getAll", "put", "delete", "lease", "namespace"];
  const own = Object.fromEntries(names.map((name) => [name, () => {}]));
  assert.equal(kv(/** @type {any} */ ({ ...own, pool: { exec() {}, withConnection() {} } })).type, "UNKNOWN");
  assert.throws(() => kv(/** @type {any} */ ({ ...own, get: undefined })), { code: "ERR_CLIENT" });
});
