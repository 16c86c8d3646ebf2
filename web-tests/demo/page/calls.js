// Everything that the page does to a store.

import { literal } from "./code.js";

/** @typedef {import("./polystore/index.js").Store} Store */
/** @typedef {import("./polystore/index.js").Expires} Expires */
/** @typedef {import("./deadlines.js").Deadlines} Deadlines */

/**
 * A call that is the same for every storage.
 * @typedef {object} Call
 * @property {string} code As it is shown.
 * @property {(store: Store) => Promise<unknown>} run The same, to be run.
 * @property {(deadlines: Deadlines) => Promise<unknown>} [follow] What the countdowns have to learn of it afterwards.
 */

/**
 * @param {string} key
 * @param {unknown} value
 * @param {Expires} expires
 * @param {string} [code] How the value was written, if not as it reads.
 * @returns {Call}
 */
export function set(key, value, expires, code = literal(value)) {
  const options = expires === null ? "" : `, { expires: ${literal(expires)} }`;
  return {
    code: `set(${literal(key)}, ${code}${options})`,
    run: (store) => store.set(key, value, { expires }),
    follow: (deadlines) => deadlines.note(key, expires),
  };
}

/**
 * @param {string} key
 * @returns {Call}
 */
export function get(key) {
  return { code: `get(${literal(key)})`, run: (store) => store.get(key) };
}

/**
 * @param {string} key
 * @returns {Call}
 */
export function del(key) {
  return {
    code: `del(${literal(key)})`,
    run: (store) => store.del(key),
    follow: (deadlines) => deadlines.forget(key),
  };
}

/** @returns {Call} */
export function clear() {
  return { code: "clear()", run: (store) => store.clear(), follow: (deadlines) => deadlines.forgetAll() };
}

/**
 * All of them at once, and each for a little longer than the one before, so that they go one by one.
 * @param {import("./countries.js").Country[]} countries
 * @returns {Call}
 */
export function cache(countries) {
  const entries = countries.map(({ cca2, name, capital }, i) => ({
    key: `country:${cca2}`,
    value: { name: name.common, capital: capital[0] },
    expires: `${10 + 5 * i} s`,
  }));
  return {
    code: `set("country:${countries[0].cca2}", …), and ${countries.length - 1} more`,
    run: (store) => Promise.all(entries.map(({ key, value, expires }) => store.set(key, value, { expires }))),
    follow: (deadlines) => Promise.all(entries.map(({ key, expires }) => deadlines.note(key, expires))),
  };
}

/** Calls that cannot succeed, or not everywhere, by the name of their button. @type {Record<string, () => Call>} */
export const mistakes = {
  expires: () => set("note", "back in a minute", "soon"),
  date: () => set("born", { year: new Date(1815, 11, 10) }, null, "{ year: new Date(1815, 11, 10) }"),
  large: () => set("large", "x".repeat(6_000_000), "20 s", '"x".repeat(6_000_000)'),
};
