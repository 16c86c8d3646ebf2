// The rows of `npm run counter` that tabs count, with fewer calls.

import { expect, test } from "@playwright/test";
import { tabRows } from "./rows.js";
import { countInTabs } from "./tabs.js";

const CALLS = 240;

for (const { storage, writers, tabs, kills = 0 } of tabRows) {
  const killed = kills > 0 ? ", which is killed twice and replaced" : "";
  test(`${storage}: ${writers}${killed}, add 1 at once, and nothing is lost or made twice`, async () => {
    test.slow();
    const all = { storage, calls: CALLS, tabs, kills: Math.min(kills, 2) };
    const { acknowledged, unknown, stored } = await countInTabs(all);
    expect(acknowledged).toBe(CALLS);
    expect(unknown).toBe(all.kills);
    expect(stored).toBeGreaterThanOrEqual(acknowledged);
    expect(stored).toBeLessThanOrEqual(acknowledged + unknown);
  });
}
