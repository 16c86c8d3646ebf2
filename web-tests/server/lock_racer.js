// Tries for a lock again and again, and each time adds one to the number in a file, in two steps that nobody may come between.

import { randomUUID } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Lock } from "../../js/disk/lock.js";

const [path, counter, rounds, stale] = process.argv.slice(2);
for (let i = 0; i < Number(rounds); ++i) {
  const lock = await Lock.wait(path);
  const count = Number(readFileSync(counter, "utf8"));
  await sleep(1);
  writeFileSync(counter, String(count + 1));
  // As if another process had been killed here: its lock stays, and its holder is gone.
  writeFileSync(`${path}.lock-${randomUUID()}`, stale);
  lock.release();
}
