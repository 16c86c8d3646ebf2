// The rows of `npm run counter` that processes count, with fewer calls.

import assert from "node:assert/strict";
import { test } from "node:test";
import { places } from "./places.js";
import { countInProcesses } from "./processes.js";
import { processRows } from "./rows.js";

const CALLS = 200;

for (const { storage, writers, node, native, kills = 0 } of processRows) {
  const killed = kills > 0 ? ", of which each is killed once and replaced" : "";
  test(`${storage}: ${writers}${killed}, add 1 at once, and nothing is lost or made twice`, async () => {
    const where = await places[storage]();
    try {
      const all = { storage, where, calls: CALLS, node, native, kills: Math.min(kills, 1) };
      const { acknowledged, unknown, stored } = await countInProcesses(all);
      assert.equal(acknowledged, CALLS);
      assert.ok(stored >= acknowledged, `${stored} of ${acknowledged} are stored`);
      assert.ok(stored <= acknowledged + unknown, `${stored} are stored, ${acknowledged} and ${unknown} under way`);
    } finally {
      await where.close();
    }
  });
}
