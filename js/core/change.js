// A change of values that depends on what is there: the records are read, the new values are chosen, and a commit makes the change if
// the records are still the ones that were read. Otherwise the core starts another attempt.

import { answerPage, Method, NEVER, PAGE_LENGTH, pageExpires, pageLives, pageVerdicts, Verdict } from "./core.js";
import { isPromise } from "../support/promise.js";
import { isRecord } from "../support/record.js";
import { copyStored } from "../values/plain.js";
import { Task } from "./task.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */

/** Stands for no record, and for a value that has expired before any time. */
const OVER = -NEVER;

/** An error that the user's own function threw. It reaches the user unchanged. */
export class Thrown {
  /** @param {unknown} error */
  constructor(error) {
    this.error = error;
  }
}

/**
 * One key of a change.
 * @typedef {object} Part
 * @property {string} id The key with its prefix.
 * @property {number} life The life of a value that is put there, in seconds, or NEVER.
 * @property {boolean} [isUnread] True if the change does not depend on the record.
 * @property {StoredRecord | null} [found] The record that was read.
 * @property {number} [expires] The expiry of a value that is put there, in milliseconds since the epoch, NEVER or OVER.
 * @property {any} [value] The value that was read, or null if there is none.
 */

/** A call that changes some keys depending on their values. */
export class Changing extends Task {
  /** The time of the attempt, in milliseconds since the epoch. */
  now = 0;
  /** The number of parts that the core has seen in this attempt. */
  judged = 0;
  /** What the client returned for each part in this attempt. @type {unknown[]} */
  given = [];
  /** The value of each part after the change, or null. @type {any[]} */
  values = [];
  /** The changes of this attempt. @type {import("./client.js").Change[]} */
  changes = [];

  /**
   * @param {string} name The public method, for messages.
   * @param {Part[]} parts
   * @param {boolean} renews True if a value that is there gets a new expiry, too.
   * @param {(parts: Part[], isIdentity: boolean) => any[]} choose Returns the new value of each part: undefined leaves the record, null
   *   removes it. It is called again in each attempt.
   * @param {(task: Changing) => any} [result] Returns the result of the call.
   */
  constructor(name, parts, renews, choose, result = () => undefined) {
    super(Method.change, "", parts.length === 1 ? parts[0].id : "");
    this.name = name;
    this.parts = parts;
    this.renews = renews;
    this.choose = choose;
    this.result = result;
  }
}

/**
 * Reads the records of all parts.
 * @param {Connection} connection
 * @param {Changing} task
 * @returns {unknown[] | Promise<unknown[]>}
 */
export function readParts({ client }, task) {
  if (task.judged > 0) return task.given;
  for (const { id } of task.parts) client.checkKey?.(id);
  const given = task.parts.map(({ id, isUnread }) => (isUnread ? null : client.read(id, "record")));
  return given.some(isPromise) ? Promise.all(given) : given;
}

/**
 * Shows the core the next parts, and takes over its decisions: which of them have a value, and the expiry of a new one.
 * @param {Changing} task
 * @param {number} step
 * @param {unknown[]} given What the client returned for each part.
 * @param {(id: string) => boolean} isCleared
 * @returns {number} The next step.
 */
export function judgeParts(task, step, given, isCleared) {
  task.given = given;
  const parts = task.parts.slice(task.judged, task.judged + PAGE_LENGTH);
  const records = given.slice(task.judged, task.judged + PAGE_LENGTH).map((found) => (isRecord(found) ? found : null));
  pageExpires().set(records.map((found, i) => (!found || isCleared(parts[i].id) ? OVER : (found.expires ?? NEVER))));
  pageLives().set(parts.map(({ life }) => life));
  task.judged += parts.length;
  const next = answerPage(step, parts.length, task.judged === task.parts.length ? 1 : 0);
  const expires = pageExpires();
  const verdicts = pageVerdicts();
  parts.forEach((part, i) => {
    part.found = records[i];
    part.expires = expires[i];
    part.value = verdicts[i] === Verdict.keep ? records[i]?.value : null;
  });
  return next;
}

/**
 * Lets the call choose the new values.
 * @param {Connection} connection
 * @param {Changing} task
 * @returns {boolean} True if there is anything to change.
 */
export function chooseChanges({ copies }, task) {
  task.judged = 0; // Another attempt reads the records again.
  task.changes = [];
  // The user's function gets a copy, because the record that was read is what the commit expects.
  if (copies !== "identity") for (const part of task.parts) part.value = copyStored(part.value);
  const chosen = task.choose(task.parts, copies === "identity");
  task.values = [];
  task.parts.forEach(({ id, found = null, expires = NEVER, isUnread, value: old }, i) => {
    const value = expires === OVER && chosen[i] !== undefined ? null : chosen[i];
    task.values.push(value === undefined ? old : copies === "identity" ? value : copyStored(value));
    if (value === undefined) return;
    if (value === null) {
      if (found !== null || isUnread) task.changes.push({ id });
    } else if (isUnread || old === null || expires !== (found?.expires ?? NEVER) || !isSameValue(value, found?.value)) {
      task.changes.push({ id, value, expires: expires === NEVER ? null : expires });
    }
  });
  return task.changes.length > 0;
}

/**
 * Makes the changes if the records are still the ones that were read.
 * @param {Connection} connection
 * @param {Changing} task
 * @returns {import("./client.js").Eventually<readonly import("./client.js").Outcome[]>}
 */
export function commitChanges(connection, task) {
  const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
  const expected = task.parts.filter(({ isUnread }) => !isUnread).map(({ id, found = null }) => ({ id, found }));
  if (client.commit) {
    for (const { id } of task.changes) connection.note(id);
    return client.commit([{ expected, changes: task.changes }], task.now);
  }
  // A client without commit() is synchronous. Only the function that chose the values may have written meanwhile.
  if (!expected.every(({ id, found }) => isUnchanged(client.read(id, "record"), found))) return [false];
  for (const change of task.changes) {
    connection.note(change.id);
    if ("value" in change) client.put(change.id, change.value, change.expires, task.now);
    else client.remove(change.id);
  }
  return [true];
}

/**
 * @param {unknown} now
 * @param {StoredRecord | null} found
 */
function isUnchanged(now, found) {
  if (now === found) return true;
  if (!isRecord(now) || !found) return !isRecord(now) && !found;
  return isSameValue(now.value, found.value);
}

/**
 * Tells whether two values are the same JSON.
 * @param {unknown} one
 * @param {unknown} other
 */
function isSameValue(one, other) {
  if (one === other || typeof one !== "object" || typeof other !== "object") return one === other;
  return JSON.stringify(one) === JSON.stringify(other);
}
