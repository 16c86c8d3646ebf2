import { equals, equalsInAnyOrder } from "../../../js/contract/assert.js";

/** Promises of storages that other code writes to as well. @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const foreign = {
  "foreign data: is not listed, and disturbs no listing": async ({ store, client, subject }) => {
    await subject.putForeign?.(client);
    equals([await store.keys(), await store.values(), await store.entries(), await store.all()], [[], [], [], {}]);
    await store.set("a", 1);
    await store.set("the", 2);
    equalsInAnyOrder(await store.entries(), [
      ["a", 1],
      ["the", 2],
    ]);
    equals(await store.prefix("the").keys(), [""], "the keys of a sub-store whose prefix foreign data has");
    const seen = [];
    for await (const entry of store) seen.push(entry);
    equalsInAnyOrder(
      seen,
      [
        ["a", 1],
        ["the", 2],
      ],
      "the iteration",
    );
  },

  "foreign data: reads as absent, without an error": async ({ store, client, subject }) => {
    await subject.putForeign?.(client);
    for (const key of subject.foreignKeys ?? []) {
      equals([await store.get(key), await store.has(key)], [null, false], `get() and has() of ${key}`);
    }
  },

  "foreign data: outlives clear(), prune() and reading": async ({ store, client, subject, advance }) => {
    await subject.putForeign?.(client);
    await store.set("a", 1);
    await store.set("the", 1, { expires: "1s" });
    advance(1000);
    await store.prefix("the").clear();
    equals(await store.prune(), 0, "what prune() gives when the only expired record was cleared");
    for (const key of subject.foreignKeys ?? []) await store.get(key);
    await store.entries();
    await store.clear();
    equals(await store.keys(), []);
    for (const key of subject.foreignKeys ?? []) {
      equals(await subject.holdsForeign?.(client, key), true, `that ${key} is still there`);
    }
  },

  "foreign data: a key that it takes can be set": async ({ store, client, subject }) => {
    await subject.putForeign?.(client);
    await store.set("theme", ["ours"]);
    equals([await store.get("theme"), await store.keys()], [["ours"], ["theme"]]);
  },

  "foreign data: is no value to a change, which replaces it as set() does": async ({ store, client, subject }) => {
    if (subject.atomic === "none") return;
    /** @type {Record<string, () => Promise<any>>} */
    const changes = {
      update: () => store.update("theme", (/** @type {any} */ value) => [value]),
      incr: () => store.incr("theme"),
      setIfAbsent: () => store.setIfAbsent("theme", 1),
      cas: () => store.cas("theme", null, 1),
      batch: () =>
        store.batch([
          ["check", "theme", null],
          ["set", "theme", 1],
        ]),
    };
    const expected = { update: [null], incr: 1, setIfAbsent: true, cas: true, batch: true };
    for (const [name, result] of Object.entries(expected)) {
      await store.del("theme");
      await subject.putForeign?.(client);
      equals([await store.entry("theme"), await store.take("theme"), await store.touch("theme")], [null, null, false]);
      equals(await changes[name](), result, name);
      equals(await store.get("theme"), name === "update" ? [null] : 1, `the value after ${name}()`);
    }
    await store.del("theme");
    await subject.putForeign?.(client);
    const sums = await Promise.all([store.incr("theme"), store.incr("theme"), store.incr("theme")]);
    equals(sums, [1, 2, 3], "three at once");
  },
};
