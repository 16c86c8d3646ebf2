// Measures two ways of doing the same in turn, so that a machine that slows down slows both.

/**
 * @typedef {object} Contest
 * @property {string} name
 * @property {string} against Who the peer is.
 * @property {number} [target] How many times as fast as the peer we have to be, if that was set.
 * @property {number} [pause] Milliseconds before each run, where it has to be longer than what the table has.
 * @property {number} operations What one run does, to tell the time of one.
 * @property {() => Promise<() => Promise<unknown>>} ours Prepares, and gives what is timed.
 * @property {() => Promise<() => Promise<unknown>>} theirs
 */

/** @typedef {{ name: string, against: string, target?: number, ours: number, theirs: number, ratio: number }} Result */

/**
 * @param {Contest} contest
 * @param {number} [rounds]
 * @param {number} [pause] Milliseconds before each run: what the other side leaves to be done (a browser still ends 1,000
 *   transactions when their results are long there) must not be charged to this one.
 * @returns {Promise<Result>} Microseconds an operation, and how many times as fast as the peer we are: all medians.
 */
export async function measure({ name, against, target, operations, ours, theirs }, rounds = 15, pause = 0) {
  const runOurs = await ours();
  const runTheirs = await theirs();
  /** @type {{ ours: number, theirs: number }[]} */
  const times = [];
  for (let round = -3; round < rounds; ++round) {
    const ours = (await time(runOurs, pause)) / operations;
    const theirs = (await time(runTheirs, pause)) / operations;
    if (round >= 0) times.push({ ours, theirs }); // The first rounds warm up.
  }
  return {
    name,
    against,
    target,
    ours: median(times.map(({ ours }) => ours)) * 1000,
    theirs: median(times.map(({ theirs }) => theirs)) * 1000,
    ratio: median(times.map(({ ours, theirs }) => theirs / ours)),
  };
}

/**
 * @param {() => Promise<unknown>} action
 * @param {number} pause
 */
async function time(action, pause) {
  if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
  const start = performance.now();
  await action();
  return performance.now() - start;
}

/** @param {number[]} numbers */
function median(numbers) {
  return numbers.sort((a, b) => a - b)[numbers.length >> 1];
}

/**
 * @param {string} where
 * @param {Result[]} results
 */
export function table(where, results) {
  const rows = results.map(({ name, against, target, ours, theirs, ratio }) => [
    name,
    `${ours.toFixed(2)} µs`,
    `${theirs.toFixed(2)} µs`,
    against,
    `${ratio.toFixed(2)}×`,
    target === undefined ? "" : `${target}×`,
    target === undefined || ratio >= target ? "" : "MISSED",
  ]);
  const all = [[where, "ours", "theirs", "against", "times as fast", "target", ""], ...rows];
  const widths = all[0].map((_, column) => Math.max(...all.map((row) => row[column].length)));
  return all.map((row) => row.map((cell, column) => cell.padEnd(widths[column])).join("  ")).join("\n");
}
