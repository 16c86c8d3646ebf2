import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { after, test } from "node:test";
import * as ioRedis6 from "ioredis";
import * as ioRedis5 from "ioredis5";
import upstream from "polystore";
import kv from "polystore-wasm";
import * as nodeRedis6 from "redis";
import * as nodeRedis4 from "redis4";
import * as nodeRedis5 from "redis5";
import { openNodeRedis } from "../../js/clients/redis/redis.js";
import { redis } from "../contract/clients/redis.js";
import { testContract } from "../contract/suite.js";
import { checkOneWay } from "../interop/interop.js";
import { freePort } from "../support/process.js";
import { startRedis } from "../support/redis.js";

const { port, clock, stop } = await startRedis();
/** How to end what was connected: a client that is left would try to reach the server for ever. @type {(() => void)[]} */
const ends = [];
after(async () => {
  for (const end of ends) end();
  await stop();
});

const { createClient, RESP_TYPES } = nodeRedis6;
const url = `redis://127.0.0.1:${port}`;

/**
 * What makes a client of the server at a port, which is not connected, in each version.
 * @type {Record<string, (port: number, options?: object) => any>}
 */
const nodeRedises = Object.fromEntries(
  Object.entries({ 4: nodeRedis4, 5: nodeRedis5, 6: nodeRedis6 }).map(([version, { createClient }]) => [
    `node-redis ${version}`,
    (port, options) => /** @type {any} */ (createClient)({ url: `redis://127.0.0.1:${port}`, ...options }),
  ]),
);
/** @type {typeof nodeRedises} */
const ioRedises = Object.fromEntries(
  Object.entries({ 5: ioRedis5, 6: ioRedis6 }).map(([version, { Redis }]) => [
    `ioredis ${version}`,
    (port, options) => new /** @type {any} */ (Redis)({ port, host: "127.0.0.1", lazyConnect: true, ...options }),
  ]),
);
const clients = { ...nodeRedises, ...ioRedises };

/** @param {any} client */
async function connected(client) {
  await client.connect();
  // That of version 4 has no destroy(); that of version 5 minds when it is closed.
  ends.push(() => client.isOpen !== false && (client.destroy ?? client.disconnect).call(client));
  return client;
}
const nodeRedis = () => connected(createClient({ url }));

/** @param {any} client */
async function closed(client) {
  const ended = "isOpen" in client ? undefined : once(client, "end"); // After the reply.
  await (client.close ?? client.quit).call(client);
  await ended;
}

/** @param {any} client @param {string[]} command */
const sendByNodeRedis = (client, command) => client.sendCommand(command);
/** @param {any} client @param {string[]} command */
const sendByIoRedis = (client, [command, ...args]) => client.call(command, ...args);

for (const { clients, send } of [
  { clients: nodeRedises, send: sendByNodeRedis },
  { clients: ioRedises, send: sendByIoRedis },
]) {
  for (const [name, make] of Object.entries(clients)) {
    testContract(redis(kv, `Redis, ${name}`, clock, () => connected(make(port)), send));
  }
}

/**
 * Runs a test over an empty database, with a client that is connected.
 * @param {string} name
 * @param {(client: any) => Promise<void>} run
 */
function testRedis(name, run) {
  test(name, async () => {
    const client = await nodeRedis();
    await client.flushAll();
    try {
      await run(client);
    } finally {
      if (client.isOpen) await client.close();
    }
  });
}

testRedis("polystore reads what we write", (client) => checkOneWay(kv, upstream, client));
testRedis("we read what polystore writes", (client) => checkOneWay(upstream, kv, client));

testRedis("expiry is kept to the millisecond", async (client) => {
  const store = kv(client);
  await store.set("a", 1, { expires: "100ms" });
  await store.set("b", 1, { expires: 1.4 });
  await store.set("c", 1, { expires: 0.0001 + 0.001 });
  assert.deepEqual([await client.pTTL("a"), await client.pTTL("b"), await client.pTTL("c")], [100, 1400, 1]);
  clock.written = true;
  clock.advance(99);
  assert.equal(await store.get("a"), 1);
  clock.advance(1);
  assert.equal(await store.get("a"), null);
});

for (const [name, make] of Object.entries(clients)) {
  testRedis(`${name}: a client that is not connected is connected, and closed by close()`, async () => {
    const client = make(port);
    const store = kv(client);
    await store.set("a", 1);
    assert.equal(await store.get("a"), 1);
    await store.close();
    assert.equal(client.isOpen ?? client.status, "isOpen" in client ? false : "end");
  });

  testRedis(`${name}: a promise of a client will do`, async () => {
    const store = kv(connected(make(port)));
    await store.set("a", 1);
    assert.deepEqual([store.type, await store.entries()], ["REDIS", [["a", 1]]]);
    await store.close();
  });

  testRedis(`${name}: what its owner closes right after kv() stays closed`, async () => {
    const client = await connected(make(port));
    const store = kv(client);
    await closed(client);
    await assert.rejects(store.get("a"), { code: "ERR_CLIENT", message: /closed/i });
    await store.close();
    assert.equal(await kv(client).get("a"), null, "wrapped again, it is connected again");
  });
}

testRedis("clear() deletes what the store holds, in this database, and nothing else", async (client) => {
  const other = await createClient({ url: `redis://127.0.0.1:${port}/1` }).connect();
  await other.set("elsewhere", "1");
  await client.hSet("hash", "field", "1");
  const store = kv(client);
  await store.prefix("p:").set("in", 1);
  await store.set("out", 1);
  await store.prefix("p:").clear();
  assert.deepEqual(await store.keys(), ["out"]);
  await store.clear();
  assert.deepEqual(await client.keys("*"), ["hash"]);
  assert.equal(await other.get("elsewhere"), "1");
  await other.flushAll();
  await other.close();
});

testRedis("a prefix is a text and not a pattern", async (client) => {
  const store = kv(client);
  for (const key of ["user?:x", "user1:x", "[a]:x", "a:x", "*x", "\\x", "a^-b:x"]) await store.set(key, key);
  for (const prefix of ["user?:", "[a]:", "*", "\\", "a^-b:"]) {
    assert.deepEqual(await store.prefix(prefix).all(), { x: `${prefix}x` }, prefix);
  }
});

testRedis("keys under half of a surrogate pair are listed, and cleared", async (client) => {
  const store = kv(client);
  for (const key of ["a\u{1f600}", "a\u{1f601}b", "a\u{1f900}", "a"]) await store.set(key, 1);
  assert.deepEqual((await store.prefix("a\ud83d").keys()).sort(), ["\ude00", "\ude01b"]);
  assert.deepEqual(await store.prefix("\ud83da").keys(), []);
  await store.prefix("a\ud83d").clear();
  assert.deepEqual((await store.keys()).sort(), ["a", "a\u{1f900}"]);
});

testRedis("an iteration reads, and clear() removes, a page at a time", async (client) => {
  const store = kv(client);
  await client.mSet(Array.from({ length: 5000 }, (_, i) => [`k${i}`, "1"]));
  const calls = async () => {
    const text = await client.info("commandstats");
    const count = (/** @type {string} */ name) =>
      Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0);
    return ["get", "mget", "del", "unlink", "flushall", "flushdb"].map(count);
  };
  const since = async (/** @type {number[]} */ before) => (await calls()).map((count, i) => count - before[i]);
  const first = await calls();
  let seen = 0;
  for await (const _ of store) ++seen;
  const [get, mget] = await since(first);
  // A page holds what one SCAN gives, some 1,000 keys; the first of those is read in four, for nothing is known of their sizes.
  assert.deepEqual([seen, get, mget <= 9], [5000, 0, true], `${mget} times MGET`);
  const second = await calls();
  await store.clear();
  const [, , del, unlink, ...flushes] = await since(second);
  assert.deepEqual([await client.dbSize(), del, unlink <= 40, flushes], [0, 0, true, [0, 0]], `${unlink} times UNLINK`);
});

testRedis("the calls of one tick are sent without waiting for one another", async (client) => {
  const store = kv(client);
  await store.set("first", 1);
  const before = await statistics(client);
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.set(`k${i}`, i)));
  const { reads, commands } = await statistics(client);
  assert.ok(commands - before.commands >= 500, "500 commands");
  assert.ok(reads - before.reads < 100, `in ${reads - before.reads} packets`);
});

/** @param {any} client */
async function statistics(client) {
  const text = await client.info("stats");
  const of = (/** @type {string} */ name) => Number(new RegExp(`${name}:(\\d+)`).exec(text)?.[1]);
  return { reads: of("total_reads_processed"), commands: of("total_commands_processed") };
}

testRedis("a connection that is lost is an error of the call, and the store works again afterwards", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  const killer = await nodeRedis();
  const lost = new Promise((resolve) => client.once("error", resolve));
  const reconnected = new Promise((resolve) => client.once("ready", resolve));
  await killer.sendCommand(["CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"]);
  await lost;
  await reconnected;
  assert.equal(await store.get("a"), 1);
  await killer.close();
});

testRedis("the reads of one tick are one command, and keep their place among the writes", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  const before = await mgets(client);
  const calls = [store.get("a"), store.has("b"), store.set("a", 2), store.get("a"), store.del("a"), store.get("a")];
  assert.deepEqual(await Promise.all(calls), [1, false, "a", 2, "a", null]);
  assert.equal((await mgets(client)) - before, 3, "before, between and after the writes");
  await Promise.all(Array.from({ length: 2500 }, (_, i) => store.get(`k${i}`)));
  assert.equal((await mgets(client)) - before, 6, "1,000 keys each");
});

/** How many commands to read were sent. @param {any} client */
async function mgets(client) {
  return Number(/cmdstat_mget:calls=(\d+)/.exec(await client.info("commandstats"))?.[1] ?? 0);
}

testRedis("a read that waits for no other is a GET, which finds no value in what is no text", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  await client.hSet("hash", "field", "1");
  const before = await mgets(client);
  assert.deepEqual([await store.get("a"), await store.get("hash"), await store.has("hash")], [1, null, false]);
  assert.equal((await mgets(client)) - before, 0, "commands of several keys");
});

testRedis("a key that may not be read takes no other read with it", async (admin) => {
  await admin.sendCommand(["ACL", "SETUSER", "limited", "on", "nopass", "~mine:*", "+@all"]);
  await admin.set("mine:a", "1");
  const store = kv(createClient({ url: `redis://limited:x@127.0.0.1:${port}` }));
  const keys = ["mine:a", "mine:a", "other"]; // The first of which is read alone.
  const [, mine, other] = await Promise.allSettled(keys.map(store.get));
  assert.deepEqual(mine, { status: "fulfilled", value: 1 });
  assert.equal(other.status === "rejected" && other.reason.code, "ERR_CLIENT");
  await store.close();
  await admin.sendCommand(["ACL", "DELUSER", "limited"]);
});

testRedis("a server whose memory is full is ERR_QUOTA, and what was there is unchanged", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  await client.configSet("maxmemory", "1");
  try {
    await assert.rejects(store.set("a", 2), ({ code, cause }) => {
      assert.equal(code, "ERR_QUOTA");
      assert.match(String(/** @type {any} */ (cause).message), /^OOM/);
      return true;
    });
    assert.equal(await store.get("a"), 1);
  } finally {
    await client.configSet("maxmemory", "0");
  }
});

/** Clients that put a prefix of their own before each key. @type {Record<string, () => any>} */
const prefixed = Object.fromEntries(
  ["node-redis 6", ...Object.keys(ioRedises)].map((name) => [name, () => clients[name](port, { keyPrefix: "app?:" })]),
);

for (const [name, open] of Object.entries(prefixed)) {
  testRedis(`the keyPrefix of ${name} counts: in each method, and for its owner`, async (admin) => {
    for (const key of ["a", "other", "app1:a", "app?"]) await admin.set(key, '"foreign"');
    const client = open();
    const store = kv(client);
    await store.set("a", 1);
    await store.prefix("p:").set("b", 2);
    assert.equal(await client.get("a"), "1");
    assert.deepEqual(await store.all(), { a: 1, "p:b": 2 });
    assert.deepEqual(await store.prefix("p:").entries(), [["b", 2]]);
    assert.deepEqual([await store.get("other"), await store.has("app1:a")], [null, false]);
    await store.del("a");
    assert.equal(await admin.exists("a"), 1);
    await store.clear();
    assert.deepEqual((await admin.keys("*")).sort(), ["a", "app1:a", "app?", "other"]);
    await store.close();
  });
}

testRedis("a client that gives Buffers is understood", async () => {
  const commandOptions = { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } };
  const store = kv(createClient({ url: `redis://127.0.0.1:${port}`, commandOptions }));
  await store.prefix("p:").set("a", ["ä"]);
  assert.deepEqual([await store.get("p:a"), await store.prefix("p:").keys()], [["ä"], ["a"]]);
  await store.close();
});

/** Of several connections. @type {Record<string, () => any>} */
const several = Object.fromEntries(
  Object.entries(/** @type {any} */ ({ 5: nodeRedis5, 6: nodeRedis6 })).flatMap(
    ([version, { createClientPool, createSentinel }]) => [
      [`createClientPool() of node-redis ${version}`, () => createClientPool({ url })],
      [
        `createSentinel() of node-redis ${version}`,
        () => createSentinel({ name: "a", sentinelRootNodes: [{ host: "127.0.0.1", port }] }),
      ],
    ],
  ),
);

for (const [name, open] of Object.entries(several)) {
  testRedis(`${name} is refused, and nothing is written`, async (client) => {
    await assert.rejects(kv(open()).set("a", 1), { code: "ERR_CLIENT", message: /a client of one server/ });
    assert.equal(await client.dbSize(), 0);
  });
}

testRedis("a client of node-redis 4 in legacyMode is refused, and its duplicate without does", async (client) => {
  const legacy = nodeRedis4.createClient({ url, legacyMode: true });
  await assert.rejects(kv(/** @type {any} */ (legacy)).set("a", 1), { code: "ERR_CLIENT", message: /legacyMode/ });
  assert.equal(await client.dbSize(), 0);
  const store = kv(/** @type {any} */ (legacy.duplicate({ legacyMode: false })));
  await store.set("a", 1);
  assert.equal(await store.get("a"), 1);
  await store.close();
});

test("what merely looks like a client of Redis is a client of the user's own", async () => {
  const own = (/** @type {object} */ traits) => {
    const data = new Map();
    const get = (/** @type {string} */ key) => data.get(key);
    const set = (/** @type {string} */ key, /** @type {unknown} */ record) => void data.set(key, record);
    return { get, set, on() {}, connect() {}, quit() {}, ...traits };
  };
  for (const client of [
    own({ isOpen: true, sendCommand() {}, pSubscribe() {}, sSubscribe() {} }),
    own({ status: "ready", call() {}, psubscribe() {}, mget() {} }),
  ]) {
    const store = kv(client);
    await store.set("a", 1);
    assert.deepEqual([store.type, await store.get("a")], ["UNKNOWN", 1]);
  }
});

/** Of a client that does not try again what was under way when the connection was lost. */
const impatient = { name: "impatient", connectionName: "impatient", maxRetriesPerRequest: 0 };

for (const [name, make] of Object.entries(clients)) {
  testRedis(`${name}: a lost connection is an error of the calls under way, and later ones work`, async (admin) => {
    const client = make(port, impatient);
    const store = kv(client);
    await store.set("a", 1);
    // The server receives a call, and does not answer it.
    await admin.sendCommand(["CLIENT", "PAUSE", "600000", "WRITE"]);
    const setting = assert.rejects(store.set("a", 2), { code: "ERR_CLIENT" });
    let id;
    while (!id) {
      const clients = String(await admin.sendCommand(["CLIENT", "LIST"])).split("\n");
      const found = clients.find((line) => line.includes("name=impatient") && line.includes("cmd=set "));
      id = /^id=(\d+)/.exec(found ?? "")?.[1];
    }
    const connected = new Promise((resolve) => client.once("ready", resolve));
    await admin.sendCommand(["CLIENT", "KILL", "ID", id]);
    await setting;
    await admin.sendCommand(["CLIENT", "UNPAUSE"]);
    await connected;
    assert.equal(await store.get("a"), 1);
    await store.close();
  });
}

const late = { code: "ERR_CLIENT", message: /the store's timeout/ };

/** @type {typeof clients} Clients that wait for a server for ever: those of the package redis do when somebody listens to their errors. */
const patient = Object.fromEntries(
  Object.entries(clients).map(([name, make]) => [
    name,
    (port) => make(port, { lazyConnect: false, maxRetriesPerRequest: null }).on("error", () => {}),
  ]),
);

for (const [name, open] of Object.entries(patient)) {
  testRedis(
    `${name}: a server that does not answer in the store's timeout is ERR_CLIENT, and works later`,
    async (admin) => {
      const client = open(port);
      const [store, patient] = [kv(client, { timeout: "50ms" }), kv(client)];
      await patient.set("a", 1);
      await admin.sendCommand(["CLIENT", "PAUSE", "600000", "WRITE"]);
      const waiting = patient.set("b", 2);
      await assert.rejects(store.set("a", 2), late);
      await assert.rejects(store.clear(), late);
      await admin.sendCommand(["CLIENT", "UNPAUSE"]);
      await waiting;
      assert.equal(await patient.set("c", 3), "c");
      assert.equal(await patient.get("c"), 3);
      await patient.close();
    },
  );

  test(`${name}: a server that is not there is ERR_CLIENT within the store's timeout, and works when it is`, async () => {
    const later = await freePort();
    const patient = kv(open(later));
    await assert.rejects(kv(patient, { timeout: "50ms" }).get("a"), late);
    const server = await startRedis(later);
    try {
      await patient.set("a", 1);
      assert.equal(await patient.get("a"), 1);
      await patient.close();
    } finally {
      await server.stop();
    }
  });
}

for (const [name, make] of Object.entries(clients)) {
  testRedis(`${name}: close() does not mind that its owner closed it, and it can be wrapped again`, async () => {
    const client = make(port);
    const count = (/** @type {string} */ name) => client.listenerCount(name);
    const listeners = count("error");
    const others = count("reconnecting") + count("end");
    for (let i = 0; i < 3; ++i) {
      const store = kv(client);
      await store.set("a", i);
      await closed(client);
      await store.close();
    }
    assert.equal(count("error"), listeners + 1, "the listeners that are left");
    assert.equal(count("reconnecting") + count("end"), others, "the listeners that are left");
  });
}

for (const [name, make] of Object.entries(clients)) {
  test(`${name}: calls wait for a client that keeps no queue and is connecting`, async () => {
    const client = make(port, { disableOfflineQueue: true, enableOfflineQueue: false });
    const connecting = client.connect();
    const store = kv(client);
    assert.deepEqual(await Promise.all([store.set("a", 1), store.get("a")]), ["a", 1]);
    await connecting;
    await store.close();
    const lost = make(await freePort(), { disableOfflineQueue: true, enableOfflineQueue: false });
    const failing = lost.connect().catch(() => {});
    await assert.rejects(
      kv(lost).get("a"),
      ({ code, message }) => code === "ERR_CLIENT" && /ECONNREFUSED/.test(message),
    );
    (lost.destroy ?? lost.disconnect).call(lost);
    await failing;
  });
}

/** Not once(), which an error rejects. @param {any} client @param {string} name */
const event = (client, name) => new Promise((resolve) => client.once(name, resolve));

for (const [name, open] of Object.entries(patient)) {
  test(`${name}: close() ends a client whose server is not there, and the calls that wait for it`, async () => {
    for (const wait of [async () => {}, (/** @type {any} */ client) => event(client, "reconnecting")]) {
      const client = open(1);
      const store = kv(client);
      const [before, ended] = [assert.rejects(store.get("a"), { code: "ERR_CLIENT" }), event(client, "end")];
      await wait(client);
      await store.close();
      await before;
      await ended;
      await assert.rejects(store.get("a"), { code: "ERR_CLOSED" });
    }
  });

  test(`${name}: close() ends a client whose server is lost, and the calls that wait for it`, async () => {
    const server = await startRedis();
    const client = open(server.port);
    const store = kv(client);
    await store.set("a", 1);
    const lost = event(client, "reconnecting");
    await server.stop();
    await lost;
    const [before, ended] = [assert.rejects(store.get("a"), { code: "ERR_CLIENT" }), event(client, "end")];
    await store.close();
    await Promise.all([before, ended]);
  });

  test(`${name}: close() lets calls end that wait for a server which is there`, async () => {
    const client = open(port);
    const store = kv(client);
    const [setting, closing] = [store.set("a", name), store.close()];
    assert.equal(await setting, "a");
    await closing;
  });
}

for (const [name, make] of Object.entries(ioRedises)) {
  test(`${name}: close() ends a client whose server does not answer in the store's timeout`, async () => {
    const silent = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
    await once(silent, "listening");
    const client = make(/** @type {import("node:net").AddressInfo} */ (silent.address()).port, { lazyConnect: false });
    const ended = event(client, "end");
    const store = kv(client, { timeout: "50ms" });
    await assert.rejects(store.get("a"), late);
    await assert.rejects(store.close(), late);
    await ended;
    silent.close();
  });

  test(`${name}: what has ended with a store is not ended when it is wrapped again`, async () => {
    const client = make(port, { lazyConnect: false });
    const { length } = client.listeners("reconnecting");
    const store = kv(client);
    await store.set("a", 1);
    await store.close();
    assert.equal(client.listeners("reconnecting").length, length);
  });

  test(`${name}: the error of a first connection says why it failed`, async () => {
    const says = { code: "ERR_CLIENT", message: /ECONNREFUSED/ };
    const lost = kv(make(1));
    await assert.rejects(lost.get("a"), says);
    await lost.close();
    const refused = kv(make(port, { username: "nobody", password: "x" }));
    await assert.rejects(refused.get("a"), { code: "ERR_CLIENT", message: /WRONGPASS/ });
    await refused.close();
  });
}

testRedis("a listing gives no key twice when Redis shrinks its table meanwhile", async (client) => {
  const keys = Array.from({ length: 30000 }, (_, i) => `k${i}`);
  await client.mSet(keys.flatMap((key) => [key, "1"]));
  const pages = /** @type {AsyncGenerator<import("../../js/core/client.js").Page>} */ (
    (await openNodeRedis(client, true)).scan({ prefix: "" }, "keys")
  );
  /** @type {string[]} */
  const given = [];
  for (let i = 0; i < 10; ++i) given.push(...((await pages.next()).value?.ids ?? []));
  // Those of the last page are beside the cursor: in a smaller table, SCAN comes by them again.
  const kept = new Set(given.slice(-500));
  await client.unlink(keys.filter((key) => !kept.has(key)));
  const size = async () => Number(/table size: (\d+)/.exec(await client.sendCommand(["DEBUG", "HTSTATS", "0"]))?.[1]);
  while ((await size()) > 8192);
  for await (const { ids } of pages) given.push(...ids);
  assert.equal(new Set(given).size, given.length);
});

for (const [name, make] of Object.entries(clients)) {
  test(`${name}: a server that is not there is ERR_CLIENT, with the cause`, async () => {
    const client = make(1, { socket: { reconnectStrategy: false }, retryStrategy: null });
    await assert.rejects(kv(client).get("a"), ({ code, cause }) => {
      assert.equal(code, "ERR_CLIENT");
      assert.match(String(/** @type {any} */ (cause).code ?? cause), /ECONNREFUSED|Connection is closed/);
      return true;
    });
  });
}

test("Redis: a read renews a sliding expiry, of which the server alone knows", async () => {
  const client = await nodeRedis();
  const store = kv(client);
  const sliding = store.expires(1000, { sliding: true });
  await sliding.set("sliding", 1);
  await store.touch("sliding", 500);
  assert.equal(await sliding.get("sliding"), 1);
  await store.close(); // It waits for the renewal.
  const other = await nodeRedis();
  assert.ok(Number(await other.ttl("sliding")) > 900);
  await kv(other).del("sliding");
});

/** Gets all pages. @param {any} store @param {object} options @returns {Promise<[string, any][][]>} */
async function pagesOf(store, options) {
  const pages = [];
  for (let cursor = null; ;) {
    /** @type {{ entries: [string, any][], cursor: string | null }} */
    const page = await store.page({ ...options, cursor });
    pages.push(page.entries);
    cursor = page.cursor;
    if (cursor === null) return pages;
  }
}

testRedis("page() goes on from where SCAN is, and reads no more than its page", async (client) => {
  const store = kv(client).prefix("p:");
  const keys = Array.from({ length: 3000 }, (_, i) => `${i}`);
  await client.mSet(keys.flatMap((key) => [`p:${key}`, `"${key}"`, `other:${key}`, `"${key}"`]));
  await client.hSet("p:hash", "field", "1");
  await client.set("p:text", "dark");
  const seen = new Set();
  for (const entries of await pagesOf(store, { limit: 70 })) {
    assert.ok(entries.length <= 70, `${entries.length}`);
    for (const [key, value] of entries) {
      assert.equal(key, value);
      seen.add(key);
    }
  }
  assert.deepEqual([...seen].sort(), [...keys].sort());
  await client.configResetStat();
  const { entries, cursor } = await kv(client).page({ limit: 10 });
  const { commands } = await statistics(client);
  assert.ok(entries.length === 10 && commands < 20, `${commands} commands for ${entries.length} entries`);
  await assert.rejects(store.page({ cursor }), { code: "ERR_OPTIONS" }, "the cursor of another prefix");
  await assert.rejects(store.page({ gte: "1", cursor }), { code: "ERR_OPTIONS" }, "the cursor of another range");
  assert.deepEqual(
    (await kv(client).page({ gte: "p:1", limit: 1 })).entries,
    [["p:1", "1"]],
    "within bounds, in order",
  );
});

testRedis("page() with a cursor that somebody has forged reads nothing outside the store", async (client) => {
  await client.mSet(["secret", "1", "mine:a", "2", "mine:b", "3"]);
  const store = kv(client).prefix("mine:");
  const { cursor } = await store.page({ limit: 1 });
  const name = JSON.parse(/** @type {string} */ (cursor)).slice(0, -1);
  const forged = (/** @type {unknown} */ place) => JSON.stringify([...name, { place }]);
  assert.deepEqual(await store.page({ cursor: forged('["",null,["secret","a"]]') }), {
    entries: [["a", 2]],
    cursor: null,
  });
  for (const place of ["", "7", '["","0"]', '["","x",[]]', '["",null,[7]]', '["elsewhere","0",[]]'])
    await assert.rejects(store.page({ cursor: forged(place) }), { code: "ERR_OPTIONS" }, place);
});

testRedis("page() loses no entry and gives none twice while others are cleared", async (client) => {
  const store = kv(client);
  await store.page();
  const kept = Array.from({ length: 20 }, (_, i) => `kept:${i}`);
  const cleared = Array.from({ length: 20 }, (_, i) => `cleared:${i}`);
  await client.mSet([...kept, ...cleared].flatMap((key) => [key, "1"]));
  const clearing = store.prefix("cleared:").clear();
  const pages = await pagesOf(store, { limit: 10 });
  await clearing;
  const keys = pages.flat().map(([key]) => key);
  assert.deepEqual(keys.filter((key) => key.startsWith("kept:")).sort(), kept.sort());
});

testRedis("a range reads all keys with the prefix, but only its own values", async (client) => {
  const store = kv(client);
  const keys = Array.from({ length: 2000 }, (_, i) => String(i).padStart(4, "0"));
  await client.mSet(keys.flatMap((key) => [key, JSON.stringify("v".repeat(1000))]));
  await client.configResetStat();
  assert.deepEqual(
    (await store.entries({ gte: "0500", limit: 3, reverse: true })).map(([key]) => key),
    ["1999", "1998", "1997"],
  );
  const text = await client.info("stats");
  const sent = Number(/total_net_output_bytes:(\d+)/.exec(text)?.[1]);
  assert.ok(sent < 200_000, `${sent} bytes`);
});

for (const [name, make] of Object.entries(clients)) {
  testRedis(`${name}: the changes of one tick are few messages, and each has its own outcome`, async (admin) => {
    const store = kv(await connected(make(port)));
    const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
    await store.incr("first");
    await admin.set("k7", '"text"');
    await admin.set("k9", "4", { PX: 60_000 });
    await admin.configResetStat();
    const settled = await Promise.allSettled(keys.map((key) => store.incr(key)));
    assert.ok(Number(/cmdstat_evalsha?:calls=(\d+)/.exec(await admin.info("commandstats"))?.[1]) < 10);
    for (const [i, result] of settled.entries()) {
      if (i === 7) assert.equal(result.status === "rejected" && result.reason.code, "ERR_VALUE");
      else assert.deepEqual(result, { status: "fulfilled", value: i === 9 ? 5 : 1 });
    }
    assert.deepEqual([await admin.get("k7"), await admin.get("k1"), await admin.pTTL("k9")], ['"text"', "1", 60_000]);
  });
}

testRedis("a server that forgets the scripts is sent them again, and batches keep their place", async (client) => {
  const store = kv(client);
  await store.incr("a");
  await store.incr("a");
  await client.sendCommand(["SCRIPT", "FLUSH"]);
  assert.equal(await store.incr("a"), 3);
  await client.sendCommand(["SCRIPT", "FLUSH"]);
  const writes = [
    store.batch([
      ["set", "a", 10],
      ["set", "b", 10],
    ]),
    store.set("a", 11),
    store.get("a"),
  ];
  assert.deepEqual(await Promise.all(writes), [true, "a", 11]);
  assert.equal(await store.get("a"), 11);
});

testRedis("changes of a tick that meet keep their order: one of two removals gets the value", async (client) => {
  const store = kv(client);
  await store.set("a", 1);
  const { version } = /** @type {any} */ (await store.entry("a"));
  const take = () =>
    store.batch([
      ["check", "a", version],
      ["del", "a"],
      ["del", "b"],
    ]);
  const outcomes = await Promise.all([take(), take(), take()]);
  assert.equal(outcomes.filter(Boolean).length, 1, `${outcomes}`);
});

testRedis("a key that may not be changed takes no other change with it", async (admin) => {
  await admin.sendCommand(["ACL", "SETUSER", "limited", "on", "nopass", "~mine:*", "+@all"]);
  const store = kv(createClient({ url: `redis://limited:x@127.0.0.1:${port}` }));
  const keys = ["mine:a", "mine:b", "other", "mine:c"];
  const settled = await Promise.allSettled(keys.map((key) => store.incr(key)));
  assert.deepEqual(
    settled.map((result) => (result.status === "rejected" ? result.reason.code : result.value)),
    [1, 1, "ERR_CLIENT", 1],
  );
  await store.close();
  await admin.sendCommand(["ACL", "DELUSER", "limited"]);
});

testRedis("a change on a server whose memory is full is ERR_QUOTA, and changes nothing", async (client) => {
  const store = kv(client);
  await store.set("kept", 1);
  await store.set("a", 1);
  await client.configSet("maxmemory", "1");
  try {
    const settled = await Promise.allSettled([store.incr("a"), store.incr("b"), store.take("a")]);
    assert.deepEqual(
      settled.map((result) => result.status === "rejected" && result.reason.code),
      ["ERR_QUOTA", "ERR_QUOTA", false],
    );
    const batch = store.batch([
      ["del", "kept"],
      ["set", "b", 1],
    ]);
    await assert.rejects(batch, { code: "ERR_QUOTA" });
    assert.equal(await store.get("kept"), 1, "no part of the batch was made");
  } finally {
    await client.configSet("maxmemory", "0");
  }
});
