// What is special about a store over HTTP, beyond the contract: other servers, errors, order, and how many requests there are.

import assert from "node:assert/strict";
import { test } from "node:test";
import upstream from "polystore";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { runBehaviour } from "../../js/contract/behaviours/behaviour.js";
import { storedJson } from "../contract/behaviours/stored.js";
import { subject } from "../contract/clients.js";
import { http } from "../contract/clients/http.js";
import { testContract } from "../contract/suite.js";
import { checkExpiry, checkOneWay } from "../interop/interop.js";
import { endless } from "../support/endless.js";
import { serveHttp } from "../support/http.js";
import { freePort } from "../support/process.js";
import { polystoreServer } from "../support/polystore_server.js";

const map = new Map();
const { origin } = await serveHttp(listener(handler(kv(map), { path: "/store" })));
testContract(http(kv, "HTTP", { url: `${origin}/store`, map }));

/** A server of ours over a fresh Map. @param {import("../../js/server.js").HandlerOptions} [options] */
async function serveStore(options) {
  /** @type {string[]} */
  const requests = [];
  const store = kv(new Map());
  const listen = listener(handler(store, options));
  const server = await serveHttp((incoming, outgoing) => {
    requests.push(`${incoming.method} ${incoming.url}`);
    return listen(incoming, outgoing);
  });
  return { ...server, url: /** @type {`http://${string}`} */ (server.origin), store, requests };
}

/** A server that knows polystore's part of the protocol. */
async function servePolystore() {
  /** @type {string[]} */
  const requests = [];
  const server = await serveHttp(polystoreServer(requests));
  return { ...server, url: /** @type {`http://${string}`} */ (server.origin), requests };
}

/** A server that answers whatever it is asked alike. @param {import("node:http").RequestListener} listen */
async function serveAnswer(listen) {
  const server = await serveHttp(listen);
  return kv(/** @type {`http://${string}`} */ (server.origin));
}

/**
 * Calls of every kind.
 * @param {import("polystore-wasm").Store} store
 */
const everyCall = (store) => [
  () => store.get("a"),
  () => store.has("a"),
  () => store.set("a", 1),
  () => store.del("a"),
  () => store.add(1),
  () => store.keys(),
  () => store.all(),
  () => store.clear(),
  () => store.prune(),
  () => store[Symbol.asyncIterator]().next(),
  () => Promise.all([store.get("a"), store.set("b", 1)]),
];

test("polystore reads from our server what we write", async () => checkOneWay(kv, upstream, (await serveStore()).url));
test("we read from our server what polystore writes", async () => checkOneWay(upstream, kv, (await serveStore()).url));
test("polystore sees our expiry", async () => checkExpiry(kv, upstream, (await serveStore()).url));
test("we see polystore's expiry", async () => checkExpiry(upstream, kv, (await serveStore()).url));
test("a server of polystore's protocol: we write, and polystore reads", async () =>
  checkOneWay(kv, upstream, (await servePolystore()).url));
test("a server of polystore's protocol: polystore writes, and we read", async () =>
  checkOneWay(upstream, kv, (await servePolystore()).url));

test("a server of polystore's protocol: every method works", async () => {
  const { url, requests } = await servePolystore();
  const store = kv(url);
  const keys = Array.from({ length: 100 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key, i) => store.set(key, i)));
  assert.deepEqual(await Promise.all(keys.map(store.get)), [...keys.keys()]);
  assert.deepEqual(await Promise.all([store.has("k1"), store.has("missing"), store.prune()]), [true, false, 0]);
  await store.prefix("k1").clear();
  assert.equal((await store.keys()).length, 89);
  const seen = [];
  for await (const [key] of store.prefix("k2")) seen.push(key);
  assert.equal(seen.length, 11);
  await store.clear();
  assert.deepEqual(await store.all(), {});
  assert.ok(!requests.some((request) => /^(POST|DELETE \/\?)/.test(request)), "nothing that it would not understand");
});

test("a server of polystore's protocol: calls on one key take place in their order", async () => {
  const { url } = await servePolystore();
  const store = kv(url);
  for (let i = 0; i < 20; ++i) {
    const calls = [store.set("k", i), store.get("k"), store.set("k", "x".repeat(9000)), store.del("k"), store.has("k")];
    assert.deepEqual(await Promise.all([...calls, store.set("k", i)]), ["k", i, "k", "k", false, "k"]);
    assert.equal(await store.get("k"), i);
  }
});

test("a server of polystore's protocol: the keys that no path can say are refused, and nothing else is asked for", async () => {
  const { url, requests } = await servePolystore();
  const store = kv(url);
  await store.set("kept", 1);
  for (const key of ["", ".", ".."]) {
    for (const call of [() => store.get(key), () => store.has(key), () => store.set(key, 1), () => store.del(key)]) {
      await assert.rejects(call, { code: "ERR_KEY", message: new RegExp(`"${key.replaceAll(".", "\\.")}"`) });
    }
  }
  assert.deepEqual(requests, ["PUT /kept", "HEAD /?prefix="]);
});

test("a server of polystore's protocol: the first call and 32 more at a time, however many calls", async () => {
  let most = 0;
  /** @type {(() => void)[]} */
  const waiting = [];
  const listen = polystoreServer([]);
  let isFirst = true;
  // Nobody is answered before there are 33 at first, and then 32; more would come while the event loop goes round.
  const answerAfter = (/** @type {number} */ rounds) => {
    if (rounds > 0) setImmediate(answerAfter, rounds - 1);
    else for (const answer of waiting.splice(0)) answer();
  };
  const { origin } = await serveHttp((request, response) => {
    if (request.method === "HEAD") return listen(request, response);
    const count = waiting.push(() => listen(request, response));
    most = Math.max(most, count);
    if (count < (isFirst ? 33 : 32)) return;
    isFirst = false;
    answerAfter(50);
  });
  const store = kv(/** @type {`http://${string}`} */ (origin));
  await Promise.all(Array.from({ length: 321 }, (_, i) => store.set(`k${i}`, i)));
  assert.equal(most, 33);
});

test("a server of ours: the first call of a tick is a request, the others are one for 100, one listing is one, and so is a clear()", async () => {
  const { url, requests } = await serveStore();
  const store = kv(url);
  const keys = Array.from({ length: 1000 }, (_, i) => `k${i}`);
  await Promise.all(keys.map((key, i) => store.set(key, i)));
  assert.deepEqual(await Promise.all(keys.map(store.get)), [...keys.keys()]);
  assert.equal((await store.keys()).length, 1000);
  await store.prefix("k1").clear();
  await store.set("a", 1, { expires: "2 min" });
  await store.get("a/b?c#d%é");
  await store.del("a");
  const batches = Array.from({ length: 10 }, () => "POST /?batch");
  const single = [
    "GET /?prefix=&keys",
    "DELETE /?prefix=k1",
    "PUT /a?expires=120",
    "GET /a%2Fb%3Fc%23d%25%C3%A9",
    "DELETE /a",
  ];
  assert.deepEqual(requests, ["PUT /k0", "HEAD /?prefix=", ...batches, "GET /k0", ...batches, ...single]);
});

test("a call of a batch that fails takes no other with it", async () => {
  const store = kv(new Map());
  const failing = {
    ...store,
    prefix: store.prefix,
    set: async (/** @type {string} */ key, /** @type {any} */ value) => {
      if (key === "b") throw new Error("disk on fire at /secret/path");
      return store.set(key, value);
    },
  };
  const logged = [];
  const { error } = console;
  console.error = (message) => logged.push(message);
  try {
    const { origin } = await serveHttp(
      listener(
        handler({
          ...failing,
          get: store.get,
          has: store.has,
          del: store.del,
          all: store.all,
          clear: store.clear,
          prune: store.prune,
        }),
      ),
    );
    const remote = kv(/** @type {`http://${string}`} */ (origin));
    const outcomes = await Promise.allSettled([remote.set("a", 1), remote.set("b", 2), remote.set("c", 3)]);
    assert.deepEqual(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    for (const call of [
      async () => outcomes[1].status === "rejected" && Promise.reject(outcomes[1].reason),
      () => remote.set("b", 2),
    ]) {
      await assert.rejects(call, ({ code, message, cause }) => {
        assert.equal(code, "ERR_CLIENT");
        assert.match(message, /^API set\("b"\) failed: http:.*The store of the server failed/);
        assert.doesNotMatch(message + cause, /secret/);
        return true;
      });
    }
    assert.deepEqual(await store.all(), { a: 1, c: 3 });
    assert.equal(logged.length, 2, "errors for whoever runs the server");
  } finally {
    console.error = error;
  }
});

test("the keys that a path cannot say, and those that look like them", async () => {
  const { url, store } = await serveStore({ path: "/base" });
  const remote = kv(/** @type {any} */ (`${url}/base/`));
  const keys = [
    "",
    ".",
    "..",
    "...",
    "%2e",
    "%2E%2E",
    "a/b",
    "/",
    "//",
    "a/../b",
    "?",
    "#",
    "%",
    "&prefix=",
    "+",
    " ",
    "\\",
    "__proto__",
    "\0",
    "é🌍",
    "?batch",
  ];
  for (const key of keys) await remote.set(key, `one ${key}`);
  for (const key of keys) assert.equal(await remote.get(key), `one ${key}`, JSON.stringify(key));
  assert.deepEqual((await store.keys()).sort(), [...keys].sort());
  assert.deepEqual((await remote.keys()).sort(), [...keys].sort());
  for (const key of keys) assert.equal(await remote.has(key), true, JSON.stringify(key));
  for (const key of keys) await remote.del(key);
  assert.deepEqual(await store.keys(), []);
});

test("a query in the URL is kept in every request", async () => {
  const { url, requests } = await serveStore();
  const store = kv(/** @type {any} */ (`${url}?tenant=1&prefix=x#top`));
  for (const call of everyCall(store)) await call();
  await store.prefix("p:").set("k", 1);
  assert.deepEqual(await store.prefix("p:").all(), { k: 1 });
  assert.ok(requests.length > 10);
  for (const request of requests) assert.match(request, /^[A-Z]+ \/[^?]*\?tenant=1&prefix=x(&|$)/);
});

test("the token of the URL goes into a header, and into no message", async () => {
  const { port } = await serveStore({ token: "s3cret:%/token" });
  const right = kv(/** @type {any} */ (`http://:${encodeURIComponent("s3cret:%/token")}@127.0.0.1:${port}`));
  await right.set("a", 1);
  assert.deepEqual(await right.all(), { a: 1 });
  for (const userinfo of ["", ":s3cret@", ":s3cret:%25/tokeN@", ":x@"]) {
    const wrong = kv(/** @type {any} */ (`http://${userinfo.replace("/", "%2F")}127.0.0.1:${port}/?key=hidden`));
    for (const call of everyCall(wrong)) {
      await assert.rejects(call, ({ code, message, cause }) => {
        assert.deepEqual([code, cause.status], ["ERR_CLIENT", 401]);
        assert.match(message, /401/);
        assert.doesNotMatch(message + cause, /s3cret|hidden|:x@/);
        return true;
      });
    }
    assert.equal(wrong.type, "API");
  }
  assert.deepEqual(await right.all(), { a: 1 });
});

test("a URL that cannot be used is ERR_CLIENT, and not shown", async () => {
  for (const url of [
    "http://:hidden@host:99999/",
    "https://:hidden%0A@127.0.0.1:1/",
    "http://user:hidden@127.0.0.1:1/",
    "http://[hidden",
  ]) {
    await assert.rejects(kv(/** @type {any} */ (url)).get("a"), ({ code, message, cause }) => {
      assert.equal(code, "ERR_CLIENT");
      assert.doesNotMatch(message + String(cause), /hidden/);
      return /The URL that was given to kv\(\)/.test(message);
    });
  }
});

test("a URL object, and a text in capitals, name a server too", async () => {
  const { url, store, port } = await serveStore();
  await kv(new URL(url)).set("a", 1);
  await kv(/** @type {any} */ (`HTTP://127.0.0.1:${port}`)).set("b", 2);
  assert.deepEqual(await store.all(), { a: 1, b: 2 });
  assert.equal(kv(new URL(url)).type, "API");
});

test("expiry is kept to the millisecond", async () => {
  const { url, store, requests } = await serveStore();
  const { now } = Date;
  const start = now();
  Date.now = () => start;
  try {
    await kv(url).set("a", 1, { expires: "1ms" });
    await kv(url).set("b", 1, { expires: 1.2344 });
    await Promise.all([kv(url).set("c", 1, { expires: "100ms" }), kv(url).set("d", 1)]);
    for (const [ms, left] of /** @type {[number, string][]} */ ([
      [0, "abcd"],
      [1, "bcd"],
      [99, "bcd"],
      [100, "bd"],
      [1233, "bd"],
      [1234, "d"],
    ])) {
      Date.now = () => start + ms;
      assert.deepEqual((await store.keys()).sort().join(""), left, `after ${ms} ms`);
    }
  } finally {
    Date.now = now;
  }
  assert.deepEqual(requests.slice(0, 2), ["PUT /a?expires=0.001", "PUT /b?expires=1.234"]);
});

for (const [name, listen, says] of /** @type {[string, import("node:http").RequestListener, RegExp][]} */ ([
  ["500", (_, response) => response.writeHead(500).end("{"), /answered 500 Internal Server Error/],
  [
    "403 of ours",
    (_, response) => response.writeHead(403).end('{"message":"Not today."}'),
    /answered 403 Forbidden(: Not today\.)?/,
  ],
  [
    "a page",
    (_, response) => response.writeHead(200, { "content-type": "text/html" }).end("<html>"),
    /200 with a body that is not JSON \(text\/html\). Is this the URL of a store\?$/,
  ],
  ["a redirect", (_, response) => response.writeHead(302, { location: "/login" }).end(), /redirect/],
  [
    "half a body",
    (_, response) => response.writeHead(200, { "content-length": 100 }).write('{"a":', () => response.destroy()),
    /./,
  ],
  ["nothing", (request) => request.socket.destroy(), /./],
])) {
  test(`a server that answers ${name}: every call rejects with ERR_CLIENT and a cause`, async () => {
    const store = await serveAnswer(listen);
    const ofPrune = 8; // A server that is not known to be ours is not asked for it.
    for (const call of everyCall(store).filter((_, i) => name !== "a page" || i !== ofPrune)) {
      await assert.rejects(call, ({ code, message, cause }) => {
        assert.equal(code, "ERR_CLIENT", message);
        assert.match(message, /^API \w+\(.*\) failed: /);
        assert.match(message, says);
        return cause instanceof Error;
      });
    }
  });
}

for (const [status, code] of /** @type {[number, string][]} */ ([
  [413, "ERR_QUOTA"],
  [507, "ERR_QUOTA"],
  [414, "ERR_KEY"],
  [431, "ERR_KEY"],
])) {
  test(`a server that answers ${status}: ${code}`, async () => {
    const store = await serveAnswer((_, response) => response.writeHead(status).end());
    await assert.rejects(store.set("a", 1), { code });
  });
}

test("a server that ends the connection while a value is sent to it is ERR_CLIENT, and what it may mean is said", async () => {
  const store = await serveAnswer((incoming) => void incoming.socket.resetAndDestroy());
  await assert.rejects(store.set("a", "x".repeat(5_000_000)), ({ code, message, cause }) => {
    assert.equal(code, "ERR_CLIENT");
    assert.match(
      message,
      /closed the connection during a request of 5000002 characters, which may be larger than its limit/,
    );
    assert.ok(cause.cause.code);
    return true;
  });
  await assert.rejects(store.get("a"), ({ message }) => !/characters/.test(message));
});

test("a key too long for the server is ERR_KEY", async () => {
  const { url } = await serveStore();
  await assert.rejects(kv(url).set("x".repeat(20000), 1), { code: "ERR_KEY" });
  await kv(url).set("x".repeat(10000), 1);
  assert.equal(await kv(url).get("x".repeat(10000)), 1);
});

test("a listing that breaks off is an error, and not a short one", async () => {
  const lines = (/** @type {string} */ text) =>
    serveAnswer((_, response) => response.writeHead(200, { "content-type": "application/x-ndjson" }).end(text));
  await assert.rejects((await lines('["a",1]\n["b",2]\n')).keys(), {
    code: "ERR_CLIENT",
    message: /an incomplete listing: it ended early/,
  });
  await assert.rejects((await lines('["a",1]\n{"code":"ERR_CLIENT","message":"The disk."}\n')).all(), {
    code: "ERR_CLIENT",
    message: /The disk/,
  });
  assert.deepEqual(await (await lines('["a",1]\n{}\n')).all(), { a: 1 });
});

test("a server that is not there is ERR_CLIENT with its cause, and later calls work when it is", async () => {
  const port = await freePort();
  const store = kv(/** @type {any} */ (`http://127.0.0.1:${port}`));
  for (const call of everyCall(store)) {
    await assert.rejects(call, ({ code, message, cause }) => {
      assert.deepEqual([code, cause.code], ["ERR_CLIENT", "ECONNREFUSED"]);
      return /ECONNREFUSED/.test(message);
    });
  }
  const listen = listener(handler(kv(new Map())));
  const first = await serveHttp(listen, port);
  await store.set("a", 1);
  await first.close();
  await assert.rejects(store.get("a"), { code: "ERR_CLIENT" });
  await serveHttp(listen, port);
  assert.deepEqual(await Promise.all([store.get("a"), store.has("b")]), [1, false]);
});

for (const [name, serve] of /** @type {const} */ ([
  ["ours", () => listener(handler(kv(new Map())))],
  ["polystore's protocol", () => polystoreServer([])],
])) {
  test(`a server of ${name}: a GET that is never answered holds up the calls on its key only`, async () => {
    const listen = serve();
    /** @type {(() => void)[]} */
    const held = [];
    const { origin } = await serveHttp((request, response) => {
      if (request.method !== "GET" || request.url !== "/a") return void listen(request, response);
      held.push(() => listen(request, response));
    });
    const store = kv(/** @type {`http://${string}`} */ (origin));
    await store.set("a", 1);
    const first = store.get("a");
    if (name === "ours") await new Promise((resolve) => setImmediate(resolve)); // The calls of one tick are one batch.
    assert.deepEqual(await Promise.all([store.set("b", 1), store.get("b"), store.has("c")]), ["b", 1, false]);
    assert.deepEqual(await store.all(), { a: 1, b: 1 }, "a listing waits for no reads");
    await store.set("b", 2);
    await store.prefix("b").clear();
    assert.deepEqual(await store.keys(), ["a"]);
    const second = store.set("a", 2);
    await store.set("c", 1);
    assert.equal(held.length, 1);
    held[0]();
    assert.deepEqual(await Promise.all([first, second]), [1, "a"]);
  });
}

test("a HEAD that is not answered holds up the calls only that were made with it", async () => {
  const listen = listener(handler(kv(new Map())));
  /** @type {() => void} */
  let answer = () => {};
  let heads = 0;
  /** @type {Promise<void>} */
  const asked = new Promise((resolve) => {
    answer = resolve;
  });
  const { origin } = await serveHttp((request, response) => {
    if (request.method !== "HEAD" || ++heads > 1) return void listen(request, response);
    const sent = answer;
    answer = () => listen(request, response);
    sent();
  });
  const store = kv(/** @type {`http://${string}`} */ (origin));
  // The first call of a tick is sent alone, and needs no HEAD.
  const held = Promise.all([store.get("alone"), store.get("a"), store.get("b")]);
  await asked;
  assert.deepEqual(await Promise.all([store.set("c", 1), store.get("c"), store.has("d")]), ["c", 1, false]);
  answer();
  assert.deepEqual(await held, [null, null, null]);
});

for (const status of [400, 401, 403, 500]) {
  test(`a server of polystore's protocol that answers HEAD with ${status}: every method works`, async () => {
    const listen = polystoreServer([]);
    const { origin } = await serveHttp((request, response) => {
      if (request.method === "HEAD") response.writeHead(status).end();
      else listen(request, response);
    });
    const store = kv(/** @type {`http://${string}`} */ (origin));
    assert.deepEqual(await Promise.all([store.set("a", 1), store.get("b"), store.set("b", 2)]), ["a", null, "b"]);
    assert.deepEqual([await store.has("a"), await store.has("c"), await store.get("c")], [true, false, null]);
    await store.prefix("a").clear();
    assert.deepEqual(await store.all(), { b: 2 });
    await store.clear();
    assert.deepEqual(await store.keys(), []);
  });
}

/**
 * Serves what another server serves, where a text "json: …" stands for JSON as a server in another language may send it.
 * @param {string} url
 */
async function serveJsonOf(url) {
  const { origin } = await serveHttp(async (request, response) => {
    const body = [];
    for await (const chunk of request) body.push(chunk);
    const init = {
      method: request.method,
      headers: /** @type {any} */ (request.headers),
      ...(body.length > 0 && { body: Buffer.concat(body) }),
    };
    const answer = await fetch(`${url}${request.url}`, init);
    const text = (await answer.text()).replace(/"json: (?:[^"\\]|\\.)*"/g, (json) => JSON.parse(json).slice(6));
    response.writeHead(answer.status, { "content-type": String(answer.headers.get("content-type")) }).end(text);
  });
  return origin;
}

for (const serve of [serveStore, servePolystore]) {
  const name = serve === serveStore ? "our server" : "a server of polystore's protocol";
  for (const [says, behaviour] of Object.entries(storedJson)) {
    test(`${name}, ${says}`, async () => {
      const { url } = await serve();
      const json = await serveJsonOf(url);
      const putJson = (/** @type {any} */ _, /** @type {string} */ key, /** @type {string} */ text) =>
        kv(url).set(key, `json: ${text}`);
      await runBehaviour(behaviour, subject(kv, { name, type: "API", open: () => json, putJson }));
    });
  }
}

test("a proxy that takes no %2F: what has one is found and written all the same, and its 404 is no absence", async () => {
  const store = kv(new Map());
  const listen = listener(handler(store));
  /** @type {string[]} */
  const requests = [];
  const { origin } = await serveHttp((request, response) => {
    requests.push(`${request.method} ${request.url}`);
    // As Apache does without AllowEncodedSlashes.
    if (!/%2f|%5c|blocked/i.test(String(request.url).split("?")[0])) return void listen(request, response);
    response.writeHead(404, { "content-type": "text/html" }).end("<h1>Not Found</h1>");
  });
  const url = /** @type {`http://${string}`} */ (origin);
  await store.set("a/b", 1);
  await store.set("blocked", 1);
  assert.equal(await kv(url).get("a/b"), 1);
  assert.equal(await kv(url).get("blocked"), 1);
  const client = kv(url);
  assert.deepEqual([await client.get("a/c"), await client.has("a/b")], [null, true]);
  await client.set("a/c", 2);
  await client.del("a/b");
  await kv(url).set("a/d", 3);
  await kv(url).del("a/c");
  assert.deepEqual(await store.all(), { blocked: 1, "a/d": 3 });
  requests.length = 0;
  assert.equal(await client.get("missing"), null);
  assert.equal(await client.get("a/d"), 3);
  assert.deepEqual(requests, ["GET /missing", "POST /?batch"]);
});

test("a server that redirects away the slash at the end of its path, as Next.js does", async () => {
  const map = new Map();
  const listen = listener(handler(kv(map), { path: "/api/store" }));
  const { origin } = await serveHttp((request, response) => {
    const [path, query] = String(request.url).split("?");
    if (!path.endsWith("/")) return void listen(request, response);
    response.writeHead(308, { location: `${path.slice(0, -1)}?${query}` }).end();
  });
  const store = kv(/** @type {`http://${string}`} */ (`${origin}/api/store`));
  assert.deepEqual(await store.keys(), []);
  assert.deepEqual(await Promise.all([store.set("a", 1), store.set("b", 2)]), ["a", "b"]);
  assert.deepEqual(await store.all(), { a: 1, b: 2 });
  await store.clear();
  assert.equal(map.size, 0);
});

test("a server that does not answer in the store's timeout is ERR_CLIENT, and later calls do not wait for it", async () => {
  const listen = listener(handler(kv(new Map())));
  /** @type {(() => void)[] | null} */
  let held = [];
  const { origin } = await serveHttp((request, response) => {
    if (held) held.push(() => listen(request, response));
    else listen(request, response);
  });
  const patient = kv(/** @type {`http://${string}`} */ (origin));
  const store = kv(patient, { timeout: "50ms" });
  const waiting = [patient.set("p", 1), patient.has("q")];
  for (const call of everyCall(store))
    await assert.rejects(call, { code: "ERR_CLIENT", message: /the store's timeout/ });
  const late = held;
  held = null;
  const later = kv(/** @type {`http://${string}`} */ (origin), { timeout: "10s" }); // A slow machine answers, too.
  assert.deepEqual(await Promise.all([later.set("a", 1), later.has("b")]), ["a", false]);
  for (const answer of late) answer();
  assert.deepEqual(await Promise.all(waiting), ["p", false]);
  await patient.close();
});

test("an iteration is read as it goes, and one that is left lets go of the server's", async () => {
  const { client, released, given } = endless();
  const { origin } = await serveHttp(listener(handler(kv(client))));
  let seen = 0;
  for await (const [key] of kv(/** @type {`http://${string}`} */ (origin))) {
    assert.equal(key, `k${++seen}`);
    if (seen === 1000) break;
  }
  await released;
  assert.ok(given() < 50000, `${given()} records were read of the store`);
});
