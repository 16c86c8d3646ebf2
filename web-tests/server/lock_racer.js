// Tries for a lock again and again, and each time adds one to the number in a file, in two steps that nobody may come between.

import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { withLock } from "../../js/clients/lock_file.js";

const [lock, counter, rounds, stale] = process.argv.slice(2);
for (let i = 0; i < Number(rounds); ++i) {
  await withLock(lock, async () => {
    const count = Number(readFileSync(counter, "utf8"));
    await sleep(1);
    writeFileSync(counter, String(count + 1));
    // As if this process had been killed here, and another begun: its lock stays, and its holder is gone.
    writeFileSync(lock, stale);
  });
}
