// The server's part of a store over HTTP, asked without our client; and in every runtime.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { request as httpRequest } from "node:http";
import { connect } from "node:net";
import express from "express";
import fastify from "fastify";
import { test } from "node:test";
import kv from "polystore-wasm";
import * as exported from "polystore-wasm/server";
import { inTime } from "../../js/contract/subject.js";
import { endless } from "../support/endless.js";
import { serveHttp } from "../support/http.js";

const { handler, listener } = exported;
const ORIGIN = "http://localhost";
const AS_JSON = { "content-type": "application/json" };

/**
 * A handler of a store that has something in it.
 * @param {import("../../js/server.js").HandlerOptions} [options]
 */
async function make(options) {
  const root = kv(new Map());
  await root.set("a", 1);
  await root.set("s:b", { c: [2] });
  const handle = handler(root, options);
  const ask = (/** @type {string} */ method, /** @type {string} */ target, /** @type {RequestInit} */ init = {}) =>
    handle(
      new Request(ORIGIN + target, { method, ...((init.body ?? null) !== null && { headers: AS_JSON }), ...init }),
    );
  return { root, handle, ask };
}

/** @param {Response} response */
async function told(response) {
  const text = await response.text();
  return [response.status, text === "" ? null : JSON.parse(text)];
}

/**
 * Runs something that is to report to whoever runs the server.
 * @param {() => Promise<void>} run
 */
async function reportsOf(run) {
  /** @type {unknown[]} */
  const reports = [];
  const { error } = console;
  console.error = (report) => reports.push(report);
  try {
    await run();
  } finally {
    console.error = error;
  }
  return reports;
}

test("server.d.ts declares what the module exports", () => {
  const declaration = readFileSync(new URL("../../js/server.d.ts", import.meta.url), "utf8");
  const declared = [...declaration.matchAll(/^export function (\w+)/gm)].map(([, name]) => name);
  assert.deepEqual(Object.keys(exported).sort(), declared.sort());
});

test("the requests of polystore's protocol", async () => {
  const { root, ask } = await make();
  assert.deepEqual(await told(await ask("GET", "/a")), [200, 1]);
  assert.deepEqual(await told(await ask("GET", "/s%3Ab")), [200, { c: [2] }]);
  assert.deepEqual(await told(await ask("GET", "/missing")), [404, null]);
  assert.deepEqual(await told(await ask("GET", "/")), [200, { a: 1, "s:b": { c: [2] } }]);
  assert.deepEqual(await told(await ask("GET", "/?prefix=s%3A")), [200, { b: { c: [2] } }]);
  assert.deepEqual(await told(await ask("PUT", "/n", { body: "[1]" })), [204, null]);
  assert.deepEqual(await told(await ask("DELETE", "/a")), [204, null]);
  assert.deepEqual(await told(await ask("DELETE", "/a")), [204, null]);
  assert.deepEqual(await told(await ask("PUT", "/s%3Ab", { body: "null" })), [204, null]);
  assert.deepEqual(await root.all(), { n: [1] });
  const { headers } = await ask("GET", "/n");
  assert.deepEqual([headers.get("content-type"), headers.get("cache-control")], ["application/json", "no-store"]);
});

test("HEAD says whether there is a value, and which listings there are", async () => {
  const { ask } = await make();
  const [there, missing] = [await ask("HEAD", "/a"), await ask("HEAD", "/b")];
  assert.deepEqual([there.status, await there.text(), missing.status, await missing.text()], [200, "", 404, ""]);
  const got = await ask("GET", "/a");
  assert.deepEqual(Object.fromEntries(there.headers), Object.fromEntries(got.headers));
  const etag = String(there.headers.get("etag"));
  assert.equal((await ask("HEAD", "/a", { headers: { "if-none-match": etag } })).status, 304);
  const lines = await ask("HEAD", "/", { headers: { accept: "application/x-ndjson" } });
  assert.deepEqual([lines.headers.get("content-type"), await lines.text()], ["application/x-ndjson;commits=1", ""]);
  assert.equal((await ask("HEAD", "/?prefix=")).headers.get("content-type"), "application/json");
});

test("a listing in lines, clear, prune and a batch", async () => {
  const { root, ask } = await make();
  const listed = await ask("GET", "/?prefix=s:", { headers: { accept: "application/x-ndjson, application/json" } });
  assert.equal(await listed.text(), '["b",{"c":[2]}]\n{}\n');
  const calls = [
    ["get", "a"],
    ["set", "a", 2, 60],
    ["get", "a"],
    ["has", ""],
    ["set", "", 3, null],
    ["set", ".", 4],
    ["has", ""],
    ["del", "s:b"],
    ["set", "x", 1, NaN],
  ];
  const results = await told(await ask("POST", "/?batch", { body: JSON.stringify(calls) }));
  assert.deepEqual(results, [200, [1, "a", 2, false, "", ".", true, "s:b", "x"].map((result) => ({ result }))]);
  const { now } = Date;
  Date.now = () => now() + 60_000;
  try {
    assert.deepEqual(await told(await ask("POST", "/?prune&prefix=s:")), [200, 0]);
    assert.deepEqual(await told(await ask("POST", "/?prune&prefix=")), [200, 1]);
  } finally {
    Date.now = now;
  }
  assert.deepEqual(await told(await ask("DELETE", "/?prefix=x")), [204, null]);
  assert.deepEqual(await root.all(), { "": 3, ".": 4 });
});

test("a listing of a range is in order, with bounds below the prefix", async () => {
  const { root, ask } = await make();
  for (const key of ["s:d", "s:c", "s:e"]) await root.set(key, key);
  /** @type {[string, string[]][]} */
  const ranges = [
    ["", ["b", "c", "d", "e"]],
    ["&gt=b", ["c", "d", "e"]],
    ["&gte=b&lt=d", ["b", "c"]],
    ["&lte=d&reverse&limit=2", ["d", "c"]],
    ["&gt=b&gt=c", ["d", "e"]],
    ["&limit=0", []],
  ];
  for (const [query, expected] of ranges) {
    const headers = { accept: "application/x-ndjson" };
    const lines = await (await ask("GET", `/?prefix=s:${query}`, { headers })).text();
    const entries = lines
      .split("\n")
      .slice(0, -2)
      .map((line) => JSON.parse(line));
    const keys = entries.map(([key]) => key);
    assert.deepEqual(query === "" ? keys.toSorted() : keys, expected, query);
    const [, all] = await told(await ask("GET", `/?prefix=s:${query}`));
    assert.deepEqual(Object.keys(all).toSorted(), expected.toSorted(), query);
  }
  for (const query of ["limit=", "limit=-1", "limit=x", "limit=1.5"]) {
    const [status, { code }] = await told(await ask("GET", `/?prefix=&${query}`));
    assert.deepEqual([status, code], [400, "ERR_OPTIONS"], query);
  }
});

test("a listing without values has the keys, and DELETE of a range deletes what is in it", async () => {
  const { root, ask } = await make();
  for (const key of ["s:c", "s:d", "s:e"]) await root.set(key, key);
  const listed = await ask("GET", "/?prefix=s:&gt=b&limit=2&keys", { headers: { accept: "application/x-ndjson" } });
  assert.equal(await listed.text(), '["c",true]\n["d",true]\n{}\n');
  assert.deepEqual(await told(await ask("DELETE", "/?prefix=s:&gt=b&lte=d")), [204, null]);
  assert.deepEqual(await root.keys({ gte: "" }), ["a", "s:b", "s:e"]);
  const [status, { code }] = await told(await ask("DELETE", "/?prefix=s:&limit=x"));
  assert.deepEqual([status, code, await root.size()], [400, "ERR_OPTIONS", 3]);
});

test("a value has its version as ETag, and If-None-Match saves reading it again", async () => {
  const { root, ask } = await make();
  const tag = (await ask("GET", "/a")).headers.get("etag");
  assert.equal(tag, `"${(await root.entry("a"))?.version}"`);
  const get = (/** @type {Record<string, string>} */ headers, target = "/a") => ask("GET", target, { headers });
  const unchanged = await get({ "if-none-match": `"x", W/${tag}` });
  assert.deepEqual([unchanged.status, await unchanged.text(), unchanged.headers.get("etag")], [304, "", tag]);
  for (const [headers, status] of /** @type {[Record<string, string>, number][]} */ ([
    [{ "if-none-match": '"x"' }, 200],
    [{ "if-none-match": "*" }, 304],
    [{ "if-match": String(tag) }, 200],
    [{ "if-match": '"x"' }, 412],
  ])) {
    assert.equal((await get(headers)).status, status, JSON.stringify(headers));
  }
  await root.set("a", 2);
  assert.deepEqual(await told(await get({ "if-none-match": String(tag) })), [200, 2]);
  await root.set("a", 1);
  assert.equal((await ask("GET", "/a")).headers.get("etag"), tag, "the version comes back with the value");
  const missing = await get({ "if-none-match": "*" }, "/missing");
  assert.deepEqual([missing.status, missing.headers.get("etag")], [404, null]);
  const ofOurClient = await get({ accept: "application/json", "cache-control": "no-cache" });
  assert.deepEqual([ofOurClient.headers.get("etag"), await told(ofOurClient)], [null, [200, 1]]);
});

test("If-Match and If-None-Match: a change is made if the value is as they say, otherwise it is 412", async () => {
  const { root, ask } = await make();
  const tag = String((await ask("GET", "/a")).headers.get("etag"));
  const send = (
    /** @type {string} */ method,
    /** @type {string} */ target,
    /** @type {Record<string, string>} */ headers,
  ) => ask(method, target, { headers: { ...AS_JSON, ...headers }, ...(method === "PUT" && { body: "2" }) });
  const before = await root.all();
  for (const [target, headers] of /** @type {[string, Record<string, string>][]} */ ([
    ["/a", { "if-match": '"x"' }],
    ["/a", { "if-match": `W/${tag}` }],
    ["/a", { "if-none-match": "*" }],
    ["/a", { "if-none-match": tag }],
    ["/missing", { "if-match": "*" }],
    ["/missing", { "if-match": tag }],
  ])) {
    for (const method of ["PUT", "DELETE"]) {
      const [status, { code, message }] = await told(await send(method, target, headers));
      assert.deepEqual([status, code], [412, "ERR_CONFLICT"], `${method} ${target} ${JSON.stringify(headers)}`);
      assert.match(message, /Nothing was changed/);
    }
  }
  assert.deepEqual(await root.all(), before);
  const changed = await send("PUT", "/a?expires=100", { "if-match": `"x", ${tag}` });
  assert.deepEqual([changed.status, await root.get("a")], [204, 2]);
  assert.ok(Number(await root.ttl("a")) <= 100);
  const newTag = String(changed.headers.get("etag"));
  assert.equal((await send("DELETE", "/a", { "if-match": newTag })).status, 204);
  assert.equal(await root.has("a"), false);
  assert.equal((await send("PUT", "/a", { "if-none-match": "*" })).status, 204);
  assert.equal((await send("PUT", "/a", { "if-match": "*" })).status, 204);
  const racing = await Promise.all([1, 2, 3].map(() => send("DELETE", "/a", { "if-match": "*" })));
  assert.deepEqual(racing.map(({ status }) => status).toSorted(), [204, 412, 412]);
});

test("a store that cannot change atomically refuses If-Match with 501, and lists nothing without a reason", async () => {
  const handle = handler(kv(/** @type {any} */ ({ get() {}, set() {} })));
  const reports = await reportsOf(async () => {
    for (const init of [
      { method: "PUT", body: "1", headers: { ...AS_JSON, "if-match": "*" } },
      { method: "DELETE", headers: { "if-match": "*" } },
    ]) {
      const [status, { code, message }] = await told(await handle(new Request(`${ORIGIN}/a`, init)));
      assert.deepEqual([status, code], [501, "ERR_UNSUPPORTED"]);
      assert.match(message, /Use another storage/);
    }
    assert.equal((await handle(new Request(`${ORIGIN}/`))).status, 501);
  });
  assert.deepEqual(reports, []);
});

test("a batch of atomic calls: entries, expiries, and commits, each of which is made once", async () => {
  const { root, ask } = await make();
  const send = async (/** @type {unknown[][]} */ ...calls) => {
    const [status, outcomes] = await told(await ask("POST", "/?batch", { body: JSON.stringify(calls) }));
    assert.equal(status, 200, JSON.stringify(outcomes));
    return outcomes.map((/** @type {any} */ { result, code }) => code ?? result);
  };
  await root.set("k", "v", { expires: 100 });
  const [entry, none, ttl, forEver, noTtl] = await send(
    ["entry", "k"],
    ["entry", "none"],
    ["ttl", "k"],
    ["ttl", "a"],
    ["ttl", "none"],
  );
  assert.deepEqual([entry.value, none, forEver, noTtl], ["v", null, { ttl: null }, null]);
  for (const life of [entry.ttl, ttl.ttl]) assert.ok(life > 90 && life <= 100, life);
  const { version } = entry;
  const write = [
    ["set", "k", "w", "keep"],
    ["set", "new", 1, 50],
    ["set", "lasting", 1, null],
    ["del", "a"],
  ];
  const commit = [
    "commit",
    "token",
    false,
    [
      ["k", version],
      ["new", null],
      ["s:b", { value: { c: [2] } }],
    ],
    write,
  ];
  assert.deepEqual(await send(commit, commit), [true, true]);
  assert.equal(await root.get("k"), "w");
  await root.set("k", "x");
  assert.deepEqual(await send(commit), [true], "it is remembered");
  assert.equal(await root.get("k"), "x");
  assert.deepEqual(await send(["commit", "2", false, [["k", version]], [["del", "k"]]]), [false]);
  assert.deepEqual(await send(["commit", "3", false, [["k", { value: "w" }]], [["del", "k"]]]), [false]);
  assert.deepEqual(await send(["commit", "4", true, [["k", version]], [["del", "k"]]]), ["unknown"]);
  assert.deepEqual(await send(["commit", "5", true, [["k", { value: "x" }]], [["del", "new"]]]), ["unknown"]);
  assert.deepEqual(await send(["commit", "6", true, [["k", { value: "x" }]], [["del", "k"]]]), [true]);
  assert.deepEqual(await root.all(), { "s:b": { c: [2] }, new: 1, lasting: 1 });
  for (const wrong of [
    ["commit", "token"],
    ["commit", "x".repeat(65), false, [], []],
    ["commit", "t", 0, [], []],
    ["commit", "t", false, [["a"]], []],
    ["commit", "t", false, [["a", 1]], []],
    ["commit", "t", false, [], [["check", "a", null]]],
    ["commit", "t", false, [], [["set", 1, 1, null]]],
    ["commit", "t", false, [], {}],
    ["entry", 1],
  ]) {
    const [status, { code }] = await told(await ask("POST", "/?batch", { body: JSON.stringify([wrong]) }));
    assert.deepEqual([status, code], [400, "ERR_VALUE"], JSON.stringify(wrong));
  }
  assert.deepEqual(await send(["commit", "7", false, [], [["set", "a", 1, "soon"]]]), ["ERR_EXPIRES"]);
});

test("the outcomes of commits are forgotten after some minutes, and when there are too many", async () => {
  const { root, ask } = await make();
  const send = async (/** @type {unknown[][]} */ calls) =>
    told(await ask("POST", "/?batch", { body: JSON.stringify(calls) })).then(([, outcomes]) => outcomes);
  const first = ["commit", "first", true, [["a", { value: 1 }]], [["set", "a", 2, null]]];
  assert.deepEqual(await send([first, first]), [{ result: true }, { result: true }]);
  for (let i = 0; i < 100; ++i) {
    assert.deepEqual(await send([first]), [{ result: true }]);
    await send(Array.from({ length: 100 }, (_, k) => ["commit", `${i} ${k}`, false, [], []]));
  }
  assert.deepEqual(await send([first]), [{ result: "unknown" }], "10,000 came after it");
  const { now } = Date;
  Date.now = () => now() + 6 * 60_000;
  try {
    await send([["commit", "another", false, [], []]]);
    assert.deepEqual(await send([["commit", "99 99", true, [], [["del", "a"]]]]), [{ result: "unknown" }]);
  } finally {
    Date.now = now;
  }
  assert.deepEqual(await root.get("a"), 2);
});

test("what is wrong with a request is said with a code, and changes nothing", async () => {
  const { root, ask } = await make();
  const before = await root.all();
  const many = JSON.stringify(Array.from({ length: 101 }, () => ["del", "a"]));
  /** @type {[string, string, string | null, number, string][]} */
  const wrong = [
    ["PUT", "/a", "{", 400, "ERR_VALUE"],
    ["PUT", "/a", "", 400, "ERR_VALUE"],
    ["PUT", "/a?expires=soon", "1", 400, "ERR_EXPIRES"],
    ["PUT", "/a?expires=", "1", 400, "ERR_EXPIRES"],
    ["PUT", "/a?expires=NaN", "1", 400, "ERR_EXPIRES"],
    ["GET", "/%FF", null, 400, "ERR_KEY"],
    ["DELETE", "/a%", null, 400, "ERR_KEY"],
    ["DELETE", "/?prefix=%FF", null, 400, "ERR_KEY"],
    ["DELETE", "/", null, 400, "ERR_KEY"],
    ["DELETE", "/..", null, 400, "ERR_KEY"], // As polystore deletes the key "..".
    ["POST", "/", null, 400, "ERR_UNSUPPORTED"],
    ["POST", "/?batch", "{}", 400, "ERR_VALUE"],
    ["POST", "/?batch", '[["del","a"],["constructor","a"]]', 400, "ERR_VALUE"],
    ["POST", "/?batch", '[["del","a"],["del",1]]', 400, "ERR_VALUE"],
    ["POST", "/?batch", many, 400, "ERR_VALUE"],
    ["PUT", "/", "1", 405, "ERR_UNSUPPORTED"],
    ["POST", "/a", "1", 405, "ERR_UNSUPPORTED"],
    ["PATCH", "/a", "1", 405, "ERR_UNSUPPORTED"],
    ["OPTIONS", "/a", null, 405, "ERR_UNSUPPORTED"],
    ["constructor", "/a", null, 405, "ERR_UNSUPPORTED"],
  ];
  for (const [method, target, body, status, code] of wrong) {
    const [actual, refusal] = await told(await ask(method, target, { body }));
    assert.deepEqual([actual, refusal.code], [status, code], `${method} ${target}`);
    assert.ok(refusal.message.length > 10);
  }
  assert.equal((await ask("PATCH", "/a")).headers.get("allow"), "GET, HEAD, PUT, DELETE");
  assert.equal((await ask("PUT", "/")).headers.get("allow"), "GET, HEAD, DELETE, POST");
  const [, [{ code }, ...rest]] = await told(
    await ask("POST", "/?batch", { body: '[["set","a",1,"soon"],["get","a"]]' }),
  );
  assert.deepEqual([code, rest], ["ERR_EXPIRES", [{ result: 1 }]]);
  assert.deepEqual(await root.all(), before);
});

test("an expiry is a number of seconds; without one, the default of the store counts", async () => {
  const map = new Map();
  const handle = handler(kv(map, { expires: "1h" }));
  const { now } = Date;
  Date.now = () => 1e12;
  try {
    for (const [query, expires] of Object.entries({ "": 3_600_000, "?expires=0.25": 250, "?expires=90": 90_000 })) {
      await handle(new Request(`${ORIGIN}/k${query}`, { method: "PUT", body: "1", headers: AS_JSON }));
      assert.equal(map.get("k").expires, 1e12 + expires);
    }
    await handle(new Request(`${ORIGIN}/k?expires=0`, { method: "PUT", body: "1", headers: AS_JSON }));
    assert.equal(map.size, 0);
  } finally {
    Date.now = now;
  }
});

test("a token is asked for, whatever the request", async () => {
  const { root, ask } = await make({ token: "s3cret" });
  const before = await root.all();
  const wrong = [
    undefined,
    "",
    "s3cret",
    "Bearer",
    "Bearer ",
    "Bearer s3cre",
    "Bearer s3cret2",
    "Bearer s3creT",
    "Bearer s3crets3cret",
    "Basic s3cret",
  ];
  for (const authorization of wrong) {
    const headers = authorization === undefined ? undefined : { authorization };
    for (const [method, target] of [
      ["GET", "/a"],
      ["HEAD", "/a"],
      ["PUT", "/a"],
      ["DELETE", "/?prefix="],
      ["POST", "/?batch"],
      ["GET", "/"],
      ["PATCH", "/"],
    ]) {
      const response = await ask(method, target, { headers });
      assert.equal(response.status, 401, `${method} with ${authorization}`);
      assert.equal(response.headers.get("www-authenticate"), "Bearer");
      assert.ok(!(await response.text()).includes("s3cret"));
    }
  }
  assert.deepEqual(await told(await ask("GET", "/a", { headers: { authorization: "Bearer s3cret" } })), [200, 1]);
  assert.deepEqual(await told(await ask("GET", "/a", { headers: { authorization: "bearer  s3cret" } })), [200, 1]);
  assert.deepEqual(await root.all(), before);
});

test("a sub-store is all there is", async () => {
  const { root } = await make();
  await root.set("sb", 9);
  const handle = handler(root.prefix("s:"));
  const { origin } = await serveHttp(listener(handle));
  const remote = kv(/** @type {`http://${string}`} */ (origin));
  assert.deepEqual(await remote.all(), { b: { c: [2] } });
  assert.deepEqual(
    [await remote.get("a"), await remote.has("s:b"), await remote.prefix("../").keys()],
    [null, false, []],
  );
  await Promise.all([remote.del("a"), remote.set("a", "inside"), remote.del("../a")]);
  await remote.clear();
  assert.deepEqual(await root.all(), { a: 1, sb: 9 });
});

test("a path that the store has is its own, and others are not", async () => {
  const { ask } = await make({ path: "/api/store/" });
  assert.deepEqual(await told(await ask("GET", "/api/store/a")), [200, 1]);
  assert.equal((await ask("GET", "/api/store")).status, 200);
  assert.equal((await ask("GET", "/api/store/?prefix=")).status, 200);
  for (const target of ["/", "/a", "/api/stores/a", "/api/storea", "/api", "/api/store/../a", "/API/store/a"]) {
    assert.equal((await ask("PUT", target, { body: "1" })).status, 404, target);
  }
});

for (const path of [undefined, "/other"]) {
  test(`a client at another path than the handler's, ${path}, is an error that names it, and nothing is written`, async () => {
    const { handle, root } = await make({ path: path ?? "/" });
    const { origin } = await serveHttp(listener(handle));
    const lost = kv(/** @type {`http://${string}`} */ (`${origin}/api`));
    const before = await root.all();
    const says = { code: "ERR_CLIENT", message: /answered 404.*handler\(\): its option "path"/ };
    for (const call of [
      () => lost.get("a"),
      () => lost.has("a"),
      () => lost.set("a", 2),
      () => lost.del("a"),
      () => lost.keys(),
      () => lost.clear(),
      async () => {
        const [first] = await Promise.allSettled([lost.set("a", 2), lost.set("", 2)]);
        if (first.status === "rejected") throw first.reason;
      },
    ]) {
      await assert.rejects(call(), says);
    }
    assert.deepEqual(await root.all(), before);
  });
}

test("a page of another origin is let in if the option says so, and is not without it", async () => {
  const { ask } = await make({ origin: "https://app.example", token: "x" });
  const preflight = await ask("OPTIONS", "/a");
  assert.equal(preflight.status, 204);
  assert.equal(preflight.headers.get("access-control-allow-origin"), "https://app.example");
  assert.match(preflight.headers.get("access-control-allow-methods") ?? "", /PUT/);
  assert.match(preflight.headers.get("access-control-allow-headers") ?? "", /if-match, if-none-match/);
  assert.equal((await ask("GET", "/a")).headers.get("access-control-expose-headers"), "etag");
  const refused = await ask("GET", "/a");
  assert.deepEqual([refused.status, refused.headers.get("access-control-allow-origin")], [401, "https://app.example"]);
  const closed = await (await make()).ask("GET", "/a");
  assert.equal(closed.headers.get("access-control-allow-origin"), null);
});

test("a handler without a token: a page of another origin changes nothing, and is told why", async () => {
  const { root, ask } = await make();
  const before = await root.all();
  const body = '[["set","a",2,null],["del","s:b"]]';
  /** @type {[string, string, string | undefined][]} */
  const changes = [
    ["POST", "/?batch", body],
    ["PUT", "/a", "2"],
    ["DELETE", "/a", undefined],
    ["DELETE", "/?prefix=", undefined],
    ["POST", "/?prune&prefix=", undefined],
  ];
  for (const headers of /** @type {Record<string, string>[]} */ ([
    { origin: "https://evil.example" },
    { origin: "https://evil.example", "sec-fetch-site": "cross-site" },
    { origin: "http://evil.localhost", "sec-fetch-site": "same-site" },
    { origin: "http://localhost:8080" },
    { origin: "null" },
    { "sec-fetch-site": "cross-site" },
  ])) {
    for (const [method, target, body] of changes) {
      const [status, { code, message }] = await told(
        await ask(method, target, { body, headers: { ...AS_JSON, ...headers } }),
      );
      assert.deepEqual([status, code], [403, "ERR_CLIENT"], `${method} ${target} of ${JSON.stringify(headers)}`);
      assert.match(message, /page of .* may not change .*origin/);
    }
  }
  assert.deepEqual(await root.all(), before);
});

test("a handler without a token: its own pages, allowed ones and what is no browser may change it", async () => {
  for (const [options, headers] of /** @type {[any, Record<string, string>][]} */ ([
    [{}, {}],
    [{}, { "sec-fetch-mode": "cors" }], // As Node's fetch().
    [{}, { origin: "http://localhost" }],
    [{}, { origin: "https://store.example", "sec-fetch-site": "same-origin" }], // Through a proxy.
    [{ origin: "https://app.example" }, { origin: "https://app.example", "sec-fetch-site": "cross-site" }],
    [{ origin: "*" }, { origin: "https://app.example", "sec-fetch-site": "cross-site" }],
  ])) {
    const { ask } = await make(options);
    const { status } = await ask("PUT", "/a", { body: "2", headers: { ...AS_JSON, ...headers } });
    assert.equal(status, 204, JSON.stringify([options, headers]));
  }
});

test("a handler with an origin: no page of another one changes anything", async () => {
  const { root, ask } = await make({ origin: "https://app.example" });
  const headers = { ...AS_JSON, origin: "https://evil.example", "sec-fetch-site": "cross-site" };
  assert.equal((await ask("PUT", "/a", { body: "2", headers })).status, 403);
  assert.equal(await root.get("a"), 1);
});

test("a handler without a token: JSON is application/json, as no page can send it to another origin unasked", async () => {
  const { root, ask } = await make();
  const types = ["text/plain", "text/plain;charset=UTF-8", "application/x-www-form-urlencoded", "application/jsonp"];
  for (const type of types) {
    for (const [method, target, body] of [
      ["PUT", "/a", "2"],
      ["POST", "/?batch", '[["del","a"]]'],
    ]) {
      const init = { body, headers: { "content-type": type } };
      const [status, { code, message }] = await told(await ask(method, target, init));
      assert.deepEqual([status, code], [415, "ERR_VALUE"], type);
      assert.match(message, /Content-Type: application\/json/);
    }
  }
  assert.equal(await root.get("a"), 1);
  for (const type of ["application/json", "Application/JSON; charset=utf-8"]) {
    assert.equal((await ask("PUT", "/a", { body: "2", headers: { "content-type": type } })).status, 204);
  }
  const untyped = new TextEncoder().encode("3"); // No browser sends it without its origin.
  assert.equal((await ask("PUT", "/a", { body: untyped, headers: {} })).status, 204);
  const { ask: askWithToken } = await make({ token: "x" });
  const headers = { authorization: "Bearer x", "content-type": "text/plain" };
  assert.equal((await askWithToken("PUT", "/a", { body: "2", headers })).status, 204);
});

test("a handler without a token is asked for by a name that cannot be made to lead to it only (DNS rebinding)", async () => {
  const root = kv(new Map([["a", { expires: null, value: 1 }]]));
  /** @param {string} host @param {any} [options] */
  const statuses = async (host, options) => {
    const headers = { ...AS_JSON, host, origin: `http://${host}`, "sec-fetch-site": "same-origin" };
    const requests = ["GET", "PUT"].map(
      (method) => new Request(`${ORIGIN}/a`, { method, headers, body: method === "PUT" ? "1" : null }),
    );
    const responses = await Promise.all(requests.map(handler(root, options)));
    for (const response of responses)
      if (response.status === 403) assert.match((await told(response))[1].message, /token.*host/);
    return responses.map(({ status }) => status);
  };
  for (const host of [
    "evil.example",
    "evil.example:3000",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "[",
    "1.2.3.4.evil",
  ]) {
    assert.deepEqual(await statuses(host), [403, 403], host);
  }
  for (const host of [
    "localhost",
    "localhost:3000",
    "127.0.0.1:3000",
    "[::1]:3000",
    "192.168.0.5",
    "store",
    "app.localhost:80",
  ]) {
    assert.deepEqual(await statuses(host), [200, 204], host);
  }
  assert.deepEqual(await statuses("store.example:8080", { host: "store.example" }), [200, 204]);
  assert.deepEqual(await statuses("b.example", { host: ["a.example", "b.example"] }), [200, 204]);
  assert.deepEqual(await statuses("c.example", { host: ["a.example", "b.example"] }), [403, 403]);
  assert.deepEqual(await statuses("any.example", { host: "*" }), [200, 204]);
  const { ask } = await make({ token: "x" });
  const headers = { host: "store.example", authorization: "Bearer x" };
  assert.equal((await ask("GET", "/a", { headers })).status, 200, "with a token");
});

test("options that are none are an error, a token that is missing among them", () => {
  const store = kv();
  /** @type {any[]} */
  const wrong = [
    { token: undefined },
    { token: "" },
    { token: "a b" },
    { token: 1 },
    { maxBody: 0 },
    { maxBody: "1" },
    { path: "api" },
    { origin: true },
    { host: 1 },
    { host: ["a", 1] },
    { Token: "a" },
  ];
  for (const options of wrong)
    assert.throws(() => handler(store, options), { code: "ERR_OPTIONS", message: new RegExp(Object.keys(options)[0]) });
  for (const client of /** @type {any[]} */ ([undefined, null, new Map(), "a"])) {
    assert.throws(() => handler(client), { code: "ERR_CLIENT", message: /kv\(new Map\(\)\)/ });
  }
});

test("a store that fails is 500, whose reason is for the server's owner only", async () => {
  const message = "The store of the server failed; the server's log has the error.";
  const failing = () => Promise.reject(Object.assign(new Error("disk on fire"), { path: "/secret" }));
  const client = {
    get: failing,
    set: failing,
    async *iterate() {
      yield ["a", { expires: null, value: 1 }];
      throw await failing().catch((error) => error);
    },
  };
  const handle = handler(kv(/** @type {any} */ (client)));
  const reports = await reportsOf(async () => {
    for (const target of ["/a", "/"]) {
      const response = await handle(new Request(ORIGIN + target));
      assert.deepEqual(await told(response), [500, { code: "ERR_CLIENT", message }]);
    }
    const lines = await handle(new Request(`${ORIGIN}/`, { headers: { accept: "application/x-ndjson" } }));
    assert.equal(await lines.text(), `${JSON.stringify({ code: "ERR_CLIENT", message })}\n`);
  });
  assert.equal(reports.length, 3);
  for (const report of reports) assert.match(String(report), /disk on fire/);
});

test("a store that is full is 507, and a key that it cannot hold is 400", async () => {
  class Full extends Error {
    name = "QuotaExceededError";
  }
  const client = { get() {}, set: () => Promise.reject(new Full("full")) };
  const { origin } = await serveHttp(listener(handler(kv(/** @type {any} */ (client)))));
  const remote = kv(/** @type {`http://${string}`} */ (origin));
  await assert.rejects(remote.set("a", 1), { code: "ERR_QUOTA" });
  const outcomes = await Promise.allSettled([remote.set("a", 1), remote.set("b", 1)]);
  for (const outcome of outcomes) assert.equal(outcome.status === "rejected" && outcome.reason.code, "ERR_QUOTA");
});

test("a body over the limit is 413 and not kept, whether its length is said or not", async () => {
  const { root, handle } = await make({ maxBody: 1000 });
  let pulled = 0;
  const endless = new ReadableStream({
    pull(controller) {
      ++pulled;
      controller.enqueue(new Uint8Array(100).fill(32));
    },
  });
  const init = { method: "PUT", body: endless, duplex: "half" };
  const response = await handle(new Request(`${ORIGIN}/big`, /** @type {any} */ (init)));
  assert.deepEqual([response.status, (await response.json()).code], [413, "ERR_QUOTA"]);
  assert.ok(pulled < 15, `${pulled} pieces of 100 bytes were read`);
  const headers = { "content-length": "1001" };
  const body = new ReadableStream({ pull: () => assert.fail("it was read") }, { highWaterMark: 0 });
  const said = new Request(`${ORIGIN}/big`, /** @type {any} */ ({ ...init, headers, body }));
  assert.equal((await handle(said)).status, 413);
  const { origin } = await serveHttp(listener(handle));
  const remote = kv(/** @type {`http://${string}`} */ (origin));
  await remote.set("fits", "x".repeat(998));
  const tooLong = { code: "ERR_QUOTA", message: /the value is larger than this server accepts.*maxBody/ };
  await assert.rejects(remote.set("big", "x".repeat(999)), tooLong);
  await assert.rejects(remote.set("big", "x".repeat(5_000_000)), tooLong);
  // Together they are too long for a batch, and each is not.
  await Promise.all([1, 2, 3].map((i) => remote.set(`k${i}`, "x".repeat(500))));
  const outcomes = await Promise.allSettled([
    remote.set("a", 2),
    remote.set("big", "x".repeat(999)),
    remote.set("", "x".repeat(999)),
  ]);
  assert.deepEqual(
    outcomes.map((outcome) => (outcome.status === "rejected" ? outcome.reason.code : outcome.value)),
    ["a", "ERR_QUOTA", "ERR_QUOTA"],
  );
  assert.deepEqual((await root.keys()).sort(), ["a", "fits", "k1", "k2", "k3", "s:b"]);
});

test("Node's listener: a body in pieces, one too long without a length, and one that breaks off", async () => {
  const { root, handle } = await make({ maxBody: 1000 });
  const { port } = await serveHttp(listener(handle));
  const put = (/** @type {string} */ path, /** @type {string[]} */ pieces) =>
    new Promise((resolve, reject) => {
      const request = httpRequest({ port, path, method: "PUT" }, (response) => {
        response.resume().once("end", () => resolve(response.statusCode));
      });
      request.once("error", reject);
      for (const piece of pieces) request.write(piece);
      request.end();
    });
  assert.equal(await put("/pieces", ['["a",', '"é', '"]']), 204);
  assert.deepEqual(await root.get("pieces"), ["a", "é"]);
  assert.equal(
    await put(
      "/big",
      Array.from({ length: 100 }, () => "x".repeat(1000)),
    ),
    413,
  );
  const broken = connect(port, "127.0.0.1");
  broken.write("PUT /broken HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n[1,");
  await new Promise((resolve) => broken.end(() => resolve(undefined)));
  await new Promise((resolve) => broken.resume().once("close", resolve));
  // Refused before its end is there; then the connection has to be good for the next request.
  const socket = connect(port, "127.0.0.1");
  socket.write("PUT /big HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
  const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
  for (let i = 0; i < 100; ++i) socket.write(chunk);
  socket.write("0\r\n\r\nGET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  let answers = "";
  for await (const text of socket.setEncoding("utf8")) answers += text;
  assert.deepEqual(answers.match(/HTTP\/1\.1 \d+/g), ["HTTP/1.1 413", "HTTP/1.1 200"]);
  assert.deepEqual([await root.has("broken"), await root.has("big")], [false, false]);
});

test("Node's listener: a listing is let go of where the client has gone before the answer was there", async () => {
  const { client, released } = endless();
  const handle = handler(kv(client));
  /** @type {Promise<unknown>} */
  let gone = Promise.resolve();
  const listen = listener(async (request) => {
    socket.destroy();
    await gone;
    return handle(request);
  });
  const { port } = await serveHttp((incoming, outgoing) => {
    gone = once(outgoing, "close");
    return listen(incoming, outgoing);
  });
  const socket = connect(port, "127.0.0.1");
  socket.write("GET / HTTP/1.1\r\nHost: x\r\nAccept: application/x-ndjson\r\n\r\n");
  await inTime(released, "the end of the listing");
});

test("a reader of a listing that takes nothing for 30 seconds is cut off, and its iteration let go of", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { client, released } = endless();
  const headers = { accept: "application/x-ndjson" };
  const response = await handler(kv(client))(new Request(`${ORIGIN}/?prefix=`, { headers }));
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  await reader.read();
  for (let i = 0; i < 3; ++i) {
    context.mock.timers.tick(29_999); // As long as it goes on, it may take its time.
    assert.equal((await reader.read()).done, false);
  }
  await new Promise((resolve) => setImmediate(resolve));
  context.mock.timers.tick(30_000);
  await assert.rejects(reader.read(), /took nothing for 30 s/);
  await released;
});

test("a reader that reads a listing to its end is cut off by no timer", async (context) => {
  context.mock.timers.enable({ apis: ["setTimeout"] });
  const { ask } = await make();
  const response = await ask("GET", "/?prefix=", { headers: { accept: "application/x-ndjson" } });
  assert.match(await response.text(), /\{\}\n$/);
  context.mock.timers.tick(60_000);
});

for (const accept of ["application/x-ndjson", "application/json"]) {
  test(`Node's listener: a client that does not read its answer is cut off after 30 seconds: ${accept}`, async (context) => {
    const root = kv(new Map());
    await Promise.all(Array.from({ length: 200 }, (_, i) => root.set(`k${i}`, "x".repeat(100_000))));
    context.mock.timers.enable({ apis: ["setTimeout"] });
    const report = context.mock.method(console, "error", () => {});
    let ended = () => {};
    const answered = new Promise((/** @type {(value?: undefined) => void} */ resolve) => (ended = resolve));
    const stalled = deferred();
    const listen = listener(handler(root));
    const { port } = await serveHttp((request, response) => {
      const { write } = response;
      response.write = (/** @type {any[]} */ ...args) => {
        const goesOn = /** @type {any} */ (write).apply(response, args);
        if (!goesOn) stalled.resolve(undefined);
        return goesOn;
      };
      listen(request, response).then(ended);
    });
    const socket = connect(port, "127.0.0.1");
    socket.pause();
    socket.write(`GET /?prefix= HTTP/1.1\r\nhost: localhost\r\naccept: ${accept}\r\n\r\n`);
    await stalled.promise;
    // Until the buffers of the operating system are full, it goes on.
    const tick = setInterval(() => context.mock.timers.tick(30_000), 20);
    await answered;
    clearInterval(tick);
    report.mock.restore();
    socket.destroy();
  });
}

function deferred() {
  /** @type {(value?: unknown) => void} */
  let resolve = () => {};
  const promise = new Promise((r) => (resolve = r));
  return { promise, resolve };
}

/** Every value that JSON has, which have to come through another program's parser. */
const VALUES = [{ a: [1] }, [1, "2"], "text", "", 0, 1.5, true, false, "null"];

for (const [name, use] of /** @type {[string, (app: any, listen: any) => void][]} */ ([
  ["before express.json()", (app, listen) => app.use("/api/store", listen).use(express.json())],
  ["behind express.json()", (app, listen) => app.use(express.json({ strict: false })).use("/api/store", listen)],
  ["behind express.raw()", (app, listen) => app.use(express.raw({ type: "*/*" })).use("/api/store", listen)],
])) {
  test(`Express, ${name}: every call comes through`, async () => {
    const root = kv(new Map());
    const app = express();
    use(app, listener(handler(root)));
    const { origin } = await serveHttp(app);
    await checkCalls(kv(/** @type {`http://${string}`} */ (`${origin}/api/store`)), root);
  });
}

test("Fastify: every call comes through", async () => {
  const root = kv(new Map());
  const listen = listener(handler(root, { path: "/api/store" }));
  const app = fastify();
  for (const path of ["/api/store", "/api/store/*"]) {
    app.all(path, (request, reply) => {
      reply.hijack();
      return listen(Object.assign(request.raw, { body: request.body }), reply.raw);
    });
  }
  const origin = await app.listen({ port: 0, host: "127.0.0.1" });
  try {
    await checkCalls(kv(/** @type {`http://${string}`} */ (`${origin}/api/store`)), root);
  } finally {
    app.server.closeAllConnections();
    await app.close();
  }
});

/**
 * @param {import("polystore-wasm").Store} store Over HTTP.
 * @param {import("polystore-wasm").Store} root What it leads to.
 */
async function checkCalls(store, root) {
  for (const value of VALUES) {
    assert.equal(await store.set("a/b", value), "a/b");
    assert.deepEqual(await root.get("a/b"), value);
    assert.deepEqual(await store.get("a/b"), value);
  }
  assert.deepEqual(await Promise.all([store.set("c", 1), store.has("c"), store.del("c")]), ["c", true, "c"]);
  assert.equal(await store.prune(), 0);
  await store.del("a/b");
  await store.set("d", 1);
  await store.clear();
  assert.deepEqual(await root.keys(), []);
}

test("a body that was read before Node's listener is called is an error that says what to do, and nothing is written", async () => {
  const root = kv(new Map());
  const listen = listener(handler(root));
  const { origin } = await serveHttp(async (request, response) => {
    for await (const _ of request);
    await listen(request, response);
  });
  const reports = await reportsOf(async () => {
    const init = { method: "PUT", body: "1", headers: AS_JSON };
    const response = await fetch(`${origin}/a`, init);
    const { code, message } = /** @type {any} */ (await response.json());
    assert.deepEqual([response.status, code], [500, "ERR_CLIENT"]);
    assert.match(message, /Call listener\(\) before .*request\.body/);
    assert.equal((await fetch(`${origin}/a`, { method: "DELETE" })).status, 204, "what has no body");
  });
  assert.equal(reports.length, 1);
  assert.deepEqual(await root.keys(), []);
});

test("Node's listener: what is no path is 400, and what the handler throws is 500", async () => {
  const { handle } = await make();
  const status = async (/** @type {number} */ port, /** @type {string} */ target) => {
    const socket = connect(port, "127.0.0.1");
    socket.write(`GET ${target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    let text = "";
    for await (const chunk of socket) text += chunk;
    return Number(text.split(" ")[1]);
  };
  const { port } = await serveHttp(listener(handle));
  assert.equal(await status(port, "/a"), 200);
  assert.equal(await status(port, "//a"), 404);
  assert.equal(await status(port, "http://[x/a"), 400);
  const reports = await reportsOf(async () => {
    const { port } = await serveHttp(listener(() => Promise.reject(new Error("of the handler"))));
    assert.equal(await status(port, "/"), 500);
  });
  assert.match(String(reports), /of the handler/);
});
