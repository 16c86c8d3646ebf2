import { equals, equalsInAnyOrder, holds } from "../../js/contract/assert.js";

/**
 * Uses a store while all timers and clocks are fake, as sinon and Jest make them by default, and again when they are real. A call
 * that waits for one of the fake ones never ends.
 * @param {() => any} open Makes the store, when they are fake.
 */
export async function checkUnderFakeTimers(open) {
  // Not before: while a Worker starts, it may not use the timers, which this tries out.
  const { default: FakeTimers } = await import("@sinonjs/fake-timers");
  const clock = FakeTimers.install();
  let store;
  try {
    store = await open();
    await use(store);
  } finally {
    clock.uninstall();
  }
  await use(store);
}

/**
 * Makes calls over a socket while all timers are fake, and uses the store when they are real again. What was called meanwhile
 * ends, too.
 * @param {any} store
 */
export async function checkAfterFakeTimers(store) {
  await use(store);
  const { default: FakeTimers } = await import("@sinonjs/fake-timers");
  const { setImmediate } = globalThis;
  const clock = FakeTimers.install();
  const calls = [store.set("a", 1), store.get("b"), store.get("c"), store.has("d"), store.keys()];
  calls.push(store[Symbol.asyncIterator]().next(), store.prefix("e").clear());
  const outcomes = Promise.allSettled(calls);
  await new Promise((resolve) => setImmediate(resolve));
  clock.uninstall();
  for (const outcome of await outcomes) {
    if (outcome.status === "fulfilled") continue;
    const { code, message } = outcome.reason;
    holds(code === "ERR_CLIENT" && message.includes("process.nextTick()"), `${code} names the fake timers: ${message}`);
  }
  await use(store);
}

/** Makes each kind of call, some of them at once, and leaves nothing. @param {any} store */
export async function use(store) {
  await store.set("a", 1);
  const calls = [store.get("a"), store.set("b", { c: [2] }), store.get("none"), store.get("b"), store.has("a")];
  equals(await Promise.all(calls), [1, "b", null, { c: [2] }, true]);
  await store.set("soon", 3, { expires: "1h" });
  const id = await store.add(4);
  equalsInAnyOrder(await store.keys(), ["a", "b", "soon", id]);
  equals(await store.prefix("soon").all(), { "": 3 });
  let count = 0;
  for await (const _ of store) ++count;
  equals(count, 4);
  await store.del("a");
  await store.prune();
  await store.clear();
  equals(await store.all(), {});
}
