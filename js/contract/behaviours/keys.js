import { equals, equalsInAnyOrder, holds, rejects } from "../assert.js";

/** @type {import("./behaviour.js").Behaviours} */
export const keys = {
  "keys: what is neither a text nor a finite number is an error": async ({ store }) => {
    /** @type {any[]} */
    const wrong = [undefined, null, true, Symbol("key"), {}, [], ["a"], () => "a", 1n, new Date(0), NaN, -Infinity];
    for (const key of wrong) {
      const what = `the key ${String(key?.toString?.() ?? key)} of type ${typeof key}`;
      await rejects(store.set(key, 1), { code: "ERR_KEY" }, `set() with ${what}`);
      await rejects(store.get(key), { code: "ERR_KEY" }, `get() with ${what}`);
      await rejects(store.has(key), { code: "ERR_KEY" }, `has() with ${what}`);
      await rejects(store.del(key), { code: "ERR_KEY" }, `del() with ${what}`);
    }
    equals(await store.keys(), []);
  },

  "keys: a missing key is an error": async ({ store }) => {
    await rejects(store.get(), { code: "ERR_KEY", says: "undefined" }, "get()");
    await rejects(store.set(), { code: "ERR_KEY", says: "undefined" }, "set()");
    await rejects(store.del(), { code: "ERR_KEY", says: "undefined" }, "del()");
  },

  "keys: a number is its decimal text": async ({ store }) => {
    equals(await store.set(1, "one"), "1", "what set(1) gives");
    await store.set(-2.5, "half");
    equals([await store.get("1"), await store.get(1), await store.has("-2.5")], ["one", "one", true]);
    equalsInAnyOrder(await store.keys(), ["1", "-2.5"]);
    equals(await store.prefix(7).PREFIX, "7", "the prefix 7");
    equals(await store.del(1), "1", "what del(1) gives");
    equals(await store.keys(), ["-2.5"]);
  },

  "keys: halves of surrogate pairs are kept apart, or refused": async ({ store, subject }) => {
    const halves = ["\ud800", "\ud801", "\udc00", "a\ud83d", "\ufffd"];
    const code = subject.refuses["lone surrogate key"];
    if (code !== undefined) {
      for (const key of halves.slice(0, 4)) {
        await rejects(store.set(key, 1), { code }, `set() of ${JSON.stringify(key)}`);
        equals(await store.keys(), []);
      }
      return;
    }
    for (const [i, key] of halves.entries()) equals(await store.set(key, i), key, "what set() gives");
    for (const [i, key] of halves.entries()) equals(await store.get(key), i, `the value at ${JSON.stringify(key)}`);
    equalsInAnyOrder(await store.keys(), halves);
    equals(await store.prefix("a").keys(), ["\ud83d"]);
    for (const key of halves) await store.del(key);
    equals(await store.keys(), []);
  },

  "all: the object that it gives is plain, and inherits nothing of a record": async ({ store }) => {
    await store.set("__proto__", { polluted: true });
    await store.set("a", 1);
    const all = await store.all();
    equals(Object.getPrototypeOf(all), Object.prototype, "the prototype");
    equals(all.polluted, undefined, "what shows through");
    equalsInAnyOrder(Object.keys(all), ["__proto__", "a"]);
    equals(/** @type {any} */ ({}).polluted, undefined, "what shows in every object");
  },

  "add: every letter and digit is as likely as another": async ({ store, subject, many }) => {
    if (subject.ownKeys) return;
    const total = 2000;
    const batch = Math.min(many, 500);
    const made = new Set();
    for (let i = 0; i < total; i += batch) {
      const keys = await Promise.all(Array.from({ length: batch }, () => store.add(1)));
      equalsInAnyOrder(await store.keys(), keys);
      for (const key of keys) made.add(key);
      await store.clear();
    }
    equals(made.size, total, "the number of different keys");
    /** @type {Map<string, number>} */
    const counts = new Map();
    for (const character of [...made].join("")) counts.set(character, (counts.get(character) ?? 0) + 1);
    const characters = [...counts.keys()].sort().join("");
    equals(characters, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", "the characters");
    // Pearson's test: 61 on average with a deviation of 11. Eight characters a quarter more likely would make it 375.
    const expected = (total * 24) / 62;
    const deviation = [...counts.values()].reduce((sum, count) => sum + (count - expected) ** 2 / expected, 0);
    holds(deviation < 150, `${deviation} is below 150, as it is where all characters are equally likely`);
  },
};
