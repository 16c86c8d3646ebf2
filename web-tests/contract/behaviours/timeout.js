// A store's timeout: what it promises when a client does not answer. Needs no subject but the library.

import { equals, rejects, throws } from "../../../js/contract/assert.js";
import { Wrapped, WrappedWithAll } from "../clients/custom.js";
import { unheard } from "../unheard.js";

/** Waits for nothing but the client, which never answers; no test waits longer. */
const SHORT = "5ms";
const LONG = "1h";
const LATE = { code: "ERR_CLIENT", says: /0\.005 s.*timeout/ };

/** A client that answers, until it is silenced, and then never. */
class Silent extends Wrapped {
  silent = false;
  /** @type {(() => void)[]} */
  waiting = [];

  constructor() {
    super((work) => {
      if (!this.silent) return Promise.resolve(work());
      return new Promise((resolve) => this.waiting.push(() => resolve(work())));
    });
  }

  speak() {
    this.silent = false;
    for (const answer of this.waiting.splice(0)) answer();
  }
}

/** @type {import("./opening.js").LibraryBehaviours} */
export const timeout = {
  "timeout: every call that the client does not answer rejects": async ({ kv }) => {
    const client = new Silent();
    const store = kv(client, { timeout: SHORT });
    await store.set("a", 1);
    client.silent = true;
    const reasons = await unheard(async () => {
      await rejects(store.get("a"), LATE, "get()");
      await rejects(store.has("a"), LATE, "has()");
      await rejects(store.set("a", 2), LATE, "set()");
      await rejects(store.add(2), LATE, "add()");
      await rejects(store.del("a"), LATE, "del()");
      await rejects(store.keys(), LATE, "keys()");
      await rejects(store.all(), LATE, "all()");
      await rejects(store.clear(), LATE, "clear()");
      await rejects(store.prune(), LATE, "prune()");
      await rejects(store[Symbol.asyncIterator]().next(), LATE, "next()");
    });
    equals(reasons.map(String), [], "rejections that nobody heard");
  },

  "timeout: the error says which call it was, and has a cause": async ({ kv }) => {
    const client = new Silent();
    client.silent = true;
    const error = await kv(client, { timeout: SHORT })
      .get("a")
      .catch((/** @type {unknown} */ error) => error);
    equals([error.message.includes('UNKNOWN get("a")'), error.cause instanceof Error], [true, true]);
  },

  "timeout: the store works again when the client does": async ({ kv }) => {
    const client = new Silent();
    const store = kv(client, { timeout: SHORT });
    client.silent = true;
    await rejects(store.set("a", 1), LATE);
    await rejects(store.keys(), LATE);
    client.speak();
    equals(await store.set("b", 2), "b");
    equals((await store.keys()).sort(), ["a", "b"], "the keys, the late one among them");
  },

  "timeout: a clear() that is not answered hides nothing": async ({ kv }) => {
    const client = new Silent();
    const patient = kv(client);
    const store = kv(client, { timeout: SHORT });
    await store.set("a", 1);
    client.silent = true;
    const pending = patient.get("b"); // As long as something is under way, it is known what was.
    await rejects(store.clear(), LATE);
    client.silent = false;
    equals([await store.get("a"), await patient.get("a"), await patient.keys()], [1, 1, ["a"]]);
    client.speak();
    equals(await pending, null);
  },

  "timeout: close() does not wait for what was given up": async ({ kv }) => {
    const client = new Silent();
    const store = kv(client, { timeout: SHORT });
    client.silent = true;
    const late = [store.set("a", 1), store.clear(), store.keys()];
    const closing = store.close();
    for (const call of late) await rejects(call, LATE);
    equals(await closing, undefined);
    await rejects(store.get("a"), { code: "ERR_CLOSED" });
  },

  "timeout: close() waits for the calls of stores that have none": async ({ kv }) => {
    const client = new Silent();
    client.silent = true;
    const pending = kv(client).get("a");
    const closing = kv(client, { timeout: SHORT }).close();
    const other = new Silent();
    other.silent = true;
    await rejects(kv(other, { timeout: "20ms" }).get("a"), { code: "ERR_CLIENT" }); // Four times as long.
    client.speak();
    equals([await pending, await closing], [null, undefined]);
  },

  "timeout: a client that does not open in time": async ({ kv }) => {
    let ready = () => {};
    const client = Object.assign(new Wrapped(), {
      connect: () => new Promise((resolve) => (ready = () => resolve(undefined))),
    });
    const reasons = await unheard(async () => {
      const store = kv(client, { timeout: SHORT });
      await rejects(store.get("a"), LATE);
      await rejects(store.set("a", 1), LATE);
      await rejects(store[Symbol.asyncIterator]().next(), LATE);
      ready();
      equals(await store.keys(), [], "the keys: what was given up is not begun");
      equals(await store.set("b", 1), "b");
    });
    equals(reasons.map(String), [], "rejections that nobody heard");
  },

  "timeout: calls that waited for the client take place in their order, with and without one": async ({ kv }) => {
    const client = new WrappedWithAll();
    /** @type {number[]} */
    const written = [];
    client.set = (id, record) => {
      written.push(record.value);
      client.data.set(id, record);
    };
    const stores = [kv(client), kv(client, { timeout: LONG })];
    const calls = [];
    // One in every microtask in which the client may become ready.
    for (let i = 0; i < 20; ++i) {
      calls.push(stores[i % 2].set("a", i));
      await null;
    }
    await Promise.all(calls);
    equals(written, [...calls.keys()]);
  },

  "timeout: a client that answers in time is as without": async ({ kv }) => {
    const client = new Silent();
    const store = kv(client, { timeout: LONG });
    await store.set("a", 1);
    equals([await store.get("a"), await store.keys(), await store.has("b")], [1, ["a"], false]);
    const cause = new Error("broken");
    client.get = () => Promise.reject(cause);
    await rejects(store.get("a"), { code: "ERR_CLIENT", cause });
  },

  "timeout: holds for every store made of the store": async ({ kv }) => {
    const client = new Silent();
    const store = kv(client, { timeout: SHORT });
    client.silent = true;
    await rejects(store.prefix("a:").get("a"), LATE, "a store with a prefix");
    await rejects(store.expires("1h").get("a"), LATE, "a store with an expiry");
    await rejects(kv(store).get("a"), LATE, "kv() of a store");
    await rejects(kv(kv(client, { timeout: LONG }), { timeout: SHORT }).get("a"), LATE, "another timeout");
    const patient = kv(store, { timeout: null }).get("a");
    await rejects(store.get("a"), LATE);
    client.speak();
    equals(await patient, null, "what a store without a timeout gives");
  },

  "timeout: what cannot be understood is an error": async ({ kv }) => {
    for (const wrong of ["potato", "", 0, -1, NaN, true, {}, "0s", Symbol("5s")]) {
      throws(() => kv(new Map(), { timeout: wrong }), { code: "ERR_OPTIONS", says: "timeout" }, `of ${String(wrong)}`);
    }
    for (const right of [1, 0.5, "5 seconds", "1.5 h", Infinity, 1e300, null, undefined]) {
      equals(await kv(new Map(), { timeout: right }).get("a"), null);
    }
    await rejects(kv().set("a", 1, { timeout: 1 }), { code: "ERR_OPTIONS", says: "timeout" }, "that of a call");
  },
};
