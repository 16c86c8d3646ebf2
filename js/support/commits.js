/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Change} Change */
/** @typedef {import("../core/client.js").Put} Put */

/**
 * Whether a change puts a record; else it removes one.
 * @param {Change} change
 * @returns {change is Put}
 */
export function isPut(change) {
  return "value" in change;
}

/**
 * The change of a commit that is alone, expects nothing and changes one key, as nearly all are: storages make it by a call of
 * its own.
 * @param {readonly Commit[]} commits
 * @returns {Change | undefined}
 */
export function onlyChange([{ expected, changes }, ...others]) {
  return others.length === 0 && expected.length === 0 && changes.length === 1 ? changes[0] : undefined;
}

/**
 * The keys that a commit concerns.
 * @param {Commit} commit
 */
export function keysOf({ expected, changes }) {
  return [...new Set([...expected, ...changes].map(({ id }) => id))];
}
