// A change of values that depends on what is there: the records are read, the new values are chosen, and a commit makes the change if
// the records are still the ones that were read. Otherwise the core starts another attempt.

import { isPromise } from "../support/promise.js";
import { isRecord } from "../support/record.js";
import { isSameJson } from "../values/same_json.js";
import { copyStored } from "../values/plain.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */

/**
 * The part of core.js that changes need. A page loads this module when it makes its first change; a core of its own would not know the
 * operations of the other one.
 * @typedef {Pick<typeof import("./core.js"), "abandon" | "answer" | "answerPage" | "Ask" | "ASK_BITS" | "Method" | "NEVER" | "PAGE_LENGTH" | "pageExpires" | "pageLives" | "pageVerdicts" | "Verdict">} Core
 */
/**
 * One key of a change.
 * @typedef {object} Part
 * @property {string} id The key with its prefix.
 * @property {number} life The life of a value that is put there, in seconds, or NEVER.
 * @property {boolean} [isUnread] True if the change does not depend on the record.
 * @property {boolean} [keepsExpiry] True if a value that is there keeps its expiry, even if the other values of the change get a new one.
 * @property {StoredRecord | null} [found] The record that was read.
 * @property {number} [expires] The expiry of a value that is put there, in milliseconds since the epoch, NEVER or -NEVER, which means
 *   that it expires at once.
 * @property {any} [value] The value that was read, or null if there is none.
 */

/** A call that changes some keys depending on their values. It has the properties of a `Task`. */
export class Changing {
  key = "";
  /** @type {StoredRecord | null} */
  record = null;
  /** The time of the attempt, in milliseconds since the epoch. */
  now = 0;
  /** The value of each part after the change, or null. @type {any[]} */
  values = [];
  /** The changes of this attempt. @type {import("./client.js").Change[]} */
  changes = [];
  #core;
  #choose;
  #result;
  /** The number of parts that the core has seen in this attempt. */
  #judged = 0;
  /** What the client returned for each part in this attempt. @type {unknown[]} */
  #given = [];

  /**
   * @param {Core} core
   * @param {string} name The public method, for messages.
   * @param {Part[]} parts
   * @param {boolean} renews True if a value that is there gets a new expiry, too.
   * @param {(parts: Part[]) => any[]} choose Returns the new value of each part: undefined leaves the record, null
   *   removes it. It is called again in each attempt.
   * @param {(task: Changing) => any} result Returns the result of the call.
   */
  constructor(core, name, parts, renews, choose, result) {
    this.method = core.Method.change;
    this.id = parts.length === 1 ? parts[0].id : "";
    this.name = name;
    this.parts = parts;
    this.renews = renews;
    this.#core = core;
    this.#choose = choose;
    this.#result = result;
  }

  /**
   * Reads the records of all parts.
   * @param {Connection} connection
   * @returns {unknown[] | Promise<unknown[]>}
   */
  read({ client }) {
    if (this.#judged > 0) return this.#given;
    for (const { id } of this.parts) client.checkKey?.(id);
    const given = this.parts.map(({ id, isUnread }) => (isUnread ? null : client.read(id, "record")));
    return given.some(isPromise) ? Promise.all(given) : given;
  }

  /**
   * Shows the core the next parts, and takes over its decisions: which of them have a value, and the expiry of a new one.
   * @param {number} step
   * @param {unknown[]} given What the client returned for each part.
   * @param {(id: string) => boolean} isCleared
   * @returns {number} The next step.
   */
  judge(step, given, isCleared) {
    const { answerPage, NEVER, PAGE_LENGTH, pageExpires, pageLives, pageVerdicts, Verdict } = this.#core;
    this.#given = given;
    const parts = this.parts.slice(this.#judged, this.#judged + PAGE_LENGTH);
    const records = given
      .slice(this.#judged, this.#judged + PAGE_LENGTH)
      .map((found) => (isRecord(found) ? found : null));
    pageExpires().set(
      records.map((found, i) => (!found || isCleared(parts[i].id) ? -NEVER : (found.expires ?? NEVER))),
    );
    pageLives().set(parts.map(({ life }) => life));
    this.#judged += parts.length;
    const isLast = this.#judged === this.parts.length;
    const next = answerPage(step, parts.length, isLast ? 1 : 0);
    if (isLast) this.#judged = 0; // Another attempt reads the records again.
    const expires = pageExpires();
    const verdicts = pageVerdicts();
    parts.forEach((part, i) => {
      part.found = records[i];
      const record = verdicts[i] === Verdict.keep ? records[i] : null;
      part.expires = record && part.keepsExpiry ? (record.expires ?? NEVER) : expires[i];
      part.value = record && record.value;
    });
    return next;
  }

  /**
   * Lets the call choose the new values.
   * @returns {boolean} True if there is anything to change.
   */
  choose() {
    const { NEVER } = this.#core;
    this.changes = [];
    this.values = [];
    // The user's function gets a copy, because the record that was read is what the commit expects.
    for (const part of this.parts) part.value = copyStored(part.value);
    const chosen = this.#choose(this.parts);
    this.parts.forEach(({ id, found = null, expires = NEVER, isUnread, value: old }, i) => {
      const value = expires === -NEVER && chosen[i] !== undefined ? null : chosen[i];
      this.values.push(value === undefined ? old : copyStored(value));
      if (value === undefined) return;
      if (value === null) {
        if (found !== null || isUnread) this.changes.push({ id });
      } else if (
        isUnread ||
        old === null ||
        expires !== (found?.expires ?? NEVER) ||
        !isSameJson(value, found?.value)
      ) {
        this.changes.push({ id, value, expires: expires === NEVER ? null : expires });
      }
    });
    return this.changes.length > 0;
  }

  /**
   * Makes the changes if the records are still the ones that were read.
   * @param {Connection} connection
   * @returns {import("./client.js").Eventually<readonly import("./client.js").Outcome[]>}
   */
  commit(connection) {
    const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
    const expected = this.parts.flatMap(({ id, found = null, isUnread }, i) => {
      if (isUnread) return [];
      return [found === null ? { id, found, other: this.#given[i] } : { id, found }];
    });
    if (client.commit) {
      for (const { id } of this.changes) connection.note(id);
      const reply = client.commit([{ expected, changes: this.changes }], this.now);
      return connection.watching?.madeAll(reply, this.changes, this.isTouch) ?? reply;
    }
    // A client without commit() is synchronous. Only the function that chose the values may have written meanwhile.
    if (!expected.every(({ id, found }) => isUnchanged(client.read(id, "record"), found))) return [false];
    for (const change of this.changes) {
      connection.note(change.id);
      if ("value" in change) client.put(change.id, change.value, change.expires, this.now);
      else client.remove(change.id);
    }
    connection.watching?.madeAll(undefined, this.changes, this.isTouch);
    return [true];
  }

  /** True if the call changes expiries only. */
  get isTouch() {
    return this.name === "touch";
  }

  /** Returns the result of the call. */
  result() {
    return this.#result(this);
  }
}

/**
 * @param {unknown} now
 * @param {StoredRecord | null} found
 */
function isUnchanged(now, found) {
  if (now === found) return true;
  if (!isRecord(now) || !found) return !isRecord(now) && !found;
  return isSameJson(now.value, found.value);
}
