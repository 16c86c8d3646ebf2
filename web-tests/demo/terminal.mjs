// What the terminal shows of the countries.

/** @typedef {import("./countries.mjs").Outcome} Outcome */

const EUROPEANS_SHOWN = 5;
const BAR_LENGTH = 30;

/**
 * @param {Outcome} outcome
 * @param {boolean} colours
 * @returns {string} Several lines.
 */
export function describe({ regions, europe, timeLeft, lived, size, took }, colours) {
  const bold = (/** @type {string} */ text) => (colours ? `\x1b[1m${text}\x1b[22m` : text);
  const dim = (/** @type {string} */ text) => (colours ? `\x1b[2m${text}\x1b[22m` : text);
  const total = regions.reduce((sum, [, count]) => sum + count, 0);
  const most = Math.max(...regions.map(([, count]) => count));
  const perEntry = `${((took.write / total) * 1000).toFixed(0)} µs each, a copy of ${(size / 1000).toFixed(1)} KB of JSON`;

  return [
    `${bold(`${total} countries, cached for an hour`)}  ${dim('kv(new Map()).expires("1h")')}`,
    "",
    ...regions.map(([region, count]) => {
      return `  ${region.padEnd(12)}${String(count).padStart(4)}  ${dim("▇".repeat((count / most) * BAR_LENGTH))}`;
    }),
    "",
    `${bold(`${europe.length} of them in Europe`)}  ${dim('store.prefix("europe:").values()')}`,
    "",
    ...europe.slice(0, EUROPEANS_SHOWN).map(({ cca2, name, capital }) => {
      return `  ${`europe:${cca2}`.padEnd(12)}${name.common.padEnd(20)}${dim(capital.join(", "))}`;
    }),
    `  ${dim(`… and ${europe.length - EUROPEANS_SHOWN} more`)}`,
    "",
    bold("Checked"),
    "",
    `  written              ${milliseconds(took.write)}  ${dim(perEntry)}`,
    `  Europe listed        ${milliseconds(took.list)}`,
    `  there after restart  ${milliseconds(took.restart)}  ${dim(`all ${total}, in a new kv() over the same Map`)}`,
    `  expire in           ${minutes(timeLeft).padStart(12)}`,
    `  an entry for 50 ms   ${milliseconds(lived)}  ${dim("then it was gone")}`,
    "",
    dim("  One run, nothing warmed up."),
  ].join("\n");
}

/** @param {number} time In milliseconds. */
function milliseconds(time) {
  return `${time.toFixed(1).padStart(8)} ms`;
}

/** @param {number} time In milliseconds. */
function minutes(time) {
  return `${Math.floor(time / 60_000)} min ${Math.floor((time % 60_000) / 1000)} s`;
}
