// The calls of a batch that change values depending on what is there. protocol.js documents them.

import { isSameJson } from "../values/same_json.js";
import { UNKNOWN } from "./protocol.js";

/** @typedef {import("../server.js").HandledStore} Store */
/** @typedef {import("./protocol.js").Check} Check */
/** @typedef {import("./protocol.js").Write} Write */
/** @typedef {boolean | typeof UNKNOWN} Outcome */
/** @typedef {{ outcome: Promise<Outcome>, until: number }} Made */

/** How long an outcome is remembered, in milliseconds. A client asks again within seconds. */
const KEPT = 5 * 60_000;
/** The maximum number of remembered outcomes. */
const MAX_KEPT = 10_000;

/** Makes the commits of clients that ask again if they get no answer. A commit with the same token is made once. */
export class Commits {
  #store;
  /** The commits by their tokens, the oldest first. @type {Map<string, Made>} */
  #made = new Map();

  /** @param {Store} store */
  constructor(store) {
    this.#store = store;
  }

  /**
   * @param {string} token
   * @param {boolean} isRetry
   * @param {Check[]} checks
   * @param {Write[]} writes
   * @returns {Promise<Outcome>}
   */
  make(token, isRetry, checks, writes) {
    const known = this.#made.get(token);
    if (known) return known.outcome;
    const outcome = isRetry ? retry(this.#store, checks, writes) : commit(this.#store, checks, writes);
    const made = { outcome, until: Infinity };
    const keep = () => void (made.until = Date.now() + KEPT);
    outcome.then(keep, keep);
    this.#forget();
    this.#made.set(token, made);
    return outcome;
  }

  #forget() {
    const now = Date.now();
    for (const [token, { until }] of this.#made) {
      if (until > now && this.#made.size < MAX_KEPT) return;
      this.#made.delete(token);
    }
  }
}

/**
 * Makes a commit that another handler may have made already, for example the one before a restart of the server. If all checks hold,
 * nobody has made it. A key without a check tells nothing, and a check that does not hold may fail because of the commit itself.
 * @param {Store} store
 * @param {Check[]} checks
 * @param {Write[]} writes
 */
async function retry(store, checks, writes) {
  const checked = checks.map(([key]) => key);
  const isChecked = writes.every(([, key]) => checked.includes(key));
  return (isChecked && (await commit(store, checks, writes))) || UNKNOWN;
}

/**
 * @param {Store} store
 * @param {Check[]} checks
 * @param {Write[]} writes
 * @returns {Promise<boolean>}
 */
async function commit(store, checks, writes) {
  const versions = checks.some(isOfValue) ? await versionsOf(store, checks) : /** @type {any[]} */ (checks);
  if (versions === null) return false;
  return store.batch([...versions.map(([key, version]) => ["check", key, version]), ...writes.map(toWrite)]);
}

/** @param {Check} check */
const isOfValue = ([, expected]) => typeof expected === "object" && expected !== null;

/**
 * Replaces the values that are expected by versions.
 * @param {Store} store
 * @param {Check[]} checks
 * @returns {Promise<[string, string | null][] | null>} Null if another value is there.
 */
async function versionsOf(store, checks) {
  let holds = true;
  const versions = checks.map(async ([key, expected]) => {
    if (typeof expected !== "object" || expected === null) return [key, expected];
    const entry = await store.entry(key);
    holds &&= entry !== null && isSameJson(entry.value, expected.value);
    return [key, entry && entry.version];
  });
  const all = /** @type {[string, string | null][]} */ (await Promise.all(versions));
  return holds ? all : null;
}

/**
 * @param {Write} write
 * @returns {any}
 */
function toWrite(write) {
  if (write[0] === "del") return write;
  const [, key, value, expires] = write;
  return ["set", key, value, expires === "keep" ? { renew: false } : { expires }];
}

/** @param {unknown[]} call */
export function isCommit([, token, isRetry, checks, writes]) {
  return (
    typeof token === "string" &&
    token.length <= 64 &&
    typeof isRetry === "boolean" &&
    isListOf(checks, isCheck) &&
    isListOf(writes, isWrite)
  );
}

/**
 * @param {unknown} items
 * @param {(item: any[]) => boolean} fits
 */
const isListOf = (items, fits) => Array.isArray(items) && items.every((item) => Array.isArray(item) && fits(item));

/** @param {any[]} check */
const isCheck = ([key, expected]) =>
  typeof key === "string" &&
  (expected === null || typeof expected === "string" || (typeof expected === "object" && "value" in expected));

/** @param {any[]} write */
const isWrite = ([name, key]) => (name === "set" || name === "del") && typeof key === "string";
