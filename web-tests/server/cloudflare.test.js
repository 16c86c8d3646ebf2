import assert from "node:assert/strict";
import { after, describe, test } from "node:test";
import upstream from "polystore";
import kv from "polystore-wasm";
import { empty } from "../contract/clients/cloudflare.js";
import { inTime } from "../../js/contract/subject.js";
import { startWorker } from "../support/workerd.js";

const start = () => startWorker("web-tests/server/cloudflare.worker.js");
let running = await start();
after(() => running.stop());
/** How long a Worker may be silent, in milliseconds. It ends a case that hangs by itself, and says so, in a quarter of that. */
const SILENCE = 120_000;

/**
 * Has a Worker answer a request.
 * @param {Awaited<ReturnType<typeof startWorker>>["worker"]} worker
 * @param {string} path
 * @returns {Promise<any>}
 */
const ask = async (worker, path) => (await worker.dispatchFetch(`http://worker/${path}`)).json();

/**
 * Runs a case in the Worker. workerd itself can stop answering: once in many runs V8's garbage collector waits for a thread of its own for
 * ever, without running JavaScript. A new Worker then runs the case.
 * @param {number} index
 * @returns {Promise<{ failure?: string, note?: string }>}
 */
async function runCase(index) {
  const asked = ask(running.worker, String(index));
  try {
    return await inTime(asked, "the Worker", SILENCE);
  } catch (error) {
    if (!String(error).includes("has not ended")) throw error;
    asked.catch(() => {}); // It rejects when its Worker is stopped.
    await running.stop();
    running = await start();
    return ask(running.worker, String(index));
  }
}

describe("in a Worker", async () => {
  const names = /** @type {string[]} */ (await ask(running.worker, ""));
  for (const [i, name] of names.entries()) {
    test(name, async (t) => {
      const { failure, note } = await runCase(i);
      if (failure !== undefined) throw new Error(failure);
      if (note) t.diagnostic(note);
    });
  }
});

test("no request waits for what another one left unfinished", async () => {
  const { worker, stop } = await startWorker("web-tests/server/cloudflare_requests.worker.js");
  try {
    await ask(worker, "leave");
    assert.deepEqual(await inTime(ask(worker, "after"), "the second request"), [2, 2, 3]);
    await ask(worker, "clear");
    assert.deepEqual(await inTime(ask(worker, "read"), "what comes after a clear() left unfinished"), [2, 3]);
  } finally {
    await stop();
  }
});

/**
 * Runs a test in Node, over an empty namespace.
 * @param {string} name
 * @param {(namespace: any) => Promise<void>} run
 */
function testKv(name, run) {
  test(name, async () => {
    const namespace = await running.worker.getKVNamespace("KV");
    await empty(namespace);
    await run(namespace);
  });
}

/**
 * A namespace that works, but for some methods.
 * @param {any} namespace
 * @param {Record<string, (...args: any[]) => any>} methods
 * @returns {any}
 */
function altered(namespace, methods) {
  const names = ["get", "getWithMetadata", "put", "delete", "list"];
  return {
    ...Object.fromEntries(names.map((name) => [name, (/** @type {any[]} */ ...args) => namespace[name](...args)])),
    ...methods,
  };
}

/**
 * Runs something while `Date.now` says what the test wants.
 * @param {(clock: { now: number }) => Promise<void>} run
 */
async function withNow(run) {
  const realNow = Date.now;
  const clock = { now: realNow() };
  Date.now = () => clock.now;
  try {
    await run(clock);
  } finally {
    Date.now = realNow;
  }
}

testKv("the value is bare JSON; the metadata has the expiry, and the platform has it in seconds", async (namespace) => {
  const store = kv(namespace);
  await withNow(async ({ now }) => {
    await store.set("never", { a: [1] });
    await store.set("brief", 1, { expires: "1ms" });
    await store.set("odd", 1, { expires: 90.0004 });
    await store.set("beyond", 1, { expires: "100 years" });
    const { keys } = await namespace.list();
    /** @type {Record<string, [expires: number | null, least: number, most: number]>} */
    const expected = {
      beyond: [now + 3155760000000, Infinity, Infinity],
      brief: [now + 1, 59, 70],
      never: [null, Infinity, Infinity],
      odd: [now + 90000, 90, 100],
    };
    assert.deepEqual(keys.map((/** @type {any} */ { name }) => name).sort(), Object.keys(expected));
    for (const { name, expiration = Infinity, metadata } of keys) {
      const [expires, least, most] = expected[name];
      assert.deepEqual(metadata, { "polystore.expires": expires }, name);
      const life = expiration - now / 1000;
      assert.ok(life >= least && life <= most, `the platform lets ${name} live ${life} s`);
    }
  });
  assert.equal(await namespace.get("never"), '{"a":[1]}');
});

testKv("what has expired is hidden and not deleted: a read may be old, and a newer record there", async (namespace) => {
  const store = kv(namespace);
  await withNow(async (clock) => {
    await store.set("a", 1, { expires: "1500ms" });
    clock.now += 1499;
    assert.deepEqual([await store.get("a"), await store.keys(), await store.all()], [1, ["a"], { a: 1 }]);
    clock.now += 1;
    assert.deepEqual([await store.get("a"), await store.has("a")], [null, false]);
    assert.deepEqual([await store.keys(), await store.all(), await store.prune()], [[], {}, 0]);
  });
  assert.equal(await namespace.get("a"), "1");
});

testKv("the platform sees to the expiry of what polystore wrote, and of what it wrote over ours", async (namespace) => {
  const store = kv(namespace);
  await store.set("ours", 1, { expires: "1h" });
  await upstream(namespace).set("ours", 2);
  await upstream(namespace).set("theirs", 3, { expires: "1h" });
  await withNow(async (clock) => {
    clock.now += 7200_000;
    assert.deepEqual(await store.all(), { ours: 2, theirs: 3 });
  });
});

testKv("metadata of other code means nothing to us", async (namespace) => {
  await namespace.put("a", "1", { metadata: { expires: 1 } });
  await namespace.put("b", "2", { metadata: 1 });
  assert.deepEqual(await kv(namespace).all(), { a: 1, b: 2 });
});

testKv(
  "calls of one tick are few calls of the platform's, and neither keys() nor clear() needs values",
  async (namespace) => {
    /** @type {string[]} */
    const calls = [];
    const counting = altered(namespace, {
      getWithMetadata: (keys) => (
        calls.push(`get ${Array.isArray(keys) ? keys.length : 1}`),
        namespace.getWithMetadata(keys)
      ),
      list: (options) => (calls.push("list"), namespace.list(options)),
    });
    const store = kv(counting);
    const keys = Array.from({ length: 201 }, (_, i) => `k${i}`);
    await Promise.all(keys.map((key) => store.set(key, key)));
    assert.deepEqual(await Promise.all([...keys, "k0"].map((key) => store.get(key))), [...keys, "k0"]);
    assert.deepEqual(calls.splice(0), ["get 100", "get 100", "get 1"]);
    assert.equal((await store.keys()).length, 201);
    assert.deepEqual(calls.splice(0), ["list"]);
    await upstream(namespace).set("theirs", 1);
    assert.equal((await store.keys()).length, 202);
    assert.deepEqual(calls.splice(0), ["list", "get 1"]);
    for await (const [key] of store) assert.ok(key === "theirs" || keys.includes(key));
    assert.deepEqual(calls.splice(0), ["list", "get 32", "get 100", "get 70"]);
    await store.clear();
    assert.deepEqual(calls, ["list", "get 1"]);
    assert.deepEqual(await store.keys(), []);
  },
);

testKv("keys that are lost where several are asked for are asked for alone", async (namespace) => {
  const store = kv(namespace);
  const keys = ["0", "7", "007", "4294967295", "__proto__", "a"];
  for (const key of keys) await store.set(key, key);
  assert.deepEqual(await Promise.all(keys.map((key) => store.get(key))), keys);
  assert.deepEqual((await store.values()).sort(), [...keys].sort());
});

testKv("a namespace that cannot get several keys at once is asked for each", async (namespace) => {
  const old = altered(namespace, { getWithMetadata: (key) => namespace.getWithMetadata(String(key)) });
  const store = kv(old);
  await Promise.all([store.set("a", 1), store.set("b", 2)]);
  assert.deepEqual(await Promise.all(["a", "b", "c"].map((key) => store.get(key))), [1, 2, null]);
  assert.deepEqual(await store.all(), { a: 1, b: 2 });
});

testKv("values that are too large together are got one by one", async (namespace) => {
  const store = kv(namespace);
  const value = "x".repeat(9 * 1024 * 1024);
  for (const key of ["a", "b", "c"]) await store.set(key, value);
  assert.ok((await store.values()).every((got) => got === value));
  assert.deepEqual(
    (await Promise.all(["a", "b", "c"].map((key) => store.get(key)))).map((got) => got?.length),
    [value.length, value.length, value.length],
  );
});

testKv("a value beyond 25 MiB is ERR_QUOTA, and what was there is unchanged", async (namespace) => {
  const store = kv(namespace);
  await store.set("a", 1);
  await assert.rejects(store.set("a", "x".repeat(25 * 1024 * 1024)), ({ code, cause }) => {
    assert.equal(code, "ERR_QUOTA");
    assert.match(String(cause), /413/);
    return true;
  });
  assert.equal(await store.get("a"), 1);
});

testKv("keys are 512 bytes at most, and a longer prefix has none", async (namespace) => {
  const store = kv(namespace);
  const longest = `${"é".repeat(255)}ab`;
  await store.set(longest, 1);
  assert.deepEqual([await store.get(longest), await store.keys()], [1, [longest]]);
  for (const key of [`${longest}c`, "", ".", ".."]) {
    for (const call of [store.set(key, 1), store.get(key), store.has(key), store.del(key)]) {
      await assert.rejects(call, { code: "ERR_KEY", message: /512 bytes/ });
    }
  }
  await assert.rejects(store.prefix("é".repeat(200)).set("é".repeat(57), 1), { code: "ERR_KEY" });
  assert.deepEqual(await store.prefix(`${longest}c`).keys(), []);
  await store.prefix(`${longest}c`).clear();
  assert.deepEqual(await store.keys(), [longest]);
});

testKv("what fails is ERR_CLIENT with its cause, and says so where a key was written too often", async (namespace) => {
  // The platform's own words; nothing that runs here limits writes.
  const cause = new Error("KV PUT failed: 429 Too Many Requests");
  const limited = kv(altered(namespace, { put: () => Promise.reject(cause) }));
  await assert.rejects(limited.set("a", 1), {
    code: "ERR_CLIENT",
    message: /only one write per second to each key/,
    cause,
  });
  const other = new Error("KV GET failed: 500 Internal Server Error");
  const broken = kv(altered(namespace, { getWithMetadata: () => Promise.reject(other) }));
  const failure = { code: "ERR_CLIENT", cause: other };
  for (const call of [broken.get("a"), broken.get("b")]) await assert.rejects(call, failure);
  await namespace.put("a", "1");
  await assert.rejects(broken.values(), failure);
});

testKv("a call that is given up keeps no later one waiting", async (namespace) => {
  const never = altered(namespace, { put: () => new Promise(() => {}) });
  const store = kv(never, { timeout: "5ms" });
  const late = { code: "ERR_CLIENT", message: /timeout/ };
  await assert.rejects(store.set("a", 1), late);
  never.put = (/** @type {any[]} */ ...args) => namespace.put(...args);
  const patient = kv(never, { timeout: "10s" });
  assert.deepEqual([await patient.set("a", 2), await patient.get("a"), await patient.keys()], ["a", 2, ["a"]]);
});

testKv("calls that waited for one that is given up come before those that are made later", async (namespace) => {
  /** @type {string[]} */
  const made = [];
  /** @type {(value?: unknown) => void} */
  let answer = () => {};
  const store = kv(
    altered(namespace, {
      async put(key, text, options) {
        made.push(text);
        if (made.length === 1) await new Promise((resolve) => (answer = resolve));
        return namespace.put(key, text, options);
      },
    }),
    { timeout: "50ms" },
  );
  const late = { code: "ERR_CLIENT", message: /timeout/ };
  const first = assert.rejects(store.set("a", 1), late);
  const others = Promise.allSettled([store.set("a", 2), store.set("a", 3)]);
  await first;
  await kv(store, { timeout: "10s" }).set("a", 4);
  answer();
  await others;
  assert.deepEqual(made, ["1", "2", "3", "4"]);
});

test("what merely looks like a namespace is a client of the user's own", async () => {
  const data = new Map();
  const own = {
    get: (/** @type {string} */ key) => data.get(key),
    set: (/** @type {string} */ key, /** @type {unknown} */ record) => void data.set(key, record),
    ...{ getWithMetadata() {}, put() {}, delete() {}, list() {} },
  };
  const store = kv(own);
  await store.set("a", 1);
  assert.deepEqual([store.type, await store.get("a")], ["UNKNOWN", 1]);
});
