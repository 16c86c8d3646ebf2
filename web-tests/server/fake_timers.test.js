// The clients of Node, and Cloudflare KV, while a test has replaced all timers, as sinon and Jest do by default. Clients that talk
// over a socket work only afterwards: the sockets of Node themselves wait for process.nextTick().

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { startEtcd } from "../support/etcd.js";
import { filesFor } from "../support/files.js";
import { serveHttp } from "../support/http.js";
import { startPostgres } from "../support/postgres.js";
import { startWorker } from "../support/workerd.js";

const { freshPath } = filesFor("fake-timers");
const program = fileURLToPath(new URL("fake_timers_program.js", import.meta.url));

/** After how many milliseconds a process is killed that a call keeps waiting. It takes one second, PGlite ten. */
const timeout = 120_000;

const clients = ["Map", "a file", "a folder", "a log, relaxed", "a log, strict"];
const databases = ["Level", "Level in memory", "SQLite", "PGlite"];

for (const client of [...clients, ...databases]) {
  test(`${client}: a store works while the timers are fake, and afterwards`, async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program, client, freshPath("")], { timeout });
    assert.equal(stdout, "done\n");
  });
}

/** @type {Record<string, () => Promise<{ url: string, stop?: () => unknown }>>} */
const servers = {
  HTTP: async () => ({ url: (await serveHttp(listener(handler(kv(new Map()))))).origin }),
  Postgres: startPostgres,
  etcd: startEtcd,
};

for (const [client, start] of Object.entries(servers)) {
  test(`${client}: what is called while the timers are fake ends when they are real again, and the store works`, async () => {
    const { url, stop } = await start();
    try {
      const { stdout } = await promisify(execFile)(process.execPath, [program, client, url], { timeout });
      assert.equal(stdout, "done\n");
    } finally {
      await stop?.();
    }
  });
}

test("Cloudflare KV: a store works while the timers of a Worker are fake, and afterwards", async () => {
  const { worker, stop } = await startWorker("web-tests/server/fake_timers.worker.js");
  try {
    assert.equal(await (await worker.dispatchFetch("http://worker/")).text(), "done");
  } finally {
    await stop();
  }
});
