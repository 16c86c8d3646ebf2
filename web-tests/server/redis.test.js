import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis as IoRedis } from "ioredis";
import upstream from "polystore";
import kv from "polystore-wasm";
import { createClient } from "redis";
import { redis } from "../contract/clients/redis.js";
import { testContract } from "../contract/suite.js";
import { checkOneWay } from "../interop/interop.js";
import { startRedis } from "../support/redis.js";

const { port, clock, stop } = await startRedis();
/** How to end what was connected: a client that is left would try to reach the server for ever. @type {(() => void)[]} */
const ends = [];
after(async () => {
  for (const end of ends) end();
  await stop();
});

const nodeRedis = async () => {
  const client = await createClient({ url: `redis://127.0.0.1:${port}` }).connect();
  ends.push(() => client.isOpen && client.destroy());
  return client;
};
const ioRedis = () => {
  const client = new IoRedis(port, "127.0.0.1");
  ends.push(() => client.disconnect());
  return client;
};
testContract(redis(kv, "Redis, node-redis", clock, nodeRedis, (client, command) => client.sendCommand(command)));
testContract(redis(kv, "Redis, ioredis", clock, ioRedis, (client, [name, ...args]) => client.call(name, ...args)));

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
  clock.advance(99);
  assert.equal(await store.get("a"), 1);
  clock.advance(1);
  assert.equal(await store.get("a"), null);
});

testRedis("a client that is not connected is connected, and closed by close()", async () => {
  const client = createClient({ url: `redis://127.0.0.1:${port}` });
  const store = kv(client);
  await store.set("a", 1);
  await store.close();
  assert.equal(client.isOpen, false);
  const lazy = new IoRedis({ port, host: "127.0.0.1", lazyConnect: true });
  const second = kv(lazy);
  assert.equal(await second.get("a"), 1);
  await second.close();
  assert.equal(lazy.status, "end");
});

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

test("a server that is not there is ERR_CLIENT, with the cause", async () => {
  const client = createClient({ socket: { host: "127.0.0.1", port: 1, reconnectStrategy: false } });
  await assert.rejects(kv(/** @type {any} */ (client)).get("a"), ({ code, cause }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.match(String(/** @type {any} */ (cause).code ?? cause), /ECONNREFUSED/);
    return true;
  });
});
