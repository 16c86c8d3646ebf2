import { equals, equalsInAnyOrder, holds } from "../assert.js";

/** @param {number} count */
const names = (count) => Array.from({ length: count }, (_, i) => `k${i}`);

/**
 * @param {any} store
 * @param {number} count
 */
const fill = (store, count) => Promise.all(names(count).map((key, i) => store.set(key, i)));

/** @type {import("./behaviour.js").Behaviours} */
export const iteration = {
  "iteration: the store is async iterable, and so is its iterator": async ({ store }) => {
    await store.set("a", 1);
    const iterator = store[Symbol.asyncIterator]();
    equals(iterator[Symbol.asyncIterator]() === iterator, true, "that the iterator gives itself");
    equals(await iterator.next(), { value: ["a", 1], done: false }, "the first result");
    equals(await iterator.next(), { value: undefined, done: true }, "the second result");
    equals(await iterator.next(), { value: undefined, done: true }, "the third result");
  },

  "iteration: return() ends it": async ({ store }) => {
    await fill(store, 3);
    const iterator = store[Symbol.asyncIterator]();
    await iterator.next();
    equals(await iterator.return("over"), { value: "over", done: true }, "what return() gives");
    equals(await iterator.next(), { value: undefined, done: true }, "what next() gives then");
    const unused = store[Symbol.asyncIterator]();
    equals(await unused.return(), { value: undefined, done: true }, "what return() gives before the first next()");
    equals((await store.keys()).length, 3, "the number of keys");
  },

  "iteration: next() can be called without waiting": async ({ store }) => {
    await fill(store, 3);
    const iterator = store[Symbol.asyncIterator]();
    const results = await Promise.all([1, 2, 3, 4].map(() => iterator.next()));
    equals(
      results.map(({ done }) => done),
      [false, false, false, true],
    );
    equalsInAnyOrder(
      results.slice(0, 3).map(({ value }) => value),
      [
        ["k0", 0],
        ["k1", 1],
        ["k2", 2],
      ],
    );
  },

  "iteration: break ends it, and the store goes on working": async ({ store, many }) => {
    await fill(store, many);
    for (let round = 0; round < 3; ++round) {
      let seen = 0;
      for await (const [key] of store) {
        holds(/^k\d+$/.test(key), `${key} is a key`);
        if (++seen === 2) break;
      }
      equals(seen, 2, "the number of records before break");
    }
    await store.set("after", 1);
    equals((await store.keys()).length, many + 1, "the number of keys");
  },

  "iteration: an error in the loop reaches the caller, and the store goes on working": async ({ store }) => {
    await fill(store, 3);
    const thrown = new Error("in the loop");
    let isCaught = false;
    try {
      for await (const _ of store) throw thrown;
    } catch (error) {
      if (error !== thrown) throw error;
      isCaught = true;
    }
    equals(isCaught, true, "that the error that was thrown reaches the caller");
    equals((await store.keys()).length, 3, "the number of keys");
  },

  "iteration: gives every record once": async ({ store, many }) => {
    await fill(store, many);
    await store.prefix("other:").set("a", 1);
    const seen = [];
    for await (const entry of store.prefix("k")) seen.push(entry);
    equalsInAnyOrder(
      seen,
      names(many).map((key, i) => [key.slice(1), i]),
    );
  },

  "iteration: listings give every record once": async ({ store, many }) => {
    await fill(store, many);
    const expected = names(many);
    equalsInAnyOrder(await store.keys(), expected, "the keys");
    equalsInAnyOrder(
      await store.values(),
      expected.map((_, i) => i),
      "the values",
    );
    equalsInAnyOrder(
      await store.entries(),
      expected.map((key, i) => [key, i]),
      "the entries",
    );
    equals(await store.all(), Object.fromEntries(expected.map((key, i) => [key, i])), "all");
    await store.clear();
    equals(await store.keys(), []);
  },

  "iteration: adding meanwhile does not keep it from ending": async ({ store }) => {
    await fill(store, 5);
    let seen = 0;
    for await (const [key] of store) {
      if (++seen > 20) throw new Error("the iteration goes on and on");
      await store.set(`${key}+`, 1);
    }
    holds(seen >= 5, `the ${seen} records seen are those 5 that were there, or more`);
    holds((await store.keys()).length >= 10, "what was added is there");
  },

  "iteration: deleting what it gives loses no other record": async ({ store }) => {
    await fill(store, 10);
    const seen = [];
    for await (const [key] of store) {
      seen.push(key);
      await store.del(key);
    }
    equalsInAnyOrder(seen, names(10), "the keys seen");
    equals(await store.keys(), [], "the keys left");
  },

  "iteration: deleting another record loses no third one": async ({ store }) => {
    await fill(store, 10);
    const seen = new Set();
    let deleted;
    for await (const [key] of store) {
      if (deleted === undefined) {
        deleted = names(10).find((name) => name !== key);
        await store.del(deleted);
      }
      holds(!seen.has(key), `${key} is given once`);
      seen.add(key);
    }
    seen.delete(deleted);
    equals(seen.size, 9, "the number of records seen that were not deleted");
  },

  "iteration: a record that is set meanwhile is given once, old or new": async ({ store }) => {
    await fill(store, 10);
    const seen = [];
    for await (const [key, value] of store) {
      if (seen.length === 0) for (const name of names(10)) await store.set(name, "new");
      holds(value === "new" || value === Number(key.slice(1)), `${value} is the old or the new value of ${key}`);
      seen.push(key);
    }
    equalsInAnyOrder(seen, names(10));
    equals(
      await store.values(),
      names(10).map(() => "new"),
    );
  },

  "iteration: what expires meanwhile is given as it was, or not at all": async ({ store, advance }) => {
    await fill(store, 3);
    for (const name of names(3)) await store.set(name, 1, { expires: "1s" });
    const seen = [];
    for await (const entry of store) {
      if (seen.length === 0) advance(1000);
      seen.push(entry);
    }
    holds(seen.length >= 1 && seen.length <= 3, `${seen.length} records were given`);
    for (const [, value] of seen) equals(value, 1, "a value");
    equals(await store.keys(), []);
  },

  "iteration: two at a time do not disturb each other": async ({ store }) => {
    await fill(store, 10);
    const pairs = [];
    for await (const [outer] of store.prefix("k")) {
      for await (const [inner] of store.prefix("k")) pairs.push(`${outer}-${inner}`);
    }
    equals(new Set(pairs).size, 100, "the number of different pairs");
    equals(pairs.length, 100, "the number of pairs");
  },

  "iteration: what a listing gave can be changed": async ({ store }) => {
    await fill(store, 3);
    (await store.keys()).push("x");
    (await store.values()).length = 0;
    (await store.entries()).forEach((/** @type {any[]} */ entry) => entry.reverse());
    Object.assign(await store.all(), { k0: "changed" });
    equals(await store.all(), { k0: 0, k1: 1, k2: 2 });
  },
};
