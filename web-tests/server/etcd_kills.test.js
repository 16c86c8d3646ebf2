// Changes of several keys in etcd whose program, server or connection ends in the middle: all of a change is made, or nothing, and
// nothing is made twice.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { Etcd3 } from "etcd3";
import kv from "polystore-wasm";
import { startEtcd } from "../support/etcd.js";
import { startMuteProxy } from "../support/mute_proxy.js";
import { runApart } from "../support/run_apart.js";

const server = await startEtcd();
after(server.stop);

const OLD = { kept: "as it was", changed: 1, removed: "soon" };
const NEW = { kept: "as it was", changed: 2, added: "x".repeat(1000) };
/** @type {any} */
const BATCH = [
  ["set", "changed", 2],
  ["del", "removed"],
  ["set", "added", "x".repeat(1000)],
];

/**
 * Runs a test with a store over etcd that has only the old values, and returns what it has then.
 * @param {(store: import("polystore-wasm").Store, client: any) => Promise<unknown>} run
 */
async function afterwards(run) {
  const client = new Etcd3({ hosts: server.url });
  const store = kv(client);
  await store.clear();
  await store.setMany(OLD);
  await run(store, client);
  client.close();
  const reader = new Etcd3({ hosts: server.url });
  const all = await kv(reader).all();
  reader.close();
  return all;
}

/**
 * Calls a function when a client sends a transaction.
 * @param {any} client
 * @param {(send: () => Promise<unknown>) => Promise<unknown>} onSend
 */
function interceptTransactions({ pool }, onSend) {
  const { exec } = pool;
  pool.exec = function (/** @type {any[]} */ ...call) {
    const send = () => exec.apply(this, call);
    return call[1] === "txn" ? onSend(send) : send();
  };
}

for (const [when, made] of /** @type {const} */ ([
  ["before it is sent", [false]],
  ["once it is sent", [false, true]],
  ["when it is answered", [true]],
])) {
  test(`a program that is killed ${when} has made all of a batch, or nothing`, async () => {
    const program = `
      const { Etcd3 } = await import("etcd3");
      const client = new Etcd3({ hosts: args[0] });
      const kill = () => process.kill(process.pid, "SIGKILL");
      await client.get("connects"); 
      const { exec } = client.pool;
      client.pool.exec = function (...call) {
        if (call[1] !== "txn") return exec.apply(this, call);
        if (args[1] === "before it is sent") kill();
        const reply = exec.apply(this, call);
        if (args[1] === "when it is answered") reply.then(kill);
        else setImmediate(() => setImmediate(kill));
        return new Promise(() => {});
      };
      await kv(client).batch(JSON.parse(args[2]));`;
    const all = await afterwards(() =>
      assert.rejects(runApart("true", program, server.url, when, JSON.stringify(BATCH)), { signal: "SIGKILL" }),
    );
    assert.ok(/** @type {readonly boolean[]} */ (made).includes("added" in all), `it is ${"added" in all}`);
    assert.deepEqual(all, "added" in all ? NEW : OLD);
  });
}

test("a server that is killed around a batch has made all of it, or nothing, and all that it acknowledged", async () => {
  for (let turns = 0; turns < 6; ++turns) {
    let acknowledged = false;
    const all = await afterwards(async (store, client) => {
      /** @type {Promise<void> | undefined} */
      let killing;
      interceptTransactions(client, async (send) => {
        const sending = send();
        for (let i = 0; i < turns; ++i) await new Promise((resolve) => setImmediate(resolve));
        killing ??= server.kill();
        return sending;
      });
      const rejected = (/** @type {any} */ error) => assert.equal(error.code, "ERR_CLIENT") ?? false;
      acknowledged = await store.batch(BATCH).catch(rejected);
      await killing;
      await server.restart();
    });
    assert.ok("added" in all || !acknowledged, "an acknowledged batch is lost");
    assert.deepEqual(all, "added" in all ? NEW : OLD);
  }
});

for (const [name, change, made] of /** @type {[string, (store: any) => Promise<unknown>, unknown][]} */ ([
  ["incr", (store) => store.incr("n"), 2],
  ["update", (store) => store.update("n", (/** @type {number} */ n) => n + 1), 2],
  [
    "batch",
    async (store) => {
      const { version } = await store.entry("n");
      return store.batch([
        ["check", "n", version],
        ["set", "n", 2],
      ]);
    },
    true,
  ],
  ["setIfAbsent", (store) => store.setIfAbsent("m", 1), true],
  ["take", (store) => store.take("n"), 1],
])) {
  test(`${name}: a change whose answer was lost with the connection is not made twice, nor said not to be made`, async () => {
    const proxy = await startMuteProxy(Number(new URL(server.url).port));
    const client = new Etcd3({ hosts: `http://127.0.0.1:${proxy.port}` });
    const direct = new Etcd3({ hosts: server.url });
    try {
      const [store, witness] = [kv(client), kv(direct)];
      await witness.clear();
      await store.set("n", 1);
      const revision = async () => (await direct.get("x").exec()).header.revision;
      const before = await revision();
      let sent = 0;
      interceptTransactions(client, async (send) => {
        if (++sent > 1) return send();
        proxy.mute();
        const sending = send();
        sending.catch(() => {});
        while ((await revision()) === before);
        proxy.cut();
        return sending;
      });
      const outcome = await change(store).catch(({ code, message }) => [code, /may have been made/.test(message)]);
      assert.deepEqual(outcome === made || outcome, outcome === made || ["ERR_CLIENT", true]);
      assert.equal(Number(await revision()), Number(before) + 1);
    } finally {
      client.close();
      direct.close();
      proxy.close();
    }
  });
}
