// node count.js <library> <storage> <place> <calls>: adds 1 to a counter with each call, and writes a line when that is acknowledged.

import { libraries } from "./counters.js";

const [library, storage, place, calls] = process.argv.slice(2);
const counter = await libraries[/** @type {import("./counters.js").Library} */ (library)](storage, place);
for (let i = 0; i < Number(calls); ++i) {
  try {
    await counter.add();
  } catch (error) {
    // The others fail where one process reads what another has half written. That is not acknowledged, and what is counted is only that.
    if (library === "polystore-wasm") throw error;
    continue;
  }
  process.stdout.write("\n"); // A pipe is written at once, so the line is not lost if the process is killed.
}
await counter.close();
