import { equals, equalsInAnyOrder } from "../assert.js";

/** What is left in a storage that does not see to expiry itself. @type {import("./behaviour.js").Behaviours} */
export const leftInStorage = {
  "left: get() and has() remove the expired record from the storage": async ({ store, client, subject, advance }) => {
    for (const key of ["a", "b", "c"]) await store.set(key, "secret", { expires: "1s" });
    advance(1000);
    await store.get("a");
    equalsInAnyOrder(await subject.held?.(client), ["b", "c"], "what the storage holds after get()");
    await store.has("b");
    equals(await subject.held?.(client), ["c"], "what the storage holds after has()");
  },

  "left: every listing removes the expired records from the storage": async ({ store, client, subject, advance }) => {
    for (const name of ["keys", "values", "entries", "all", "iterate"]) {
      await store.set("alive", 1);
      for (const key of ["a", "s:b"]) await store.set(key, "secret", { expires: "1s" });
      advance(1000);
      if (name === "iterate") for await (const _ of store);
      else await store[name]();
      equals(await subject.held?.(client), ["alive"], `what the storage holds after ${name}`);
    }
  },

  "left: prune() removes the expired records from the storage": async ({ store, client, subject, advance }) => {
    await store.set("alive", 1);
    for (const key of ["a", "s:b"]) await store.set(key, "secret", { expires: "1s" });
    advance(1000);
    equals(await store.prune(), 2);
    equals(await subject.held?.(client), ["alive"], "what the storage holds");
  },

  "left: clear() leaves no expired record in the storage": async ({ store, client, subject, advance }) => {
    for (const prefix of ["", "a:"]) {
      await store.set("a:alive", 1);
      await store.set("a:old", "secret", { expires: "1s" });
      advance(1000);
      await store.prefix(prefix).clear();
      equals(await subject.held?.(client), [], `what the storage holds after clear() of the prefix "${prefix}"`);
    }
  },

  "left: clear() of a sub-store touches nothing of its neighbours": async ({ store, client, subject, advance }) => {
    for (const prefix of ["a:", "b:"]) {
      await store.set(`${prefix}alive`, 1);
      await store.set(`${prefix}old`, 1, { expires: "1s" });
    }
    advance(1000);
    await store.prefix("a:").clear();
    const held = (await subject.held?.(client)) ?? [];
    equals(
      held.filter((key) => key !== "b:old"),
      ["b:alive"],
      "what the storage holds besides what expired in b:",
    );
  },

  "left: del(), null, and an expiry of 0 remove the record from the storage": async ({ store, client, subject }) => {
    for (const key of ["a", "b", "c", "d"]) await store.set(key, 1);
    await store.del("a");
    await store.set("b", null);
    await store.set("c", 2, { expires: 0 });
    await store.set("e", 2, { expires: "-1s" });
    await store.add(null);
    equals(await subject.held?.(client), ["d"], "what the storage holds");
  },

  "left: what is refused leaves nothing in the storage": async ({ store, client, subject }) => {
    const wrong = [
      store.set("a", 1, { expires: "potato" }),
      store.add(1, { expires: NaN }),
      store.set("b", 1, { ttl: 1 }),
    ];
    equals(
      (await Promise.allSettled(wrong)).map(({ status }) => status),
      ["rejected", "rejected", "rejected"],
    );
    equals(await subject.held?.(client), [], "what the storage holds");
  },
};
