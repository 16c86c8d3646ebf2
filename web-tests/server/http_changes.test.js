// The methods that change values depending on what is there, over HTTP: between two clients, with answers that are lost, and with servers
// that cannot make such changes.

import assert from "node:assert/strict";
import { test } from "node:test";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { FakeStorage } from "../contract/clients/fake_storage.js";
import { startCuttingProxy } from "../support/cutting_proxy.js";
import { serveHttp } from "../support/http.js";
import { polystoreServer } from "../support/polystore_server.js";

/** @typedef {`http://${string}`} Url */

/**
 * @param {import("polystore-wasm").Store} [store]
 * @param {import("../../js/server.js").HandlerOptions} [options]
 */
async function serveStore(store = kv(new Map()), options = {}) {
  /** @type {string[]} */
  const requests = [];
  const proxied = { listen: listener(handler(store, options)) };
  const server = await serveHttp((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    return proxied.listen(incoming, outgoing);
  });
  const restart = () => void (proxied.listen = listener(handler(store, options)));
  return { ...server, url: /** @type {Url} */ (server.origin), store, requests, restart };
}

/** Two clients of one server. */
async function connect() {
  const server = await serveStore();
  return { ...server, one: kv(server.url), other: kv(server.url) };
}

/** @param {number | null} seconds @param {number} expected */
function assertLife(seconds, expected) {
  assert.ok(seconds !== null && seconds > expected - 5 && seconds <= expected + 0.1, `${seconds} s, not ${expected} s`);
}

test("the increments of two clients are all made, and few requests are needed", async () => {
  const { one, other, store, requests } = await connect();
  const sums = await Promise.all(Array.from({ length: 200 }, (_, i) => (i % 2 ? one : other).incr("count")));
  assert.deepEqual(
    sums.toSorted((a, b) => a - b),
    Array.from({ length: 200 }, (_, i) => i + 1),
  );
  assert.equal(await store.get("count"), 200);
  assert.ok(requests.length < 40, `${requests.length} requests`);
  assert.equal(one.atomic, "origin");
});

test("of several clients, one takes a value, and one makes it", async () => {
  const { one, other } = await connect();
  assert.deepEqual((await Promise.all([one.setIfAbsent("k", 1), other.setIfAbsent("k", 2)])).toSorted(), [false, true]);
  const [a, b] = await Promise.all([one.take("k"), other.take("k")]);
  assert.ok((a === null) !== (b === null), `${a} and ${b}`);
  assert.equal(await one.get("k"), null);
});

test("an entry has the version by which the other client and the server's own store replace it", async () => {
  const { one, other, store } = await connect();
  await one.set("k", { n: [1, "é"] }, { expires: 1000 });
  const entry = /** @type {import("polystore-wasm").Entry} */ (await one.entry("k"));
  assert.deepEqual([entry.key, entry.value], ["k", { n: [1, "é"] }]);
  assertLife((Number(entry.expires) - Date.now()) / 1000, 1000);
  assert.equal(entry.version, (await store.entry("k"))?.version);
  assert.equal(await other.cas("k", entry.version, 2), true);
  assert.equal(await one.cas("k", entry.version, 3), false);
  assert.equal(await store.get("k"), 2);
  assert.equal(await one.cas("k", /** @type {any} */ (await store.entry("k")).version, null), true);
  assert.deepEqual([await store.has("k"), await one.entry("k")], [false, null]);
});

test("several keys change as a whole, and a check that fails changes nothing", async () => {
  const { one, other, store } = await connect();
  await one.batch([
    ["set", "a", 10],
    ["set", "b", 5, { expires: 1000 }],
  ]);
  const move = (/** @type {number} */ n) => one.update(["a", "b"], ([a, b]) => [a - n, b + n]);
  await Promise.all([move(1), other.update(["b", "a"], ([b, a]) => [b + 2, a - 2]), move(3)]);
  assert.deepEqual(await store.getMany(["a", "b"]), [4, 11]);
  assertLife(await one.ttl("b"), 1000);
  const version = /** @type {any} */ (await one.entry("a")).version;
  await other.set("a", 0);
  assert.equal(
    await one.batch([
      ["check", "a", version],
      ["del", "b"],
      ["set", "c", 1],
    ]),
    false,
  );
  assert.deepEqual(await store.all(), { a: 0, b: 11 });
  assert.equal(
    await one.batch([
      ["check", "none", null],
      ["del", "b"],
      ["set", "c", 1],
    ]),
    true,
  );
  assert.deepEqual(await store.all(), { a: 0, c: 1 });
});

test("a change keeps the expiry of the server, whatever the clock of the client", async () => {
  const { one, store } = await connect();
  await store.set("k", 1, { expires: 1000 });
  const before = (await store.entry("k"))?.expires;
  await one.incr("k");
  await one.update(["k", "new"], ([k]) => [k + 1, 1], { expires: 50 });
  assert.deepEqual([(await store.entry("k"))?.expires, await store.get("k")], [before, 3]);
  assertLife(await store.ttl("new"), 50);
  await one.incr("k", 1, { renew: true, expires: 20 });
  assertLife(await store.ttl("k"), 20);
});

test("ttl() and touch()", async () => {
  const { one, store, requests } = await connect();
  await store.set("k", "x".repeat(1000), { expires: 1000 });
  await store.set("for ever", 1);
  assertLife(await one.ttl("k"), 1000);
  assert.deepEqual([await one.ttl("for ever"), await one.ttl("none")], [Infinity, null]);
  assert.deepEqual(requests, ["HEAD /?prefix=", ...Array(3).fill("POST /?batch")]);
  assert.deepEqual([await one.touch("k", 50), await one.touch("none", 50)], [true, false]);
  assertLife(await store.ttl("k"), 50);
  assert.equal(await one.touch("k", null), true);
  assert.equal(await store.ttl("k"), Infinity);
});

test("a read renews a sliding expiry", async () => {
  const { one, store } = await connect();
  const sliding = one.expires(1000, { sliding: true });
  await sliding.set("k", 1);
  await store.touch("k", 500);
  assert.equal(await sliding.get("k"), 1);
  await one.close(); // It waits for the renewal.
  assertLife(await store.ttl("k"), 1000);
});

test("a write of a batch keeps the expiry of a value that is there if it says so, here and over HTTP", async () => {
  const { one, store } = await connect();
  for (const changed of [store, one]) {
    await store.set("k", 1, { expires: 1000 });
    await changed.batch([
      ["set", "k", 2, { renew: false, expires: 10 }],
      ["set", "new", 2, { renew: false, expires: 10 }],
      ["set", "other", 2, { expires: 20 }],
    ]);
    assertLife(await store.ttl("k"), 1000);
    assertLife(await store.ttl("new"), 10);
    assertLife(await store.ttl("other"), 20);
    await changed.batch([["set", "k", 3, { expires: 20 }]]);
    assertLife(await store.ttl("k"), 20);
    await store.clear();
  }
});

test("clear() of a range removes what is in it, and nothing else", async () => {
  const { one, store, requests } = await connect();
  await store.setMany([...Array(250).keys()].map((i) => [`k${i}`, { i }]));
  await one.clear({ gte: "k1", lt: "k3" });
  // The values are neither sent by the server nor sent back.
  const [listing, ...others] = requests;
  assert.equal(listing, "GET /?prefix=&gte=k1&lt=k3&keys");
  assert.deepEqual(others, ["DELETE /k1", "HEAD /?prefix=", ...Array(2).fill("POST /?batch")]);
  const kept = [...Array(250).keys()].map((i) => `k${i}`).filter((key) => key < "k1" || key >= "k3");
  assert.deepEqual(await store.keys(), kept);
});

test("a range is listed by the server: in order, with bounds and a limit", async () => {
  const { one, store, requests } = await connect();
  const keys = ["a", "a&=b", "b", "é", "\uffff", "😀"];
  for (const key of keys.toReversed()) await store.set(`p:${key}`, key);
  const part = one.prefix("p:");
  assert.deepEqual(await part.keys({ gt: "a" }), keys.slice(1));
  assert.deepEqual(await part.entries({ gte: "a&=b", lte: "é", reverse: true, limit: 2 }), [
    ["é", "é"],
    ["b", "b"],
  ]);
  assert.deepEqual(await part.keys({ lt: "\ud83d" }), keys.slice(0, -1));
  assert.deepEqual(await part.keys({ limit: 0 }), []);
  const page = await part.page({ limit: 4 });
  assert.deepEqual((await part.page({ limit: 4, cursor: page.cursor })).entries, [
    ["\uffff", "\uffff"],
    ["😀", "😀"],
  ]);
  assert.ok(requests.includes("GET /?prefix=p%3A&reverse&limit=2&gte=a%26%3Db&lte=%C3%A9"), requests.join("\n"));
  assert.equal(await part.size({ gt: "b" }), 3);
});

test("a change whose answer is lost is made once, and its result arrives", async () => {
  const { port, store } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  for (let i = 1; i <= 10; ++i) {
    proxy.answers = i % 4;
    assert.equal(await remote.incr("count"), i);
  }
  proxy.answers = 1;
  assert.equal(await remote.take("count"), 10);
  proxy.answers = 1;
  const writes = [/** @type {const} */ (["set", "a", 1]), /** @type {const} */ (["set", "b", 2])];
  assert.equal(await remote.batch(writes), true);
  assert.deepEqual(await store.all(), { a: 1, b: 2 });
});

test("other writers do not change what a client hears of its change when it asks again", async () => {
  const { port, store } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  await store.set("count", 5);
  proxy.answers = 1;
  /** @type {Promise<unknown>} */
  let changed = Promise.resolve();
  proxy.onLost = () => void (changed = store.incr("count", 100));
  assert.equal(await remote.incr("count"), 6);
  await changed;
  assert.equal(await store.get("count"), 106);
});

test("a change whose request is lost is made once", async () => {
  const { port, store } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  for (let i = 1; i <= 5; ++i) {
    proxy.requests = i % 4;
    assert.equal(await remote.incr("count"), i);
  }
  assert.equal(await store.get("count"), 5);
});

test("calls that share a request with a change whose answer is lost fail, and the change does not", async () => {
  const { port } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  await remote.incr("count");
  proxy.answers = 1;
  const outcomes = await Promise.allSettled([
    remote.get("count"), // The first call of a tick is sent alone.
    remote.batch([["set", "a", 1]]),
    remote.batch([
      ["set", "b", 1],
      ["del", "c"],
    ]),
    remote.set("d", 1),
  ]);
  assert.deepEqual(
    outcomes.map(({ status }) => status),
    ["fulfilled", "rejected", "fulfilled", "rejected"],
  );
});

test("a server that restarts after a change and before its answer: the caller hears that the change may have been made", async () => {
  const { port, store, restart } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  await remote.set("count", 5);
  proxy.onLost = restart;
  for (const change of [
    () => remote.incr("count"),
    () =>
      remote.batch([
        ["set", "a", 1],
        ["set", "b", 2],
      ]),
  ]) {
    proxy.answers = 1;
    await assert.rejects(change, { code: "ERR_CLIENT", message: /may have taken effect/ });
  }
  assert.deepEqual(await store.all(), { count: 6, a: 1, b: 2 });
});

test("a server that restarts before it gets a change makes it when the client asks again", async () => {
  const { port, store, restart } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  await remote.set("count", 5);
  proxy.requests = 1;
  restart();
  assert.equal(await remote.incr("count"), 6);
  assert.equal(await store.get("count"), 6);
});

test("a server that is gone: the caller hears that the change may have been made, unless it was never sent", async () => {
  const { port, store, close } = await serveStore();
  const proxy = await startCuttingProxy(port);
  const remote = kv(proxy.url);
  await remote.set("count", 5);
  proxy.answers = 10;
  await assert.rejects(remote.incr("count"), {
    code: "ERR_CLIENT",
    message: /none of 4 requests .*may have taken effect/,
  });
  assert.equal(await store.get("count"), 6);
  const direct = kv(/** @type {Url} */ (`http://127.0.0.1:${port}`));
  await direct.incr("count");
  await close();
  await assert.rejects(direct.incr("count"), ({ code, message }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.doesNotMatch(message, /may have taken effect/);
    return true;
  });
});

/** Calls that older servers do not know. @type {Record<string, (store: import("polystore-wasm").Store) => Promise<unknown>>} */
const changes = {
  entry: (store) => store.entry("a"),
  update: (store) => store.update("a", () => 1),
  incr: (store) => store.incr("a"),
  setIfAbsent: (store) => store.setIfAbsent("a", 1),
  cas: (store) => store.cas("a", null, 1),
  take: (store) => store.take("a"),
  batch: (store) =>
    store.batch([
      ["set", "a", 1],
      ["set", "b", 1],
    ]),
  touch: (store) => store.touch("a", 10),
};

/** Servers that cannot make atomic changes. @type {Record<string, () => Promise<{ url: Url, says: RegExp }>>} */
const unable = {
  async "a server of polystore's protocol"() {
    const { origin } = await serveHttp(polystoreServer([]));
    return { url: /** @type {Url} */ (origin), says: /only speaks polystore's protocol.*handler\(\)/ };
  },
  async "a handler of this package from before"() {
    const handle = handler(kv(new Map()));
    const { origin } = await serveHttp(
      listener(async (request) => {
        const body = await request.clone().text();
        if (/"(entry|ttl|commit)"/.test(body))
          return Response.json(
            { code: "ERR_VALUE", message: "A batch must be an array of at most 100 calls." },
            { status: 400 },
          );
        const response = await handle(request);
        if (request.method === "HEAD") response.headers.set("content-type", "application/x-ndjson");
        return response;
      }),
    );
    return { url: /** @type {Url} */ (origin), says: /an older one of this package.*handler\(\)/ };
  },
};

for (const [name, serve] of Object.entries(unable)) {
  test(`${name} refuses atomic changes and ttl(), with the way out, and does everything else`, async () => {
    const { url, says } = await serve();
    for (const [method, call] of Object.entries({ ...changes, ttl: (/** @type {any} */ store) => store.ttl("a") })) {
      const store = kv(url);
      await assert.rejects(call(store), { code: "ERR_UNSUPPORTED", message: says }, method);
      await store.set("a", 5);
      await assert.rejects(call(store), { code: "ERR_UNSUPPORTED", message: says }, method);
      const calls = [store.get("a"), call(store).catch(() => "refused"), store.set("b", 2), store.has("a")];
      assert.deepEqual(await Promise.all(calls), [5, "refused", "b", true], method);
      assert.deepEqual(await store.keys({ gt: "a" }), ["b"]);
      await store.set("c", 1);
      await store.clear({ gt: "a" });
      assert.deepEqual(await store.all(), { a: 5 });
    }
  });
}

test("a server whose store cannot make atomic changes refuses them, and tells the expiry", async () => {
  const map = new Map();
  const client = {
    get: (/** @type {string} */ key) => map.get(key),
    set: (/** @type {string} */ key, /** @type {any} */ record) => void map.set(key, record),
  };
  const { url, store } = await serveStore(kv(/** @type {any} */ (client)));
  const remote = kv(url);
  for (const [method, call] of Object.entries(changes))
    await assert.rejects(
      call(remote),
      { code: "ERR_UNSUPPORTED", message: /in one step.*Use another storage/ },
      method,
    );
  await store.set("a", 1, { expires: 1000 });
  assertLife(await remote.ttl("a"), 1000);
});

test("a server whose store cannot change several keys refuses that, and changes one", async () => {
  const { url, store } = await serveStore(kv(/** @type {any} */ (new FakeStorage())));
  const remote = kv(url);
  assert.equal(await remote.incr("a"), 1);
  await assert.rejects(
    remote.update(["a", "b"], () => [1, 2]),
    { code: "ERR_UNSUPPORTED", message: /several keys/ },
  );
  await assert.rejects(changes.batch(remote), { code: "ERR_UNSUPPORTED" });
  assert.deepEqual(await store.all(), { a: 1 });
});

test("a batch that the server finds too large is made call by call, in its order", async () => {
  const { url, store } = await serveStore(kv(new Map()), { maxBody: 1000 });
  const remote = kv(url);
  await remote.incr("count");
  const text = "x".repeat(700);
  await Promise.all([
    remote.batch([
      ["set", "a", text],
      ["del", "b"],
    ]),
    remote.set("b", text),
    remote.batch([["set", "a", `${text}y`]]),
    remote.get("count"),
  ]);
  assert.deepEqual(await store.getMany(["a", "b"]), [`${text}y`, text]);
  await assert.rejects(remote.batch([["set", "a", "x".repeat(1000)]]), { code: "ERR_QUOTA" });
});
