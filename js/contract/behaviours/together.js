import { equals, equalsInAnyOrder, rejects } from "../assert.js";

const THOUSAND = Array.from({ length: 1000 }, (_, i) => i);

/**
 * Does something with each element, at ever later moments: in this tick, in one of the next, and later.
 * @param {string[]} elements
 * @param {(element: string) => Promise<unknown>} act
 */
async function whileUnderWay(elements, act) {
  const acts = [];
  for (const [i, element] of elements.entries()) {
    acts.push(act(element));
    if (i < 20) for (let ticks = i; ticks > 0; --ticks) await null;
    else await new Promise((resolve) => setTimeout(resolve, i % 3));
  }
  await Promise.all(acts);
}

/** @type {import("./behaviour.js").Behaviours} */
export const together = {
  "at once: 1,000 sets, then 1,000 gets": async ({ store, many }) => {
    const key = (/** @type {number} */ i) => `k${i % many}`;
    equals(await Promise.all(THOUSAND.map((i) => store.set(key(i), i))), THOUSAND.map(key), "what the sets give");
    const last = THOUSAND.map((i) => THOUSAND.findLast((j) => key(j) === key(i)));
    equals(await Promise.all(THOUSAND.map((i) => store.get(key(i)))), last, "what the gets give");
  },

  "at once: gets of keys far apart, and of some that are not there, around a set": async ({ store, many }) => {
    const names = Array.from({ length: many }, (_, i) => `k${i}`);
    await Promise.all(names.map((name) => store.set(name, `old ${name}`)));
    const step = Math.max(1, Math.floor(many / 40));
    const asked = names.filter((_, i) => i % step === 0).flatMap((name) => [name, `${name} not there`]);
    const before = Promise.all(asked.map((name) => store.get(name)));
    store.set("k0", "new");
    const after = Promise.all(asked.map((name) => store.get(name)));
    const expected = asked.map((name) => (name.endsWith("there") ? null : `old ${name}`));
    equals(await before, expected, "before the set");
    equals(await after, ["new", ...expected.slice(1)], "after it");
  },

  "at once: 1,000 calls of all kinds on one key take place in their order": async ({ store }) => {
    const calls = THOUSAND.map((i) =>
      [() => store.set("k", i), () => store.get("k"), () => store.del("k"), () => store.has("k")][i % 4](),
    );
    const expected = THOUSAND.map((i) => ["k", i - 1, "k", false][i % 4]);
    equals(await Promise.all(calls), expected);
    equals(await store.keys(), []);
  },

  "under way: what is set while clear() is under way survives it": async ({ store }) => {
    const names = Array.from({ length: 30 }, (_, i) => `k${i}`);
    for (const name of names) await store.set(name, "old");
    const clearing = store.clear();
    clearing.catch(() => {}); // Where the client cannot list, it fails before it is awaited.
    await whileUnderWay(names, (name) => store.set(name, "new"));
    await clearing;
    equals(await store.all(), Object.fromEntries(names.map((name) => [name, "new"])));
  },

  "under way: what is set while expired records are removed survives it": async ({ store, advance }) => {
    const removals = [
      () => store.prune(),
      () => store.keys(),
      () => store.all(),
      () => Promise.all(names.map((name) => store.get(name))),
      () => Promise.all(names.map((name) => store.has(name))),
      async () => {
        for await (const _ of store);
      },
    ];
    const names = Array.from({ length: 30 }, (_, i) => `k${i}`);
    for (const remove of removals) {
      for (const name of names) await store.set(name, "old", { expires: "1s" });
      advance(1000);
      const removing = remove();
      removing.catch(() => {}); // Where the client cannot list, it fails before it is awaited.
      await whileUnderWay(names, (name) => store.set(name, "new"));
      await removing;
      equals(await store.all(), Object.fromEntries(names.map((name) => [name, "new"])), `what is left after ${remove}`);
    }
  },

  "at once: a call that fails takes no other with it": async ({ store }) => {
    const outcomes = await Promise.allSettled([
      store.set("a", 1),
      store.set("b", 2, { expires: "potato" }),
      store.get(Symbol("c")),
      store.set("d", 4),
    ]);
    equals(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "rejected", "fulfilled"],
    );
    equals(await store.all(), { a: 1, d: 4 });
  },

  "at once: what one storage refuses takes nothing else with it": async ({ store, subject }) => {
    const code = subject.refuses["large value"];
    if (code === undefined) return;
    const outcomes = await Promise.allSettled([
      store.set("a", 1),
      store.set("b", "x".repeat(100000)),
      store.set("c", 3),
    ]);
    equals(
      outcomes.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled"],
    );
    equals(await store.all(), { a: 1, c: 3 });
    await rejects(store.set("a", "x".repeat(100000)), { code }, "a value too large over an existing one");
    equals(await store.get("a"), 1, "the value that a refused one would have replaced");
  },

  "close: calls under way are finished, and later ones fail, in sub-stores too": async ({
    kv,
    subject,
    client,
    store,
  }) => {
    const other = store.prefix("a:");
    await store.set("a:k", 1);
    const before = [store.get("a:k"), other.set("l", 2), other.keys()];
    const closing = store.close();
    const after = [other.get("k"), store.set("m", 1), store.keys()];
    for (const call of after) call.catch(() => {}); // They may well fail before they are looked at.
    const [value, key, keys] = await Promise.all(before);
    equals([value, key], [1, "l"]);
    equalsInAnyOrder(keys, ["k", "l"]);
    for (const call of after) await rejects(call, { code: "ERR_CLOSED" });
    await closing;
    await rejects(other.get("k"), { code: "ERR_CLOSED" });
    const again = kv((await subject.reopen?.(client)) ?? client);
    equals(await again.all(), { "a:k": 1, "a:l": 2 }, "what is there when the client is wrapped again");
    if (subject.reopen) await again.close();
  },
};
