// A watcher hears the changes that are made through another connection to the same storage.

import { equals, equalsInAnyOrder } from "../../../js/contract/assert.js";
import { take } from "../../../js/contract/behaviours/watch.js";

/** @typedef {import("../../../js/contract/behaviours/behaviour.js").Scene} Scene */

/**
 * Watches everything through one connection, and runs something with a store over another one.
 * @param {(changes: AsyncIterator<any>, other: any, scene: Scene) => Promise<void>} run
 * @param {(store: any) => Promise<unknown>} [prepare] Called before the watcher is made.
 * @returns {import("../../../js/contract/behaviours/behaviour.js").Behaviour}
 */
const withOther =
  (run, prepare = async () => {}) =>
  async (scene) => {
    const { kv, subject, client, store } = scene;
    const second = await subject.second?.(client);
    await prepare(store);
    const watcher = store.watch();
    try {
      await watcher.ready;
      await run(watcher[Symbol.asyncIterator](), kv(second), scene);
    } finally {
      watcher.close();
      await subject.close?.(second);
    }
  };

const set = (/** @type {string} */ key, /** @type {any} */ value) => ({ type: "set", key, value });
const del = (/** @type {string} */ key) => ({ type: "del", key });

/** @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const watchingOthers = {
  "watching others: what another connection sets, deletes and clears comes": withOther(
    async (changes, other) => {
      await other.set("a", { deep: [1] });
      equals(await take(changes), [set("a", { deep: [1] })]);
      await other.setMany({ b: 2, c: 3 });
      equalsInAnyOrder(await take(changes, 2), [set("b", 2), set("c", 3)]);
      await other.set("a", 4);
      equals(await take(changes), [set("a", 4)]);
      await other.del("a");
      equals(await take(changes), [del("a")]);
      await other.clear();
      equalsInAnyOrder(await take(changes, 3), [del("b"), del("c"), del("old")]);
      await other.set("old", 1);
      equals(await take(changes), [set("old", 1)]);
    },
    (store) => store.set("old", 1),
  ),

  "watching others: the last state comes, whichever connection made it": withOther(
    async (changes, other, { store }) => {
      for (let i = 0; i < 5; ++i) {
        await store.set("k", `ours ${i}`);
        await other.set("k", `theirs ${i}`);
      }
      await other.set("last", 1);
      const seen = [];
      while (seen.at(-1)?.key !== "last") seen.push((await take(changes))[0]);
      equals(seen.filter(({ key }) => key === "k").at(-1), set("k", "theirs 4"));
      await store.set("k", "ours");
      equals(await take(changes), [set("k", "ours")]);
    },
  ),

  "watching others: their expiry comes in time, and a touch of theirs moves it": withOther(
    async (changes, other, { subject, advance }) => {
      if (subject.dropsExpired || subject.managesExpiry) return; // The storage does not go by the clock of this test.
      await other.set("k", 1, { expires: "20s" });
      equals(await take(changes), [set("k", 1)]);
      await other.touch("k", "60s");
      await other.set("touched", 1);
      equals(await take(changes), [set("touched", 1)]);
      advance(30_000);
      await other.set("l", 1);
      equals(await take(changes), [set("l", 1)]);
      await other.touch("k", "30ms");
      await other.set("touched", 2);
      equals(await take(changes), [set("touched", 2)]);
      advance(2000);
      equals(await take(changes), [{ type: "expire", key: "k" }]);
    },
  ),

  "watching others: a watcher that begins after another has ended hears them, too": withOther(
    async (changes, other, { store }) => {
      await changes.return?.();
      await other.set("k", 1); // Nobody hears this.
      const watcher = store.watch("k");
      await watcher.ready;
      await other.set("k", 2);
      equals(await take(watcher[Symbol.asyncIterator]()), [set("k", 2)]);
      watcher.close();
    },
  ),
};

/** The behaviours of storages whose watchers hear nothing of other connections. @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const unheardOthers = {
  "watching others: a watcher says that it hears its own process only": async ({ store }) => {
    const watcher = store.watch();
    await watcher.ready;
    equals(watcher.reach, "process");
    watcher.close();
  },
};
