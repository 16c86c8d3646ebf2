// What a watcher hears of the changes that are made through its own client.

import { equals, equalsInAnyOrder, holds, rejects } from "../assert.js";

/**
 * Fetches the next changes of a watcher.
 * @param {AsyncIterator<any>} changes
 * @param {number} [count]
 */
export async function take(changes, count = 1) {
  const taken = [];
  while (taken.length < count) {
    const { done, value } = await changes.next();
    holds(!done, `the watcher has ${count} changes; it ended after ${JSON.stringify(taken)}`);
    taken.push(value);
  }
  return taken;
}

/**
 * Watches, and runs something with the changes once they are heard.
 * @param {any} store
 * @param {any[]} args
 * @param {(changes: AsyncIterator<any>, watcher: any) => Promise<void>} run
 */
export async function watching(store, args, run) {
  const watcher = store.watch(...args);
  try {
    await watcher.ready;
    await run(watcher[Symbol.asyncIterator](), watcher);
  } finally {
    watcher.close();
  }
}

const set = (/** @type {string} */ key, /** @type {any} */ value) => ({ type: "set", key, value });
const del = (/** @type {string} */ key) => ({ type: "del", key });
const expire = (/** @type {string} */ key) => ({ type: "expire", key });

/** The behaviours of every storage that can be watched. @type {import("./behaviour.js").Behaviours} */
export const watched = {
  "watch: what is written and deleted comes in order": ({ store }) =>
    watching(store, [], async (changes) => {
      await store.set("a", { deep: [1] });
      equals(await take(changes), [set("a", { deep: [1] })]);
      await store.set("b", "text");
      await store.set("c", true);
      equals(await take(changes, 2), [set("b", "text"), set("c", true)]);
      const next = take(changes); // It waits for the change.
      await store.del("a");
      equals(await next, [del("a")]);
      await store.set("b", null);
      equals(await take(changes), [del("b")]);
      const key = await store.add("added");
      equals(await take(changes), [set(key, "added")]);
    }),

  "watch: one key is watched, or a range, or a sub-store with the keys as it has them": async ({ store }) => {
    const sub = store.prefix("s:");
    await watching(store, ["k"], (ofKey) =>
      watching(store, [{ gte: "k", lt: "m" }], (ofRange) =>
        watching(sub, [], (ofSub) =>
          watching(sub, ["k"], async (ofKeyOfSub) => {
            for (const key of ["j", "k", "kk", "l", "m", "s", "s:k", "s:z"]) await store.set(key, key);
            equals(await take(ofKey), [set("k", "k")]);
            equals(await take(ofRange, 3), [set("k", "k"), set("kk", "kk"), set("l", "l")]);
            equals(await take(ofSub, 2), [set("k", "s:k"), set("z", "s:z")]);
            equals(await take(ofKeyOfSub), [set("k", "s:k")]);
            await store.del("s:k");
            await store.del("k");
            equals(await take(ofKey), [del("k")]);
            equals(await take(ofRange), [del("k")]);
            equals(await take(ofSub), [del("k")]);
            equals(await take(ofKeyOfSub), [del("k")]);
          }),
        ),
      ),
    );
  },

  "watch: what was not fetched becomes the last change of its key": ({ store, many }) =>
    watching(store, [], async (changes) => {
      await Promise.all(Array.from({ length: many }, (_, i) => store.set("k", i + 1)));
      await store.set("other", 0);
      await store.set("other", 1);
      await store.set("gone", 1);
      await store.del("gone");
      equals(await take(changes, 3), [set("k", many), set("other", 1), del("gone")]);
      await store.set("last", 1);
      equals(await take(changes), [set("last", 1)]);
    }),

  "watch: what wrote nothing is no change": async ({ store }) => {
    await store.keys(); // A client that cannot list does not know what is absent.
    await store.set("there", 1);
    await watching(store, [], (changes) =>
      watching(store, ["absent"], async (ofAbsent) => {
        await store.del("absent");
        await store.set("absent", null);
        await store.set("absent", 1, { expires: 0 });
        await store.get("there");
        await store.has("absent");
        await rejects(store.set("bad", 1, { expires: "potato" }), { code: "ERR_EXPIRES" });
        await store.set("last", 1);
        equals(await take(changes), [set("last", 1)]);
        await store.set("absent", 2);
        equals(await take(ofAbsent), [set("absent", 2)]);
      }),
    );
  },

  "watch: clear() deletes each value": async ({ store }) => {
    await store.setMany({ a: 1, b: 2, "p:c": 3 });
    await watching(store, [], (changes) =>
      watching(store, ["b"], async (ofKey) => {
        await store.prefix("p:").clear();
        equals(await take(changes), [del("p:c")]);
        await store.clear({ gte: "b" });
        equals(await take(changes), [del("b")]);
        equals(await take(ofKey), [del("b")]);
        await store.set("d", 4);
        equals(await take(changes), [set("d", 4)]);
        await store.clear();
        equalsInAnyOrder(await take(changes, 2), [del("a"), del("d")]);
      }),
    );
  },

  "watch: with initial, what is there comes first": async ({ store }) => {
    await store.setMany({ "s:a": 1, "s:b": { deep: 1 }, t: 2 });
    await watching(store.prefix("s:"), [undefined, { initial: true }], async (changes) => {
      equalsInAnyOrder(await take(changes, 2), [set("a", 1), set("b", { deep: 1 })]);
      await store.set("s:a", 3);
      equals(await take(changes), [set("a", 3)]);
    });
    await watching(store, ["t", { initial: true }], async (changes) => {
      await store.set("t", 4); // What was not fetched is replaced.
      equals(await take(changes), [set("t", 4)]);
    });
  },

  "watch: a value that comes is a copy": async ({ store, subject }) => {
    if (subject.identity) return;
    await watching(store, ["k"], async (changes) => {
      await store.set("k", { list: [1] });
      const [{ value }] = await take(changes);
      value.list.push(2);
      equals(await store.get("k"), { list: [1] });
    });
  },

  "watch: every way to end it ends it, and the others go on": async ({ store }) => {
    const watcher = store.watch();
    const controller = new AbortController();
    const signalled = store.watch("k", { signal: controller.signal });
    const disposed = store.watch();
    const left = store.watch();
    const other = store.watch();
    await Promise.all([watcher.ready, signalled.ready, disposed.ready, left.ready, other.ready]);
    const waiting = [watcher, signalled, disposed].map((one) => one[Symbol.asyncIterator]().next());
    watcher.close();
    controller.abort();
    await disposed[Symbol.asyncDispose]();
    equals(await Promise.all(waiting), Array(3).fill({ done: true, value: undefined }));
    await store.set("k", 1);
    for await (const change of left) {
      equals(change, set("k", 1));
      break;
    }
    for await (const change of left) throw new Error(`a watcher that was left has ${JSON.stringify(change)}`);
    for await (const change of watcher) throw new Error(`a closed watcher has ${JSON.stringify(change)}`);
    const aborted = store.watch({ gte: "a" }, { signal: AbortSignal.abort() });
    for await (const change of aborted) throw new Error(`an aborted watcher has ${JSON.stringify(change)}`);
    equals(await take(other[Symbol.asyncIterator]()), [set("k", 1)]);
    other.close();
  },

  "watch: a listener gets each change, until it is closed": async ({ store }) => {
    /** @type {any[]} */
    const heard = [];
    /** @type {(value: unknown) => void} */
    let onLast = () => {};
    const last = new Promise((resolve) => (onLast = resolve));
    const all = store.watch((/** @type {any} */ change) => heard.push(change));
    const one = store.watch("k", (/** @type {any} */ change) => change.value === 3 && onLast(change), {
      initial: true,
    });
    await Promise.all([all.ready, one.ready]);
    await store.set("j", 1);
    await store.del("j");
    all.close();
    await store.set("k", 3);
    equals(await last, set("k", 3));
    holds(
      heard.every(({ key }) => key === "j"),
      `the closed listener heard ${JSON.stringify(heard)}`,
    );
    one.close();
  },

  "watch: two stores over one client hear each other": async ({ store, kv }) => {
    const other = kv(store, { prefix: "o:" });
    await watching(other, [], async (changes) => {
      await store.set("o:k", 1);
      await other.set("l", 2);
      equals(await take(changes, 2), [set("k", 1), set("l", 2)]);
    });
  },

  "watch: wrong arguments have a code": async ({ store }) => {
    const nothing = () => {};
    /** @type {[string, any[]][]} */
    const wrong = [
      ["ERR_KEY", [Symbol("bad")]],
      ["ERR_KEY", [true]],
      ["ERR_OPTIONS", [{ from: "a" }]],
      ["ERR_OPTIONS", [{ limit: 1 }]],
      ["ERR_OPTIONS", [{ reverse: true }]],
      ["ERR_OPTIONS", ["k", 1]],
      ["ERR_OPTIONS", ["k", { signal: 1 }]],
      ["ERR_OPTIONS", ["k", { initial: 1 }]],
      ["ERR_OPTIONS", ["k", { reach: "none" }]],
      ["ERR_OPTIONS", ["k", nothing, { ttl: 1 }]],
      ["ERR_OPTIONS", [{ reach: "process" }]],
      ["ERR_OPTIONS", [{ gt: "a", initial: true }]],
      ["ERR_OPTIONS", ["k", []]],
    ];
    for (const [code, args] of wrong) {
      const watcher = store.watch(...args);
      await rejects(watcher.ready, { code, type: TypeError }, `ready of watch() with ${String(args[0])}`);
      const iterator = watcher[Symbol.asyncIterator]();
      if (!args.includes(nothing)) await rejects(iterator.next(), { code, type: TypeError }, "next()");
    }
  },

  "watch: the reach is what the watcher says, and more is refused": async ({ store }) => {
    const watcher = store.watch("k");
    await watcher.ready;
    const reaches = ["process", "origin", "storage"];
    const { reach } = watcher;
    watcher.close();
    holds(reaches.includes(reach), `the reach ${reach} is one of ${reaches}`);
    for (const wanted of reaches) {
      const asked = store.watch("k", { reach: wanted });
      if (reaches.indexOf(wanted) <= reaches.indexOf(reach)) await asked.ready;
      else
        await rejects(
          asked.ready,
          { code: "ERR_UNSUPPORTED", says: `"${wanted}"` },
          "ready of a watcher that wants more",
        );
      asked.close();
    }
  },

  "watch: closing the store ends its watchers with ERR_CLOSED": async ({ kv, client }) => {
    const closed = kv(client);
    const watcher = closed.watch();
    await watcher.ready;
    const next = watcher[Symbol.asyncIterator]().next();
    const failure = rejects(next, { code: "ERR_CLOSED" }, "next()");
    await closed.close();
    await failure;
    equals(await watcher[Symbol.asyncIterator]().next(), { done: true, value: undefined });
    await rejects(closed.watch().ready, { code: "ERR_CLOSED" }, "watch() of a closed store");
  },
};

/** The behaviours of every storage that cannot be watched. @type {import("./behaviour.js").Behaviours} */
export const unwatched = {
  "watch: it is refused, with the way out": async ({ store }) => {
    const watcher = store.watch();
    await rejects(watcher.ready, { code: "ERR_UNSUPPORTED", says: "Watch another storage" }, "ready");
    await rejects(watcher[Symbol.asyncIterator]().next(), { code: "ERR_UNSUPPORTED" }, "next()");
  },
};

/** The behaviours of every storage whose records expire where the store can see it. @type {import("./behaviour.js").Behaviours} */
export const watchedExpiry = {
  "watch: an expiry comes when its time is over, also of a value that was there before": async ({ store, advance }) => {
    await store.keys(); // A client that cannot list does not know when what is there expires.
    await store.set("old", 1, { expires: "40ms" });
    await watching(store, [], (changes) =>
      watching(store, ["old"], async (ofKey) => {
        await store.set("new", 1, { expires: "30ms" });
        equals(await take(changes), [set("new", 1)]);
        const next = take(changes, 2);
        advance(2000);
        equalsInAnyOrder(await next, [expire("new"), expire("old")]);
        equals(await take(ofKey), [expire("old")]);
        equals(await store.get("old"), null);
        await store.set("last", 1);
        equals(await take(changes), [set("last", 1)], "the changes after the expired value was read");
      }),
    );
  },

  "watch: an expired value never comes as one that was set": ({ store, advance }) =>
    watching(store, [], async (changes) => {
      await store.set("k", 1, { expires: "30ms" });
      advance(2000);
      equals(await take(changes), [expire("k")]);
    }),

  "watch: a value that is set anew does not expire when the old one would have": ({ store, advance }) =>
    watching(store, ["k"], async (changes) => {
      await store.set("k", 1, { expires: "20ms" });
      equals(await take(changes), [set("k", 1)]);
      await store.set("k", 2);
      equals(await take(changes), [set("k", 2)]);
      advance(2000);
      await store.set("k", 3, { expires: "20ms" });
      equals(await take(changes), [set("k", 3)]);
      const next = take(changes);
      advance(2000);
      equals(await next, [expire("k")]);
    }),
};

/** The behaviours of every storage that can be watched, and can compare and change one key in one step. @type {import("./behaviour.js").Behaviours} */
export const watchedChanges = {
  "watch: atomic changes come, and those that wrote nothing do not": ({ store }) =>
    watching(store, [], async (changes) => {
      await store.incr("n");
      await store.incr("n", 4);
      equals(await take(changes), [set("n", 5)]);
      await store.update("n", (/** @type {number} */ value) => value);
      await store.setIfAbsent("n", 1);
      await store.cas("n", null, 1);
      await rejects(store.incr("n", "1"), { code: "ERR_VALUE" });
      await store.take("absent");
      await store.entry("n");
      await store.setIfAbsent("made", true);
      equals(await take(changes), [set("made", true)]);
      await store.take("made");
      equals(await take(changes), [del("made")]);
      const { version } = await store.entry("n");
      await store.cas("n", version, [1]);
      equals(await take(changes), [set("n", [1])]);
      await store.update("n", () => null);
      equals(await take(changes), [del("n")]);
    }),

  "watch: a touch is no change, and moves the expiry": ({ store, advance }) =>
    watching(store, [], async (changes) => {
      await store.set("k", 1, { expires: "20ms" });
      equals(await take(changes), [set("k", 1)]);
      await store.touch("k", "10s");
      advance(2000);
      await store.set("l", 1);
      equals(await take(changes), [set("l", 1)]);
      await store.touch("k", "20ms");
      const next = take(changes);
      advance(2000);
      equals(await next, [expire("k")]);
    }),
};

/** The behaviours of every storage that can be watched, and can change several keys as a whole. @type {import("./behaviour.js").Behaviours} */
export const watchedBatches = {
  "watch: each change of a batch comes": async ({ store }) => {
    await store.set("a", 1);
    await watching(store, [], async (changes) => {
      await store.batch([
        ["set", "b", 2],
        ["del", "a"],
        ["del", "absent"],
      ]);
      equalsInAnyOrder(await take(changes, 2), [set("b", 2), del("a")]);
      await store.batch([
        ["check", "b", null],
        ["set", "b", 3],
      ]);
      await store.update(["b", "c"], (/** @type {any[]} */ [b]) => [b, b]);
      equals(await take(changes), [set("c", 2)]);
    });
  },
};
