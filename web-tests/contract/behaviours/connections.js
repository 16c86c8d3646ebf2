// What two connections to one storage owe each other.

import { equals, equalsInAnyOrder } from "../../../js/contract/assert.js";

/** @typedef {import("../../../js/contract/behaviours/behaviour.js").Scene} Scene */

const TWENTY = Array.from({ length: 20 }, (_, i) => i + 1);

/**
 * Runs something with a store over a second connection.
 * @param {(scene: Scene, other: any) => Promise<void>} run
 * @returns {import("../../../js/contract/behaviours/behaviour.js").Behaviour}
 */
const withOther = (run) => async (scene) => {
  const { kv, subject, client } = scene;
  const second = await subject.second?.(client);
  try {
    await run(scene, kv(second));
  } finally {
    await subject.close?.(second);
  }
};

/** @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const connections = {
  "connections: increments of both are counted one by one": withOther(async ({ store }, other) => {
    const sums = await Promise.all(TWENTY.map((i) => [store, other][i % 2].incr("k")));
    equalsInAnyOrder(sums, TWENTY, "the sums");
    equals(await other.get("k"), 20);
  }),

  "connections: what one has changed since, the other does not replace": withOther(async ({ store }, other) => {
    await store.set("k", 1);
    const { version } = await other.entry("k");
    await store.set("k", 2);
    equals(await other.cas("k", version, 3), false, "cas() with the version of before");
    equals(await other.touch("k", 60), true);
    equals(await store.get("k"), 2);
    const taken = await Promise.all([store.take("k"), other.take("k")]);
    equalsInAnyOrder(taken, [2, null], "what both have taken");
    const made = await Promise.all([store.setIfAbsent("k", 1), other.setIfAbsent("k", 2)]);
    equalsInAnyOrder(made, [true, false], "which of both has written");
    equals(await store.get("k"), made[0] ? 1 : 2);
  }),
};

/** Those of a storage that changes several keys as a whole. @type {import("../../../js/contract/behaviours/behaviour.js").Behaviours} */
export const batchConnections = {
  "connections: a batch of one is before or after an update of the other": withOther(async ({ store }, other) => {
    await store.setMany({ a: 10, b: 0 });
    const move = (/** @type {number[]} */ [a, b]) => [a - 1, b + 1];
    const moves = TWENTY.slice(0, 6).map((i) => [store, other][i % 2].update(["a", "b"], move));
    const { version } = await other.entry("b");
    moves.push(
      other.batch([
        ["check", "b", version],
        ["set", "a", 10],
        ["set", "b", 0],
      ]),
    );
    await Promise.all(moves);
    const { a, b } = await store.all();
    equals(a + b, 10, "the sum of both");
  }),
};
