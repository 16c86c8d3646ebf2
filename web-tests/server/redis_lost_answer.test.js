// A change in Redis whose answer is lost with the connection. ioredis sends the command again, and does not tell.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis5";
import { createClient } from "redis";
import kv from "polystore-wasm";
import { startMuteProxy } from "../support/mute_proxy.js";
import { startRedis, startRedisCluster } from "../support/redis.js";

const [server, cluster] = await Promise.all([startRedis(), startRedisCluster()]);
after(() => Promise.all([server.stop(), cluster.stop()]));

/** Opens a client of the cluster whose servers are reached at other ports. @param {any} Cluster @param {number[]} ports */
function openCluster(Cluster, ports) {
  const host = "127.0.0.1";
  const natMap = Object.fromEntries(cluster.ports.map((port, i) => [`${host}:${port}`, { host, port: ports[i] }]));
  return new Cluster(
    cluster.ports.map((port) => ({ host, port })),
    { natMap },
  );
}

/** @type {[name: string, servers: number[], open: (ports: number[]) => any, close: (client: any) => unknown][]} */
const clients = [
  ["ioredis 5", [server.port], ([port]) => new Redis5(port), (client) => client.disconnect()],
  ["ioredis 6", [server.port], ([port]) => new Redis6(port), (client) => client.disconnect()],
  [
    "a cluster of ioredis 5",
    cluster.ports,
    (ports) => openCluster(Redis5.Cluster, ports),
    (client) => client.disconnect(),
  ],
  [
    "a cluster of ioredis 6",
    cluster.ports,
    (ports) => openCluster(Redis6.Cluster, ports),
    (client) => client.disconnect(),
  ],
  [
    "redis",
    [server.port],
    ([port]) => createClient({ url: `redis://127.0.0.1:${port}` }),
    (client) => client.destroy(),
  ],
];
/** @type {[name: string, change: (store: any) => Promise<unknown>, made: unknown][]} */
const changes = [
  ["incr", (store) => store.incr("n"), 2],
  ["update", (store) => store.update("n", (/** @type {number} */ n) => n + 1), 2],
  ["take", (store) => store.take("n"), 1],
];

for (const [client, ports, open, close] of clients) {
  for (const [name, change, made] of changes) {
    test(`${client}, ${name}: a change whose answer was lost is not made twice, nor said not to be made`, async () => {
      const proxies = await Promise.all(ports.map(startMuteProxy));
      const [muted, direct] = [open(proxies.map(({ port }) => port)), open(ports)];
      const [store, witness] = [kv(muted), kv(direct)];
      try {
        await store.set("n", 1);
        // The first script reads, and the second one changes.
        let evals = 0;
        const send = muted.call?.bind(muted) ?? muted.sendCommand.bind(muted);
        const intercept = (/** @type {any[]} */ ...args) => {
          if ([args[0], args[0]?.[0]].includes("EVAL") && ++evals === 2) proxies.forEach((proxy) => proxy.mute());
          return send(...args);
        };
        Object.assign(muted, muted.call ? { call: intercept } : { sendCommand: intercept });
        const changing = change(store).catch((/** @type {any} */ { code, message }) => [code, message]);
        while ((await witness.get("n")) === 1);
        proxies.forEach((proxy) => proxy.cut());
        const outcome = /** @type {any} */ (await changing);
        if (outcome !== made) assert.equal(outcome[0], "ERR_CLIENT", JSON.stringify(outcome));
        if (client !== "redis" && outcome !== made) assert.match(outcome[1], /may have been made/);
        assert.equal(await witness.get("n"), name === "take" ? null : 2);
      } finally {
        close(muted);
        close(direct);
        proxies.forEach((proxy) => proxy.close());
      }
    });
  }
}
