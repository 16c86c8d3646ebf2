import { PolystoreError, show } from "./errors.js";
import { encodeValue } from "./record.js";

/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Change} Change */
/** @typedef {import("../core/client.js").Outcome} Outcome */
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
    isPut(change) ? [change.id, encodeValue(change.value), change.expires] : [change.id, null, null],
  );
}

/**
 * Tells whether one of several calls can be the reason for an error: its value does not fit, or a record that it reads is damaged.
 * @param {any} error
 */
export const mayConcernOne = (error) => error?.code === "ERR_QUOTA" || error?.code === "ERR_CORRUPT";

/**
 * Returns the changes that a storage has to make if it changes each key once: the last change of each key.
 * @param {Commit} commit
 */
export function lastChanges({ changes }) {
  return [...new Map(changes.map((change) => [change.id, change])).values()];
}

/**
 * Returns what a commit has to find at a key, for a storage that compares texts: a record or another text, each with its version, or null
 * for neither. As set() does, a change replaces what other code has stored, but only what was read.
 * @param {import("../core/client.js").Expectation} expectation
 * @returns {{ expires: number | null, value?: any, version?: any } | null}
 */
export function foundOf({ found, other }) {
  return found ?? (other?.version === undefined ? null : other);
}

/**
 * Waits for commits that are made one by one, and returns the outcome of each.
 * @param {Promise<readonly Outcome[]>[]} commits Each promise resolves with the outcome of one commit.
 * @returns {Promise<Outcome[]>}
 */
export async function outcomesOf(commits) {
  const results = await Promise.allSettled(commits);
  return results.map((result) => (result.status === "fulfilled" ? result.value[0] : { error: result.reason }));
}

/**
 * Returns the error for a commit of several keys on a storage that cannot change them in one step.
 * @param {string} storage
 * @param {string[]} ids
 */
export function severalKeysError(storage, [id, other]) {
  const message = `${storage} cannot change ${show(id)} and ${show(other)} in one step. Change one key at a time, or use a storage with transactions, for example a log, IndexedDB or SQLite.`;
  return new PolystoreError("ERR_UNSUPPORTED", message);
}

/**
 * Returns the keys that a commit concerns, each once.
 * @param {Commit} commit
 */
export function keysOf({ expected, changes }) {
  return [...new Set([...expected, ...changes].map(({ id }) => id))];
}
