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
      ["ERR_OPTIONS", []],
      ["ERR_OPTIONS", ["a", "b"]],
      ["ERR_OPTIONS", new Date(0)],
      ["ERR_OPTIONS", new Map([["gt", "a"]])],
      ["ERR_OPTIONS", { reverse: 1 }],
      ["ERR_OPTIONS", { prefix: "k" }],
      ["ERR_KEY", { gt: null }],
      ["ERR_KEY", { lte: Symbol("bad") }],
      ["ERR_KEY", { lt: NaN }],
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

  "many: every key and entry is checked before anything is written": async ({ store }) => {
    const bad = Symbol("bad");
    await store.set("kept", 1);
    for (const [code, entry] of /** @type {[string, any][]} */ ([
      ["ERR_KEY", [bad, 2]],
      ["ERR_KEY", [NaN, 2]],
      ["ERR_KEY", 5],
      ["ERR_KEY", "ab"],
      ["ERR_KEY", null],
      ["ERR_KEY", []],
      ["ERR_KEY", ["b", 2, { expires: 1 }]],
      ["ERR_VALUE", ["b"]],
    ]))
      await rejects(
        store.setMany([["a", 1], entry, ["kept", 3]]),
        { code, type: TypeError },
        `setMany() of ${show(entry)}`,
      );
    const entries = [["a", 1]];
    await rejects(
      store.setMany(entries, { ttl: 1 }),
      { code: "ERR_OPTIONS", type: TypeError },
      "setMany() with { ttl }",
    );
    await rejects(
      store.setMany(entries, { expires: "x" }),
      { code: "ERR_EXPIRES", type: TypeError },
      "setMany(), expires",
    );
    for (const name of ["getMany", "hasMany", "delMany"]) {
      await rejects(store[name](["kept", bad]), { code: "ERR_KEY", type: TypeError, says: "Symbol(bad)" }, `${name}()`);
      for (const wrong of ["c", 5, undefined, null, {}])
        await rejects(store[name](wrong), { code: "ERR_KEY", type: TypeError, says: "iterable of keys" }, `${name}()`);
    }
    for (const wrong of ["c", 5, undefined, null])
      await rejects(store.setMany(wrong), { code: "ERR_KEY", type: TypeError, says: "or an object" }, "setMany()");
    equals(await store.entries(), [["kept", 1]]);
    equals(await store.setMany(new Map([["a", 1]])), ["a"], "what setMany() of a Map gives");
    equals(await store.setMany({ a: undefined, b: 2 }), ["a", "b"], "what setMany() of an object gives");
    equals(await store.getMany(new Set(["a", "b", "kept"])), [null, 2, 1], "what getMany() of a Set gives");
  },
};
