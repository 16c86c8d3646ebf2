// The order in which calls are sent, over a sender that answers when the test says so.

import assert from "node:assert/strict";
import { test } from "node:test";
import { CallOrder } from "../../js/support/call_order.js";

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

/** @param {number} most @param {boolean} [keepsWrites] */
function make(most, keepsWrites) {
  /** The runs that were sent, each as the names of its calls. @type {string[]} */
  const sent = [];
  /** @type {Map<string, import("../../js/support/batch.js").Pending<string>>} */
  const underWay = new Map();
  /** @type {CallOrder<string>} */
  const order = new CallOrder(
    async (run) => {
      sent.push(run.map(({ request }) => request).join(" "));
      for (const call of run) underWay.set(call.request, call);
    },
    most,
    keepsWrites,
  );
  const call = (/** @type {boolean} */ writes) => (/** @type {string} */ name, /** @type {string} */ key) =>
    order.add(name, { writes, keys: [key], kind: "call" });
  const range = (/** @type {boolean} */ writes) => (/** @type {string} */ name, /** @type {string} */ prefix) =>
    order.add(name, { writes, prefix });
  return {
    order,
    set: call(true),
    get: call(false),
    clear: range(true),
    list: range(false),
    /** Answers calls, and gives what is sent then. @param {string[]} names */
    async answer(...names) {
      sent.length = 0;
      for (const name of names) underWay.get(name)?.resolve(name);
      await nextTick();
      return sent.splice(0);
    },
    async sent() {
      await nextTick();
      return sent.splice(0);
    },
    sentNow: () => sent.splice(0),
  };
}

test("the first call of a tick is sent at once, and the others are one run in their order, also those on one key", async () => {
  for (const most of [1, 10]) {
    const { set, get, sent, sentNow, answer } = make(most);
    const calls = [set("a1", "a")];
    assert.deepEqual(sentNow(), ["a1"]);
    calls.push(get("b1", "b"), get("b2", "b"), get("a2", "a"), set("a3", "a"));
    assert.deepEqual(sentNow(), []);
    assert.deepEqual(await sent(), most === 1 ? [] : ["b1 b2"]);
    assert.deepEqual(await answer("a1"), most === 1 ? ["b1 b2 a2 a3"] : ["a2 a3"]);
    await answer("b1", "b2", "a2", "a3");
    assert.deepEqual(await Promise.all(calls), ["a1", "b1", "b2", "a2", "a3"]);
    set("a4", "a");
    assert.deepEqual(sentNow(), ["a4"]);
  }
});

test("a call that was sent alone and fails holds up nothing", async () => {
  /** @type {CallOrder<string>} */
  const order = new CallOrder(async ([{ request }]) => {
    await nextTick();
    throw new Error(request);
  }, 1);
  const scope = { writes: true, keys: ["a"], kind: "call" };
  await assert.rejects(order.add("first", scope), /first/);
  await Promise.all(
    ["second", "third"].map((name) =>
      assert.rejects(
        order.add(name, scope, () => "finished"),
        new RegExp(name),
      ),
    ),
  );
});

test("a call whose result is finished by a function is abandoned by the promise that add() returned", async () => {
  const { set, order, sent, answer } = make(10);
  const scope = { writes: false, keys: ["a"], kind: "call" };
  const read = order.add("r1", scope, (result) => `${result}!`);
  assert.deepEqual(await sent(), ["r1"]);
  set("a1", "a");
  assert.deepEqual(await sent(), []);
  order.abandon(read);
  assert.deepEqual(await sent(), ["a1"]);
  await answer("r1");
  assert.equal(await read, "r1!");
});

test("calls on one key wait for one another, unless both read; others do not wait", async () => {
  const { set, get, sent, answer } = make(10);
  set("a1", "a");
  assert.deepEqual(await sent(), ["a1"]);
  get("a2", "a");
  get("b1", "b");
  get("a3", "a");
  set("a4", "a");
  assert.deepEqual(await sent(), ["b1"]);
  get("b2", "b");
  assert.deepEqual(await sent(), ["b2"]);
  assert.deepEqual(await answer("a1"), ["a2 a3 a4"]);
});

test("while as many runs as may be are under way, calls gather for the next", async () => {
  const { set, sent, answer } = make(2);
  for (const key of ["a", "b", "c", "d"]) {
    set(key, key);
    await nextTick();
  }
  assert.deepEqual(await sent(), ["a", "b"]);
  assert.deepEqual(await answer("b"), ["c d"]);
});

test("a listing comes after the writes before it, and holds up no writes while it waits", async () => {
  const { set, get, list, sent, answer } = make(10);
  get("pa", "pa");
  set("pb", "pb");
  set("q", "q");
  assert.deepEqual(await sent(), ["pa", "pb q"]);
  list("list", "p");
  set("pc", "pc");
  assert.deepEqual(await sent(), ["pc"]);
  assert.deepEqual(await answer("q"), []);
  assert.deepEqual(await answer("pb"), ["list"]);
  set("pd", "pd");
  get("pe", "pe");
  assert.deepEqual(await sent(), ["pe"], "a write waits for a listing that is under way");
  assert.deepEqual(await answer("list"), ["pd"]);
});

test("a clear() comes after all calls before it and before all after it, of its prefix", async () => {
  const { set, get, list, clear, sent, answer } = make(10);
  get("pa", "pa");
  list("list", "p");
  clear("clear", "p");
  set("pb", "pb");
  get("pc", "pc");
  set("q", "q");
  assert.deepEqual(await sent(), ["pa", "list", "q"]);
  assert.deepEqual(await answer("list"), []);
  assert.deepEqual(await answer("pa"), ["clear"]);
  assert.deepEqual(await answer("clear"), ["pb pc"]);
});

test("a call that is abandoned before it is sent never is, and those after it wait for what it waited for", async () => {
  const { set, get, clear, order, sent, answer } = make(10);
  set("a1", "a");
  await sent();
  const [second, clearing] = [set("a2", "a"), clear("clear", "")];
  set("a3", "a");
  set("b1", "b");
  assert.deepEqual(await sent(), []);
  order.abandon(clearing);
  assert.deepEqual(await sent(), ["b1"], "no clear() is in its way any more");
  order.abandon(second);
  get("a4", "a");
  assert.deepEqual(await sent(), []);
  assert.deepEqual(await answer("a1"), ["a3 a4"]);
});

test("a call that is abandoned in the tick in which it was made is not sent", async () => {
  const { set, get, order, sent } = make(10);
  set("b1", "b");
  set("a1", "a");
  const second = set("a2", "a");
  get("a3", "a");
  order.abandon(second);
  assert.deepEqual(await sent(), ["b1", "a1 a3"]);
});

for (const keepsWrites of [false, true]) {
  test(`after a write that was abandoned, ${keepsWrites ? "reads only" : "all calls"} go on`, async () => {
    const { set, get, list, order, sent, answer } = make(1, keepsWrites);
    const first = set("a1", "a");
    await sent();
    order.abandon(first);
    get("a2", "a");
    set("a3", "a");
    assert.deepEqual(await sent(), ["a2"]);
    assert.deepEqual(await answer("a2"), keepsWrites ? [] : ["a3"]);
    await answer("a3");
    list("list", "");
    set("b", "b");
    const next = await sent();
    assert.equal(next.includes("list"), !keepsWrites, "a listing comes after the write that waits");
    assert.deepEqual((await answer("a1")).includes("a3"), keepsWrites);
  });
}

test("100,000 calls on one key", async () => {
  const { set, get, answer } = make(1);
  for (let i = 0; i < 50_000; ++i) {
    set(`s${i}`, "a");
    get(`g${i}`, "a");
  }
  const [run] = await answer("s0");
  assert.equal(run.split(" ").length, 99_999);
});
