// The cache of axios-cache-interceptor over a store, in the interceptor itself.

import assert from "node:assert/strict";
import { test } from "node:test";
import axios from "axios";
import { buildStorage, setupCache } from "axios-cache-interceptor";
import kv from "polystore-wasm";
import { cacheStorage } from "polystore-wasm/axios-cache-interceptor";
import { filesFor, urlOf } from "../support/files.js";
import { served } from "../support/served.js";

const NOW = 1_700_000_000_000;
const { freshPath } = filesFor("axios");

/**
 * Runs requests against a server that counts them.
 * @param {Record<string, string>} headers Of each answer.
 * @param {(url: string) => Promise<void>} run
 */
function counting(headers, run) {
  let requests = 0;
  return served((_, response) => {
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader("content-type", "application/json");
    response.end(JSON.stringify({ requests: ++requests }));
  }, run);
}

/** @param {import("polystore-wasm").Store} store */
const clientOver = (store) =>
  setupCache(axios.create(), { storage: buildStorage(cacheStorage(store)), modifiedSince: false });

/** @type {[name: string, open: () => any][]} */
const clients = [
  ["a Map", () => new Map()],
  ["a File", () => urlOf(freshPath())],
];

for (const [name, open] of clients) {
  test(`axios-cache-interceptor keeps its answers over ${name}, and the store removes what is over`, async ({
    mock,
  }) => {
    mock.timers.enable({ apis: ["Date"], now: NOW });
    const store = kv(open());
    await counting({ "cache-control": "max-age=60" }, async (url) => {
      const answers = [await clientOver(store).get(url), await clientOver(store).get(url)];
      assert.deepEqual(
        answers.map(({ data, cached }) => [data.requests, cached]),
        [
          [1, false],
          [1, true],
        ],
      );
    });
    const [key] = await store.keys();
    assert.equal(await store.ttl(key), 60);
    mock.timers.setTime(NOW + 60_000);
    assert.deepEqual(await store.keys(), []);
    await store.close();
  });
}

test("an answer that can be revalidated has the default expiry of the store", async () => {
  const store = kv().expires("1 day");
  await counting({ "cache-control": "max-age=1", etag: '"1"' }, async (url) => void (await clientOver(store).get(url)));
  const [key] = await store.keys();
  assert.ok(Number(await store.ttl(key)) > 80_000);
});

test("a request whose process was killed does not forbid caching for ever", async ({ mock }) => {
  mock.timers.enable({ apis: ["Date"], now: NOW });
  const store = kv();
  await cacheStorage(store).set("key", { state: "loading", previous: "empty" });
  assert.equal(await store.ttl("key"), 60);
  mock.timers.setTime(NOW + 60_000);
  assert.equal(await cacheStorage(store).find("key"), undefined);
});

test("answers can be removed and cleared", async () => {
  const store = kv();
  await counting({}, async (url) => {
    const client = clientOver(store);
    const { id } = await client.get(url);
    await client.storage.remove(id);
    assert.equal((await client.get(url)).cached, false);
    await client.storage.clear?.();
    assert.deepEqual(await store.keys(), []);
  });
});
