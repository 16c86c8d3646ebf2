// A page of an iteration ends at a number of bytes, too: 1,000 values of 10 MB are more than there is memory for.

import assert from "node:assert/strict";
import { mkdirSync } from "node:fs";
import { after, test } from "node:test";
import Database from "better-sqlite3";
import { Redis } from "ioredis";
import Keyv from "keyv5";
import { Level } from "level";
import { Cloudflare } from "../../js/clients/cloudflare.js";
import { Custom } from "../../js/clients/custom.js";
import { openFolder } from "../../js/clients/folder/folder.js";
import { Keyv as KeyvClient } from "../../js/clients/keyv.js";
import { openLevel } from "../../js/clients/level.js";
import { openLog } from "../../js/clients/log/log.js";
import { openIoRedis } from "../../js/clients/redis/redis.js";
import { Sqlite } from "../../js/clients/sqlite.js";
import { filesFor, urlOf } from "../support/files.js";
import { goThroughLarge } from "../support/pages.js";
import { startRedis, startRedisCluster } from "../support/redis.js";
import { startWorker } from "../support/workerd.js";

/** @typedef {import("../../js/core/client.js").Client} Client */

const { freshPath } = filesFor("page-bytes");
const { port, stop } = await startRedis();
const cluster = await startRedisCluster();
const { worker, stop: stopWorker } = await startWorker("web-tests/server/cloudflare.worker.js");
after(async () => {
  await Promise.all([stop(), cluster.stop(), stopWorker()]);
});

/** 1 MB, and the value that passes it. */
const MOST = 1_400_000;

/** Storages whose values are seen one by one. @type {Record<string, () => Client | Promise<Client>>} */
const exact = {
  "a log": () => openLog(urlOf(freshPath(".kv")), "relaxed"),
  "a Folder"() {
    const path = freshPath("");
    mkdirSync(path);
    return openFolder(`${urlOf(path)}/`);
  },
  SQLite: () => new Sqlite(new Database(freshPath(".db"))),
  Level: () => openLevel(new Level(freshPath(".level"))),
  "a client of one's own"() {
    const map = new Map();
    return new Custom({
      get: (/** @type {string} */ id) => map.get(id),
      set: (/** @type {string} */ id, /** @type {unknown} */ record) => void map.set(id, record),
      iterate: () => map.entries(),
    });
  },
};

for (const [name, open] of Object.entries(exact)) {
  test(`the pages of ${name}`, async () => {
    const client = await open();
    const { found, first, largest } = await goThroughLarge(client);
    await client.close?.();
    assert.equal(found, 60);
    assert.ok(Math.max(first, largest) < MOST, `a page has ${Math.max(first, largest)} bytes`);
  });
}

/** Storages that give so many values as they are asked for: what a page has is seen when it is there. @type {typeof exact} */
const byThePageBefore = {
  Redis: () => openIoRedis(new Redis(port), "connecting"),
  "a cluster of Redis": () => openIoRedis(new Redis.Cluster(cluster.ports.map((port) => ({ port }))), "connecting"),
  Keyv: () => new KeyvClient(new Keyv()),
  "Cloudflare KV": async () => new Cloudflare(await worker.getKVNamespace("KV")),
};

for (const [name, open] of Object.entries(byThePageBefore)) {
  test(`the pages of ${name} go by the page before`, async () => {
    const client = await open();
    const { found, largest } = await goThroughLarge(client);
    await client.close?.();
    assert.equal(found, 60);
    assert.ok(largest > 0 && largest < MOST, `a page has ${largest} bytes`);
  });
}
