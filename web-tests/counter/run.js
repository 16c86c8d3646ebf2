// The table of `npm run counter`: processes and tabs add 1 to one number, ten thousand times in all, and what is stored at the end is
// compared with what was acknowledged.

import { places } from "./places.js";
import { countInProcesses } from "./processes.js";
import { processRows, tabRows } from "./rows.js";
import { countInTabs } from "./tabs.js";

/** @typedef {import("./rows.js").Row} Row */
/** @typedef {import("./counters.js").Library} Library */
/** @typedef {import("./processes.js").Count} Count */

const CALLS = 10_000;
const PEERS = /** @type {const} */ (["polystore", "unstorage", "keyv"]);
const HEADINGS = [
  "storage",
  "who adds 1",
  "killed",
  "acknowledged",
  "stored",
  "",
  ...PEERS.map((name) => `stored by ${name}`),
];

/** @type {string[]} */
const names = process.argv.slice(2);
const unknown = names.find((name) => ![...processRows, ...tabRows].some(({ storage }) => storage === name));
if (unknown !== undefined) {
  const storages = [...new Set([...processRows, ...tabRows].map(({ storage }) => storage))];
  console.error(`There is no storage ${JSON.stringify(unknown)} in the table; there are ${storages.join(", ")}.`);
  process.exit(1);
}
const isWanted = (/** @type {Row} */ { storage }) => names.length === 0 || names.includes(storage);

/** @param {number} count */
const show = (count) => (Number.isNaN(count) ? "damaged" : count.toLocaleString("en"));

/** Shows how far a count is, on a terminal. @param {string} title */
function progressOf(title) {
  let count = 0;
  return () => {
    ++count;
    if (process.stderr.isTTY && count % 50 === 0)
      process.stderr.write(`\r\x1b[K${title}: ${show(count)} of ${show(CALLS)}`);
  };
}

/** @param {string[]} cells */
const line = (cells) => `| ${cells.join(" | ")} |`;

/**
 * @param {Row & { kills?: number }} row
 * @param {(library: Library, kills: number, onCount: () => void) => Promise<Count>} countWith
 * @returns {Promise<boolean>} True if nothing was lost, and nothing was counted twice.
 */
async function showRow({ storage, writers, peers, kills = 0 }, countWith) {
  const { acknowledged, unknown, stored } = await countWith("polystore-wasm", kills, progressOf(storage));
  const isExact = stored >= acknowledged && stored <= acknowledged + unknown;
  const cells = [storage, writers, unknown === 0 ? "" : `${unknown} times`, show(acknowledged), show(stored)];
  cells.push(isExact ? "exact" : "WRONG");
  for (const peer of PEERS) {
    cells.push(
      peers.includes(peer) ? show((await countWith(peer, 0, progressOf(`${storage} by ${peer}`))).stored) : "",
    );
  }
  if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");
  console.log(line(cells));
  return isExact;
}

console.log(line(HEADINGS));
console.log(line(HEADINGS.map(() => "---")));
let isExact = true;
for (const row of processRows.filter(isWanted)) {
  const { storage, node, native = 0 } = row;
  const countWith = async (
    /** @type {Library} */ library,
    /** @type {number} */ kills,
    /** @type {() => void} */ onCount,
  ) => {
    const where = await places[storage]();
    const own = library === "polystore-wasm" ? native : 0;
    try {
      return await countInProcesses({ library, storage, where, calls: CALLS, node, native: own, kills, onCount });
    } finally {
      await where.close();
    }
  };
  isExact = (await showRow(row, countWith)) && isExact;
}
for (const row of tabRows.filter(isWanted)) {
  const { storage, tabs } = row;
  const countWith = (/** @type {Library} */ library, /** @type {number} */ kills, /** @type {() => void} */ onCount) =>
    countInTabs({ library, storage, calls: CALLS, tabs, kills, onCount });
  isExact = (await showRow(row, countWith)) && isExact;
}
console.log(`\nExact: what is stored is what was acknowledged, plus at most the one call that each process or tab was making when it was killed.
The other libraries have no atomic change: their processes and tabs read the number and write it plus 1, ${show(CALLS)} times, and none is killed.`);
process.exitCode = isExact ? 0 : 1;
