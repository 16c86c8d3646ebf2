// The handler in every runtime that is said to run it, asked by our client.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { startWorker } from "../support/workerd.js";

const path = (/** @type {string} */ name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * A program that tells its port.
 * @param {string} command
 * @param {string[]} args
 */
async function startProgram(command, args) {
  const child = spawn(path(`../../node_modules/${command}`), [...args, path("http_program.js")], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  let output = "";
  for await (const chunk of child.stdout) {
    output += chunk;
    if (/port \d+\./.test(output)) break;
  }
  return {
    port: Number(/port (\d+)\./.exec(output)?.[1]),
    async stop() {
      process.removeListener("exit", kill);
      kill();
      await once(child, "close");
    },
  };
}

/** @type {Record<string, () => Promise<{ port: number, stop: () => Promise<void> }>>} */
const runtimes = {
  Node: async () => {
    const options = { token: "s3cret", maxBody: 100_000, path: "/store" };
    const server = createServer(listener(handler(kv(new Map()), options)));
    await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
    const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
    return { port, stop: async () => void (server.close(), server.closeAllConnections()) };
  },
  Bun: () => startProgram("@oven/bun-linux-x64/bin/bun", ["run"]),
  Deno: () => startProgram("@deno/linux-x64-glibc/deno", ["run", "--allow-net"]),
  workerd: async () => {
    const { worker, stop } = await startWorker("web-tests/server/http_worker.js");
    return { port: Number((await worker.ready).port), stop };
  },
};

for (const [name, start] of Object.entries(runtimes)) {
  test(name, async (t) => {
    const { port, stop } = await start();
    const url = `http://127.0.0.1:${port}/store`;
    const store = kv(/** @type {any} */ (`http://:s3cret@127.0.0.1:${port}/store`));
    const headers = { authorization: "Bearer s3cret" };
    try {
      await t.test("keys and values of all kinds", async () => {
        const keys = ["a", "a/b", "a b", "%2e", "?#&=", "__proto__", "\0", "é🌍"];
        const awkward = ["", ".", "..", "x".repeat(5000)];
        if (name !== "workerd") keys.push(...awkward);
        else for (const key of awkward) await assert.rejects(store.set(key, 1), { code: "ERR_KEY", message: /512/ });
        for (const key of keys) await store.set(key, { key });
        for (const key of keys) assert.deepEqual(await store.get(key), { key });
        await Promise.all(keys.map((key) => store.set(key, [key])));
        assert.deepEqual(
          await Promise.all(keys.map(store.get)),
          keys.map((key) => [key]),
        );
        assert.deepEqual((await store.keys()).sort(), [...keys].sort());
        await store.del("a");
        assert.deepEqual([await store.get("a"), await store.has("a"), await store.has("a/b")], [null, false, true]);
        await store.clear();
        assert.deepEqual(await store.all(), {});
      });

      await t.test("a listing of 2,000, one that is left, a sub-store, and polystore's listing", async () => {
        const keys = Array.from({ length: 2000 }, (_, i) => `k${i}`);
        await Promise.all(keys.map((key) => store.set(key, "x".repeat(100))));
        assert.deepEqual((await store.keys()).sort(), [...keys].sort());
        let seen = 0;
        for await (const [key] of store) if (key && ++seen === 10) break;
        assert.equal((await store.prefix("k19").keys()).length, 111);
        const listed = await fetch(`${url}/?prefix=k199`, { headers });
        assert.equal(Object.keys(await listed.json()).length, 11);
        await store.prefix("k1").clear();
        assert.equal((await store.keys()).length, 2000 - 1111);
        await store.clear();
      });

      await t.test("a body over the limit, with and without its length, and one without the token", async () => {
        await store.set("fits", "x".repeat(99_998));
        await assert.rejects(store.set("big", "x".repeat(99_999)), { code: "ERR_QUOTA" });
        // Only the last piece is too much: workerd answers without reading what comes after that, and then ends the connection. A client
        // that is still writing then gets an error in place of the answer.
        let pieces = 11;
        const body = new ReadableStream({
          pull(controller) {
            controller.enqueue(new Uint8Array(10_000).fill(0x20));
            if (--pieces === 0) controller.close();
          },
        });
        const init = /** @type {any} */ ({ method: "PUT", headers, body, duplex: "half" });
        assert.equal((await fetch(`${url}/big`, init)).status, 413);
        assert.equal((await fetch(`${url}/stolen`, { method: "PUT", body: "1" })).status, 401);
        assert.equal((await fetch(`${url}/fits`, { method: "HEAD", headers })).status, 200);
        assert.equal((await fetch(`http://127.0.0.1:${port}/fits`, { headers })).status, 404);
        assert.deepEqual(await store.keys(), ["fits"]);
      });

      await t.test("expiry, in the time of the server", async () => {
        await store.set("brief", 1, { expires: "1ms" });
        await store.set("long", 1, { expires: "1h" });
        while (await store.has("brief"));
        assert.equal(await store.get("long"), 1);
      });
    } finally {
      await store.close();
      await stop();
    }
  });
}
