import assert from "node:assert/strict";
import { after, test } from "node:test";
import * as ioRedis6 from "ioredis";
import * as ioRedis5 from "ioredis5";
import kv from "polystore-wasm";
import * as nodeRedis6 from "redis";
import * as nodeRedis4 from "redis4";
import * as nodeRedis5 from "redis5";
import { redis } from "../contract/clients/redis.js";
import { testContract } from "../contract/suite.js";
import { startRedisCluster } from "../support/redis.js";

const { ports, clock, stop } = await startRedisCluster();
/** How to end what was connected. @type {(() => unknown)[]} */
const ends = [];
after(async () => {
  for (const end of ends) await end();
  await stop();
});

/**
 * @typedef {object} Kind
 * @property {(options?: object) => any} open
 * @property {(client: any, key: string, command: string[]) => Promise<any>} send To the server that has the key.
 * @property {(client: any) => Promise<((command: string[]) => Promise<any>)[]>} masters
 */
/** @param {any} createCluster Of a version of the package redis. @returns {Kind} */
const nodeRedis = ({ createCluster }) => ({
  open(options = {}) {
    const client = createCluster({
      rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })),
      ...options,
    });
    ends.push(() => client.isOpen && (client.destroy ?? client.disconnect).call(client));
    return client;
  },
  send: (client, key, command) => client.sendCommand(key, false, command),
  async masters(client) {
    const nodes = await Promise.all(client.masters.map((/** @type {any} */ master) => client.nodeClient(master)));
    return nodes.map((node) => (command) => node.sendCommand(command));
  },
});

/** @param {any} Cluster Of a version of the package ioredis. @returns {Kind} */
const ioRedis = ({ Cluster }) => ({
  open(options = {}) {
    const client = new Cluster(
      ports.map((port) => ({ host: "127.0.0.1", port })),
      { lazyConnect: true, ...options },
    );
    ends.push(() => client.disconnect());
    return client;
  },
  send: (client, _, [name, ...args]) => client.call(name, ...args),
  masters: async (client) =>
    client.nodes("master").map(
      (/** @type {any} */ node) =>
        (/** @type {string[]} */ [name, ...args]) =>
          node.call(name, ...args),
    ),
});

const kinds = {
  "node-redis 4": nodeRedis(nodeRedis4),
  "node-redis 5": nodeRedis(nodeRedis5),
  "node-redis 6": nodeRedis(nodeRedis6),
  "ioredis 5": ioRedis(ioRedis5),
  "ioredis 6": ioRedis(ioRedis6),
};
/** Those that the whole contract is run over, which takes a cluster some ten seconds: the others hardly differ from the next version. */
const WHOLE = ["node-redis 4", "node-redis 6", "ioredis 6"];
/** Those that know no prefix of their own. */
const WITHOUT_PREFIX = ["node-redis 4", "node-redis 5"];

for (const [name, { open, send, masters }] of Object.entries(kinds)) {
  const connect = async (options = {}) => {
    const client = open(options);
    await client.connect();
    return client;
  };
  /** @type {(client: any, command: string[]) => Promise<any>} */
  const sendAnywhere = async (client, command) =>
    command[0] === "FLUSHALL"
      ? Promise.all((await masters(client)).map((sendTo) => sendTo(command)))
      : send(client, command[1], command);

  if (WHOLE.includes(name)) testContract(redis(kv, `a cluster of Redis, ${name}`, clock, connect, sendAnywhere, false));

  /** Runs a test over an empty cluster. @type {(what: string, run: (client: any) => Promise<void>) => void} */
  const testCluster = (what, run) =>
    test(`${name}: ${what}`, async () => {
      const client = await connect();
      await sendAnywhere(client, ["FLUSHALL"]);
      await run(client);
    });

  testCluster("records are spread over the servers, and a listing finds all", async (client) => {
    const store = kv(client);
    const keys = Array.from({ length: 3000 }, (_, i) => `p:${i}`);
    await Promise.all(keys.map((key) => store.set(key, key)));
    const sizes = await Promise.all((await masters(client)).map((sendTo) => sendTo(["DBSIZE"])));
    assert.ok(sizes.length === 3 && sizes.every((size) => size > 500), `${sizes}`);
    assert.deepEqual((await store.prefix("p:").values()).sort(), [...keys].sort());
    assert.deepEqual(await Promise.all(keys.map(store.get)), keys);
    await store.prefix("p:1").clear();
    assert.equal((await store.keys()).length, keys.filter((key) => !key.startsWith("p:1")).length);
  });

  testCluster("the empty key is asked of its server, and of no other", async (client) => {
    const store = kv(client);
    await store.set("", 0); // Whoever does not know the servers yet learns of them.
    const servers = await masters(client);
    for (const sendTo of servers) await sendTo(["CONFIG", "RESETSTAT"]);
    for (let i = 0; i < 30; ++i) {
      await store.set("", i);
      assert.equal(await store.get(""), i);
    }
    for (const sendTo of servers) assert.doesNotMatch(await sendTo(["INFO", "errorstats"]), /MOVED/);
  });

  testCluster("calls on one key keep their order", async (client) => {
    const store = kv(client);
    for (let i = 0; i < 50; ++i) {
      const key = `k${i}`;
      const calls = [
        store.set(key, 1),
        store.del(key),
        store.set(key, 2),
        store.get(key),
        store.del(key),
        store.get(key),
      ];
      assert.deepEqual(await Promise.all(calls), [key, key, key, 2, key, null]);
    }
  });

  if (!WITHOUT_PREFIX.includes(name))
    testCluster("the client's keyPrefix counts", async (admin) => {
      for (const key of ["a", "app1:a"]) await send(admin, key, ["SET", key, '"foreign"']);
      const client = await connect({ keyPrefix: "app?:" });
      const store = kv(client);
      await store.set("a", 1);
      assert.equal(await client.get("a"), "1");
      assert.deepEqual(await store.all(), { a: 1 });
      await store.clear();
      assert.deepEqual((await kv(admin).keys()).sort(), ["a", "app1:a"]);
      await store.close();
    });

  testCluster("one that is not connected is connected, and closed by close()", async () => {
    const store = kv(open());
    assert.deepEqual(await store.entries(), []);
    await store.set("a", 1);
    assert.deepEqual(await store.entries(), [["a", 1]]);
    await store.close();
    await store.close();
  });

  testCluster(
    "a call that is not answered in the store's timeout is ERR_CLIENT, and no later one waits",
    async (client) => {
      const [store, patient] = ["50ms", "10s"].map((timeout) => kv(client, { timeout }));
      await patient.set("a", 1);
      const late = { code: "ERR_CLIENT", message: /the store's timeout/ };
      const servers = await masters(await connect()); // Of a client whose own commands do not wait behind the paused one.
      for (const sendTo of servers) await sendTo(["CLIENT", "PAUSE", "600000", "WRITE"]);
      await assert.rejects(store.set("a", 2), late);
      for (const sendTo of servers) await sendTo(["CLIENT", "UNPAUSE"]);
      await patient.set("a", 3);
      assert.equal(await patient.get("a"), 3);
      const method = "nodeClient" in client ? "sendCommand" : "call";
      client[method] = () => new Promise(() => {});
      await assert.rejects(store.set("a", 4), late);
      delete client[method];
      assert.deepEqual([await patient.get("a"), await patient.keys()], [3, ["a"]]);
    },
  );

  testCluster("a key that moves to another server is found there", async (client) => {
    const store = kv(client);
    await store.set("a", 1);
    const nodes = await masters(client);
    const slot = `${await nodes[0](["CLUSTER", "KEYSLOT", "a"])}`;
    const has = await Promise.all(nodes.map((sendTo) => sendTo(["EXISTS", "a"]).catch(() => 0)));
    const [from, to] = has[0] ? nodes : [nodes[has.indexOf(1)], nodes[0]];
    const [fromId, toId] = [await from(["CLUSTER", "MYID"]), await to(["CLUSTER", "MYID"])];
    const port = /tcp_port:(\d+)/.exec(await to(["INFO", "server"]))?.[1] ?? "";
    await to(["CLUSTER", "SETSLOT", slot, "IMPORTING", `${fromId}`]);
    await from(["CLUSTER", "SETSLOT", slot, "MIGRATING", `${toId}`]);
    await from(["MIGRATE", "127.0.0.1", port, "a", "0", "5000"]);
    assert.equal(await store.get("a"), 1, "what is asked for at the old place, before the new one is known");
    for (const sendTo of nodes) await sendTo(["CLUSTER", "SETSLOT", slot, "NODE", `${toId}`]);
    const calls = [store.get("a"), store.set("a", 2), store.get("a"), store.del("a"), store.get("a")];
    assert.deepEqual(await Promise.all(calls), [1, "a", 2, "a", null]);
  });
}

test("a server whose memory is full is ERR_QUOTA", async () => {
  const client = kinds["node-redis 6"].open();
  const store = kv(client);
  await store.set("a", 1);
  const nodes = await kinds["node-redis 6"].masters(client);
  for (const sendTo of nodes) await sendTo(["CONFIG", "SET", "maxmemory", "1"]);
  await assert.rejects(store.set("a", 2), { code: "ERR_QUOTA" });
  for (const sendTo of nodes) await sendTo(["CONFIG", "SET", "maxmemory", "0"]);
  assert.equal(await store.get("a"), 1);
});
