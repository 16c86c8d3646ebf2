// How changes meet that are made at once, and what they do with the user's functions, values and errors.

import { equals, equalsInAnyOrder, holds, rejects } from "../assert.js";
import { show } from "../equal.js";

/** The numbers from 1 on. @param {number} count */
const upTo = (count) => Array.from({ length: count }, (_, i) => i + 1);

/**
 * @param {any[]} one
 * @param {any[]} other
 */
const beginsWith = (one, other) => other.every((element, i) => one[i] === element);

/** The behaviours of every storage that can compare and change one key in one step. @type {import("./behaviour.js").Behaviours} */
export const atomicChanges = {
  "at once: 100 increments are counted one by one": async ({ store }) => {
    equalsInAnyOrder(await Promise.all(upTo(100).map(() => store.incr("k"))), upTo(100), "the sums");
    equals(await store.get("k"), 100);
  },

  "at once: of ten that write where there is nothing, one does": async ({ store }) => {
    const written = await Promise.all(upTo(10).map((i) => store.setIfAbsent("k", i)));
    const winner = written.indexOf(true);
    equals(written.filter(Boolean).length, 1, "how many have written");
    equals(await store.get("k"), winner + 1);
    const { version } = await store.entry("k");
    const swapped = await Promise.all(upTo(10).map((i) => store.cas("k", version, -i)));
    equals(swapped.filter(Boolean).length, 1, "how many have replaced it");
    equals(await store.get("k"), -1 - swapped.indexOf(true));
    const taken = await Promise.all(upTo(10).map(() => store.take("k")));
    equals(taken.filter((value) => value !== null).length, 1, "how many have taken it");
  },

  "at once: a set is before or after an update, never between": async ({ store }) => {
    const append = (/** @type {number} */ element) =>
      store.update("k", (/** @type {any} */ list) => [...list, element]);
    await store.set("k", ["old"]);
    const [one, , two] = await Promise.all([append(1), store.set("k", ["new"]), append(2)]);
    const last = await store.get("k");
    equals(last[0], "new", "where the list begins at the end");
    for (const [element, result] of /** @type {[number, any[]][]} */ ([
      [1, one],
      [2, two],
    ])) {
      equals(result.at(-1), element, "what was appended");
      const isKept = last.includes(element);
      holds(isKept === (result[0] === "new"), `${element} is there at the end if it came after the set`);
      holds(!isKept || beginsWith(last, result), `the result ${JSON.stringify(result)} became ${JSON.stringify(last)}`);
    }
  },

  "update: its function is called again if another call was faster, also one that it made": async ({ store }) => {
    await store.set("k", [0]);
    /** @type {any[]} */
    const given = [];
    /** @type {Promise<unknown> | undefined} */
    let inside;
    const result = await store.update("k", (/** @type {any} */ list) => {
      inside ??= store.set("k", [10]);
      given.push(list);
      return [...list, 1];
    });
    await inside;
    equals(given[0], [0], "what the function was given first");
    equals(result, [...given.at(-1), 1], "the result");
    const isAfter = result[0] === 10;
    equals(await store.get("k"), isAfter ? [10, 1] : [10]);
  },

  "update: its function gets a copy, and what it returns is copied": async ({ store }) => {
    await store.set("k", { a: [1] });
    /** @type {any} */
    let given;
    const result = await store.update("k", (/** @type {any} */ value) => {
      given = value;
      value.a.push(2);
      return value;
    });
    equals(result, { a: [1, 2] });
    given.a.push(3);
    result.a.push(4);
    equals(await store.get("k"), { a: [1, 2] });
    const { value } = await store.entry("k");
    value.a.push(5);
    equals(await store.take("k"), { a: [1, 2] });
  },

  "update: a function that changes its argument, and does not return it, changes nothing": async ({ store }) => {
    await store.set("k", { a: [1] });
    const change = (/** @type {any} */ value) => value.a.push(2);
    /** @type {[string, (value: any) => any][]} */
    const wrong = [
      ["undefined", (value) => void change(value)],
      ["promise", async (value) => void change(value)],
      ["promise", (value) => Promise.reject(new Error(`what became of ${change(value)}`))],
      ["value", (value) => new Date(change(value))],
      ["value", (value) => ({ ...value, b: [change(value), NaN] })],
      ["value", (value) => () => change(value)],
    ];
    for (const [says, update] of wrong) {
      await rejects(store.update("k", update), { code: "ERR_VALUE", type: TypeError, says }, `update() with ${update}`);
      equals(await store.all(), { k: { a: [1] } }, `what is there after ${update}`);
    }
  },

  "update: what its function throws is what the call rejects with": async ({ store }) => {
    await store.set("k", { a: 1 });
    for (const thrown of [new RangeError("mine"), "a text", undefined, null, Object.assign(new Error(), { code: 1 })]) {
      const call = store.update("k", (/** @type {any} */ value) => {
        value.a = 2;
        throw thrown;
      });
      const reason = await call.then(
        () => "nothing",
        (/** @type {unknown} */ error) => error,
      );
      holds(reason === thrown, `the reason ${reason} is what was thrown, ${thrown}`);
    }
    equals(await store.all(), { k: { a: 1 } });
  },

  "copies: values are copied when a change is called": async ({ store }) => {
    const value = { a: 1 };
    const calls = [store.setIfAbsent("b", value), store.cas("c", null, value), store.batch([["set", "d", value]])];
    value.a = 2;
    equals(await Promise.all(calls), [true, true, true]);
    equals(await store.all(), { b: { a: 1 }, c: { a: 1 }, d: { a: 1 } });
  },

  "arguments: what is wrong has a code, and nothing is written": async ({ store }) => {
    const same = (/** @type {any} */ value) => value;
    const bad = Symbol("bad");
    await store.set("k", 1);
    const set = ["set", "a", 1];
    /** An error, and the members of a batch. @type {[code: string, ...writes: any[]][]} */
    const wrongBatches = [
      ["ERR_OPTIONS", set, 5],
      ["ERR_OPTIONS", set, []],
      ["ERR_OPTIONS", set, ["put", "b", 2]],
      ["ERR_OPTIONS", set, ["toString", "b"]],
      ["ERR_OPTIONS", set, ["set", "b", 2, {}, 3]],
      ["ERR_OPTIONS", set, ["del", "k", 1]],
      ["ERR_OPTIONS", set, ["check", "a", null, 1]],
      ["ERR_VALUE", ["del", "k"], ["set", "k"]],
      ["ERR_KEY", set, ["del", NaN]],
      ["ERR_OPTIONS", ["set", "k", 2], ["check", "k"]],
      ["ERR_OPTIONS", ["set", "k", 2, { renew: 1 }]],
      ["ERR_KEY", ["del", "k"], ["del", bad]],
      ["ERR_VALUE", ["set", "k", same]],
    ];
    /** @type {[string, string, any[]][]} */
    const wrong = [
      ["ERR_KEY", "entry", [bad]],
      ["ERR_KEY", "update", [bad, same]],
      ["ERR_KEY", "update", [["k", bad], same]],
      ["ERR_VALUE", "update", ["k"]],
      ["ERR_VALUE", "update", ["k", 2]],
      ["ERR_OPTIONS", "update", ["k", same, { ttl: 1 }]],
      ["ERR_OPTIONS", "update", ["k", same, { renew: 1 }]],
      ["ERR_EXPIRES", "update", ["k", same, { expires: "potato" }]],
      ["ERR_KEY", "incr", [bad]],
      ["ERR_VALUE", "incr", ["k", "1"]],
      ["ERR_VALUE", "incr", ["k", NaN]],
      ["ERR_VALUE", "incr", ["k", Infinity]],
      ["ERR_OPTIONS", "incr", ["k", 1, 60]],
      ["ERR_VALUE", "setIfAbsent", ["a"]],
      ["ERR_VALUE", "setIfAbsent", ["a", same]],
      ["ERR_OPTIONS", "setIfAbsent", ["a", 1, "1h"]],
      ["ERR_OPTIONS", "cas", ["a", undefined, 1]],
      ["ERR_OPTIONS", "cas", ["a", 1, 1]],
      ["ERR_VALUE", "cas", ["a", null]],
      ["ERR_VALUE", "cas", ["a", null, NaN]],
      ["ERR_KEY", "take", [bad]],
      ["ERR_KEY", "touch", [bad]],
      ["ERR_EXPIRES", "touch", ["k", "potato"]],
      ["ERR_OPTIONS", "batch", []],
      ["ERR_OPTIONS", "batch", ["set"]],
    ];
    for (const [code, ...writes] of wrongBatches) wrong.push([code, "batch", [writes]]);
    for (const [code, method, args] of wrong) {
      await rejects(store[method](...args), { code, type: TypeError }, `${method}() with ${show(args)}`);
    }
    equals(await store.all(), { k: 1 });
  },
};

/** The behaviours of every storage that can change several keys as a whole. @type {import("./behaviour.js").Behaviours} */
export const changesOfSeveralKeys = {
  "at once: what is moved between several keys is neither lost nor doubled": async ({ store }) => {
    const names = ["a", "b", "c"];
    await store.setMany(names.map((name) => [name, 10]));
    const moves = upTo(9).map((i) =>
      store.update([names[i % 3], names[(i + 1) % 3]], (/** @type {number[]} */ [from, to]) => [from - i, to + i]),
    );
    const moved = await Promise.all(moves);
    for (const pair of moved) holds(pair.every(Number.isInteger), `${pair} are two numbers`);
    equals(await store.all(), {
      a: 10 - 3 - 6 - 9 + 2 + 5 + 8,
      b: 10 - 1 - 4 - 7 + 3 + 6 + 9,
      c: 10 - 2 - 5 - 8 + 1 + 4 + 7,
    });
  },

  "at once: of five batches with the same check, one is made, and that as a whole": async ({ store }) => {
    const batches = upTo(5).map((i) =>
      store.batch([
        ["check", "lock", null],
        ["set", "lock", i],
        ["set", `made by ${i}`, true],
      ]),
    );
    const made = await Promise.all(batches);
    const winner = made.indexOf(true) + 1;
    equals(made.filter(Boolean).length, 1, "how many were made");
    equals(await store.all(), { lock: winner, [`made by ${winner}`]: true });
  },
};

/** The behaviours of every storage that cannot compare and change in one step. @type {import("./behaviour.js").Behaviours} */
export const refusedChanges = {
  "atomic: every change is refused at once, and nothing is written": async ({ store, kv, client }) => {
    const change = () => {
      throw new Error("the function of update() was called");
    };
    await store.set("k", 1);
    const calls = {
      entry: ["k"],
      update: ["k", change],
      incr: ["k"],
      setIfAbsent: ["a", 1],
      cas: ["k", null, 2],
      take: ["k"],
      touch: ["k", 60],
      batch: [[["set", "k", 2]]],
    };
    for (const [name, args] of Object.entries(calls))
      await rejects(store[name](...args), { code: "ERR_UNSUPPORTED", says: "another storage" }, `${name}()`);
    const sliding = store.expires("1m", { sliding: true });
    await rejects(sliding.get("k"), { code: "ERR_UNSUPPORTED", says: "another storage" }, "a sliding get()");
    equals(await store.get("k"), 1);
    equals(await store.has("a"), false, "whether a refused setIfAbsent() has written");
    equals(store.atomic, "none", "store.atomic");
    const demanding = async () => kv(client, { atomic: "process" }).get("k");
    await rejects(demanding(), { code: "ERR_UNSUPPORTED", says: "process" }, "a store that requires more");
  },
};

/** The behaviours of every storage that can change one key only. @type {import("./behaviour.js").Behaviours} */
export const refusedChangesOfSeveralKeys = {
  "atomic: a change of several keys is refused, and nothing is written": async ({ store }) => {
    await store.set("a", 1);
    const update = store.update(["a", "b"], () => [2, 3]);
    await rejects(update, { code: "ERR_UNSUPPORTED", says: /one key|one by one/ }, "update() of several keys");
    const batch = store.batch([
      ["set", "a", 2],
      ["del", "b"],
    ]);
    await rejects(batch, { code: "ERR_UNSUPPORTED", says: /one key|one by one/ }, "batch() of several keys");
    equals(await store.all(), { a: 1 });
  },
};

const ATOMICITIES = ["none", "process", "origin", "storage"];

/** @type {import("./behaviour.js").Behaviours} */
export const atomicity = {
  "atomic: the store says whom a change keeps out, and kv() refuses a client that keeps out less": async ({
    store,
    kv,
    client,
    subject,
  }) => {
    await store.set("k", 1);
    equals(store.atomic, subject.atomic, "store.atomic");
    for (const atomic of ATOMICITIES) {
      const required = async () => kv(client, { atomic }).get("k");
      if (ATOMICITIES.indexOf(atomic) <= ATOMICITIES.indexOf(subject.atomic)) equals(await required(), 1, atomic);
      else await rejects(required(), { code: "ERR_UNSUPPORTED", says: atomic }, `a store that requires ${atomic}`);
    }
  },
};
