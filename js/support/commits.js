/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Change} Change */
/** @typedef {import("../core/client.js").Put} Put */

/**
 * Tells whether a change puts a record. Otherwise it removes one.
 * @param {Change} change
 * @returns {change is Put}
 */
export function isPut(change) {
  return "value" in change;
}

/**
 * Returns the change of a single commit without expectations that changes one key. Nearly all commits are like that, and
 * storages make their change by a simpler call.
 * @param {readonly Commit[]} commits
 * @returns {Change | undefined}
 */
export function onlyChange([{ expected, changes }, ...others]) {
  return others.length === 0 && expected.length === 0 && changes.length === 1 ? changes[0] : undefined;
}

/**
 * Returns changes as the engine of a log takes them: three items for each change, which are its key, its JSON text (null removes the
 * record), and its expiry. A flat array is copied fastest from a page to a worker.
 * @param {readonly Change[]} changes
 * @returns {(string | number | null)[]}
 */
export function itemsOf(changes) {
  return changes.flatMap((change) =>
    isPut(change) ? [change.id, JSON.stringify(change.value), change.expires] : [change.id, null, null],
  );
}

/**
 * Tells whether one of several calls can be the reason for an error: its value does not fit, or a record that it reads is damaged.
 * @param {any} error
 */
export const mayConcernOne = (error) => error?.code === "ERR_QUOTA" || error?.code === "ERR_CORRUPT";

/**
 * Returns the keys that a commit concerns, each once.
 * @param {Commit} commit
 */
export function keysOf({ expected, changes }) {
  return [...new Set([...expected, ...changes].map(({ id }) => id))];
}
