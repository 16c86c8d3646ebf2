import { equals, rejects, throws } from "../assert.js";
import { show } from "../equal.js";

/** @type {import("./behaviour.js").Behaviours} */
export const ranges = {
  "ranges: what is wrong has a code, in every listing, and nothing is removed": async ({ store }) => {
    await store.set("k", 1);
    /** @type {[string, any][]} */
    const wrong = [
      ["ERR_OPTIONS", "a"],
      ["ERR_OPTIONS", 5],
      ["ERR_OPTIONS", { limit: -1 }],
      ["ERR_OPTIONS", { limit: 1.5 }],
      ["ERR_OPTIONS", { limit: "1" }],
      ["ERR_OPTIONS", { limit: Infinity }],
      ["ERR_OPTIONS", { reverse: 1 }],
      ["ERR_OPTIONS", { prefix: "k" }],
      ["ERR_KEY", { gt: null }],
      ["ERR_KEY", { lte: Symbol("bad") }],
    ];
    for (const [code, range] of wrong) {
      for (const name of ["keys", "values", "entries", "all", "size", "clear", "page"])
        await rejects(store[name](range), { code, type: TypeError }, `${name}() of ${show(range)}`);
      throws(() => store.range(range), { code, type: TypeError }, `range() of ${show(range)}`);
    }
    for (const options of [{ sliding: 1 }, { slide: true }, true])
      throws(() => store.expires("1m", options), { code: "ERR_OPTIONS", type: TypeError }, "expires()");
    equals(await store.get("k"), 1);
  },

  "ranges: a limit is reached beyond any number of expired records": async ({ store, advance, many }) => {
    const keys = Array.from({ length: Math.min(many, 600) }, (_, i) => `k${String(i).padStart(4, "0")}`);
    const isAlive = (/** @type {string} */ _, /** @type {number} */ i) => i >= keys.length - 30 && i % 10 === 5;
    const [one, two, three] = keys.filter(isAlive);
    const fill = async () => {
      const entries = keys.map((key) => [key, key]);
      await store.setMany(entries, { expires: "1s" });
      await store.setMany(entries.filter(([key], i) => isAlive(key, i)));
      advance(1000);
    };
    await fill();
    equals(await store.keys({ limit: 2 }), [one, two], "the first two");
    equals(await store.keys({ limit: 5, reverse: true }), [three, two, one], "all, the last one first");
    await fill();
    equals(await store.size({ gt: one }), 2, "the number of those behind the first");
    equals(await store.page({ gte: "", limit: 3 }), {
      entries: [one, two, three].map((key) => [key, key]),
      cursor: null,
    });
    await fill();
    await store.clear({ limit: 1 });
    equals(await store.keys({ gte: "" }), [two, three], "what is left after clear() of one");
  },

  "many: the first error says how many calls were made, and the others are": async ({ store }) => {
    /** @type {[any, number][]} */
    const entries = [
      ["a", 1],
      [Symbol("bad"), 2],
      ["c", 3],
    ];
    await rejects(store.setMany(new Map(entries)), { code: "ERR_KEY", type: TypeError, says: "2 of 3" }, "setMany()");
    equals(await store.getMany(new Set(["a", "b", "c"])), [1, null, 3]);
    const keys = ["a", Symbol("bad")];
    for (const name of ["getMany", "hasMany", "delMany"])
      await rejects(store[name](keys), { code: "ERR_KEY", type: TypeError, says: "1 of 2" }, `${name}()`);
    for (const name of ["getMany", "hasMany", "delMany", "setMany"]) {
      for (const wrong of ["c", 5, undefined, null])
        await rejects(store[name](wrong), { code: "ERR_KEY", type: TypeError, says: name }, `${name}(${wrong})`);
    }
    for (const wrong of [[5], ["ab"], [null]])
      await rejects(
        store.setMany(wrong),
        { code: "ERR_KEY", type: TypeError, says: "setMany" },
        `setMany() of ${show(wrong)}`,
      );
    equals(await store.getMany(["a", "b", "c"]), [null, null, 3]);
  },
};
