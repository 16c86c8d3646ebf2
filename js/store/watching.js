// watch(), which a page downloads when it is called for the first time. index.d.ts documents it.

import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";
import { BOUNDS } from "../support/range.js";
import { WatchHub } from "../core/watch_hub.js";
import { Watcher } from "./watcher.js";

/** @typedef {import("../core/connection.js").Connection} Connection */
/** @typedef {import("../core/client.js").Reach} Reach */

/**
 * What watch() needs of the store. The functions come from the bundle of the store, which must exist once.
 * @typedef {object} Host
 * @property {Connection} connection
 * @property {import("./store.js").Life} life
 * @property {string} prefix
 * @property {number | undefined} timeout
 * @property {Pick<typeof import("../core/driver.js"), "answerOf">} driver
 * @property {Pick<typeof import("../core/core.js"), "Ask">} core
 * @property {typeof import("./options.js").keyText} keyText
 * @property {typeof import("./options.js").readBounds} readBounds
 */

const OPTIONS = ["signal", "initial", "reach"];

/**
 * @param {Host} host
 * @param {any[]} args
 * @returns {Watcher}
 * @throws {PolystoreError} ERR_CLOSED, ERR_KEY or ERR_OPTIONS.
 */
export function watch(host, args) {
  const { connection, life, prefix } = host;
  const isListening = args.findIndex((arg) => typeof arg === "function");
  const listener = args[isListening];
  const [where, options] = isListening === 0 ? [undefined, args[1]] : args.filter((arg) => typeof arg !== "function");
  if (connection.closed)
    throw new PolystoreError(
      "ERR_CLOSED",
      `The ${connection.type} store was closed. Wrap its client with kv() again to watch it.`,
    );
  const { signal, initial: isInitial = false, reach: required = "process" } = readOptions(options);
  const place = placeOf(host, where);
  if (place.key !== undefined) connection.client.checkKey?.(place.key);
  const watchers = watchersOf(life);
  const close = () => watcher.end();
  const watcher = new Watcher(
    { connection, prefix, ...place, isInitial, required, read: readerOf(host) },
    hubOf(connection),
    () => {
      watchers.delete(watcher);
      signal?.removeEventListener("abort", close);
    },
  );
  watchers.add(watcher);
  signal?.addEventListener("abort", close);
  if (signal?.aborted) close();
  if (listener) hand(watcher, listener);
  return watcher;
}

/**
 * @param {any} options
 * @returns {{ signal?: AbortSignal, initial?: boolean, reach?: Reach }}
 * @throws {PolystoreTypeError} ERR_OPTIONS
 */
function readOptions(options = {}) {
  if ({}.toString.call(options) !== "[object Object]") throw wrong("The options of watch() are", options, "an object");
  for (const name of Object.keys(options))
    if (!OPTIONS.includes(name))
      throw new PolystoreTypeError(
        "ERR_OPTIONS",
        `watch() has no option ${show(name)}. The options are ${OPTIONS.map(show).join(", ")}.`,
      );
  const { signal, initial, reach } = options;
  if (signal !== undefined && typeof signal?.addEventListener !== "function")
    throw wrong("signal is", signal, "an AbortSignal");
  if (![undefined, true, false].includes(initial)) throw wrong("initial is", initial, "true or false");
  if (![undefined, "process", "origin", "storage"].includes(reach))
    throw wrong("reach is", reach, '"process", "origin" or "storage"');
  return options;
}

/**
 * @param {string} what
 * @param {unknown} value
 * @param {string} expected
 */
function wrong(what, value, expected) {
  return new PolystoreTypeError("ERR_OPTIONS", `${what} ${show(value)}; it must be ${expected}.`);
}

/**
 * @param {Host} host
 * @param {any} where The key or the range that the user passed.
 * @returns {{ key?: string, range: import("../core/client.js").Range }}
 */
function placeOf({ prefix, keyText, readBounds }, where) {
  if (where !== undefined && where !== null && typeof where !== "object") {
    const key = prefix + keyText(where);
    return { key, range: { prefix: key, lte: key } };
  }
  const option = OPTIONS.find((name) => name in Object(where));
  if (option)
    throw new PolystoreTypeError(
      "ERR_OPTIONS",
      `watch() was called with ${option} in the range, which comes before the options. For the whole store, call watch(undefined, { ${option}: … }).`,
    );
  const { limit, reverse, ...bounds } = readBounds(where);
  if (limit !== undefined || reverse !== undefined)
    throw new PolystoreTypeError(
      "ERR_OPTIONS",
      "watch() was called with limit or reverse; a watched range has neither.",
    );
  /** @type {any} */
  const range = { prefix };
  for (const name of BOUNDS) {
    const bound = /** @type {any} */ (bounds)[name];
    if (bound !== undefined) range[name] = prefix + bound;
  }
  return { range };
}

/** @param {Connection} connection */
function hubOf(connection) {
  // Another copy of this package may have made it.
  return connection.watching && "join" in connection.watching
    ? /** @type {WatchHub} */ (connection.watching)
    : new WatchHub(connection);
}

/** The watchers of each kv(), which end with it. @type {WeakMap<import("./store.js").Life, Set<Watcher>>} */
const watchersOfLives = new WeakMap();

/** @param {import("./store.js").Life} life */
function watchersOf(life) {
  const known = watchersOfLives.get(life);
  if (known) return known;
  /** @type {Set<Watcher>} */
  const watchers = new Set();
  watchersOfLives.set(life, watchers);
  const { onClose } = life;
  life.onClose = () => {
    onClose?.();
    for (const watcher of watchers) watcher.end(true);
  };
  return watchers;
}

/**
 * Makes the function that reads a record from the client.
 * @param {Host} host
 */
function readerOf({ connection, timeout, core, driver }) {
  const { client } = connection;
  const task = /** @type {any} */ ({});
  let tellsExpiry = true;
  const read = async (/** @type {string} */ id) => {
    const reply = client.read(id, tellsExpiry ? "record" : undefined);
    return driver.answerOf(connection, task, core.Ask.read, reply, timeout);
  };
  return async (/** @type {string} */ id) => {
    const round = connection.enter();
    try {
      return await read(id);
    } catch (error) {
      if (!tellsExpiry || /** @type {any} */ (error)?.code !== "ERR_UNSUPPORTED") throw error;
      tellsExpiry = false; // For example, a custom client that manages expiry does not tell when a record expires.
      return await read(id);
    } finally {
      connection.settle(round);
    }
  };
}

/**
 * Calls a listener with each change until the watcher ends.
 * @param {Watcher} watcher
 * @param {(change: import("./watcher.js").Change) => unknown} listener
 */
async function hand(watcher, listener) {
  try {
    for (;;) {
      const { done, value } = await watcher.next();
      if (done) return;
      try {
        listener(value);
      } catch (error) {
        report(error);
      }
    }
  } catch {
    // The store was closed, or `ready` has rejected with the same error.
  }
}

/**
 * Reports an error of the user's function as the platform reports one that nobody caught.
 * @param {unknown} error
 */
function report(error) {
  if (typeof reportError === "function") reportError(error);
  else
    queueMicrotask(() => {
      throw error;
    });
}
