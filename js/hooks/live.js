// The hooks of all frameworks share this module: it follows the value at a key, or the entries of a range.

import { compareTexts } from "../support/range.js";
import { clearTimeout, setTimeout } from "../support/real_timers.js";
import { WRAPPED } from "../support/wrapped.js";
import { isSameJson } from "../values/same_json.js";

/** @typedef {import("../index.d.ts").Store<any>} Store */
/** @typedef {import("../index.d.ts").Range} Range */
/** @typedef {import("../index.d.ts").Change<any>} Change */
/** A snapshot holds the value that a component shows. It is never changed, so that frameworks can compare it. @typedef {{ value: any, loading: boolean, error: any }} Snapshot */

/**
 * How a part of a store is followed.
 * @typedef {object} Part
 * @property {() => import("../index.d.ts").Watcher<any>} watch
 * @property {() => Promise<any>} read
 * @property {(value: any, change: Exclude<Change, { type: "gap" }>) => any} apply Returns the value after a change; the same object if it
 *   is the same value.
 */

/** The observers that have listeners, by their names. @type {WeakMap<object, Map<string, Observer>>} */
const observers = new WeakMap();

/** A part of a store, as a component names it. The components that name the same part share one observer, and so one watcher. */
export class Live {
  /** The observers of the store with all its sub-stores. @type {Map<string, Observer>} */
  #observers;
  #part;

  /**
   * @param {Store} store
   * @param {string} name Identifies the part of the store.
   * @param {Snapshot} first What is shown until the first read ends, and on a server.
   * @param {Part} part
   */
  constructor(store, name, first, part) {
    /** Identifies the store with all its sub-stores. A sub-store may be made anew by each rendering. @type {object} */
    this.home = /** @type {any} */ (store)[WRAPPED]?.life ?? store;
    this.name = name;
    this.first = first;
    this.#part = part;
    this.#observers = observers.get(this.home) ?? new Map();
    observers.set(this.home, this.#observers);
  }

  /** Returns what is to be shown now. Without listeners, that is `first`. */
  now = () => this.#observers.get(this.name)?.snapshot ?? this.first;

  /**
   * Calls a listener after now() has changed, at most once in a task, until the returned function is called.
   * @param {() => void} listener
   */
  subscribe = (listener) => {
    const observer = this.#observers.get(this.name) ?? new Observer(this.#part, this.first, this.#observers, this.name);
    return observer.subscribe(listener);
  };
}

/** Follows a part of a store as long as it has listeners. */
class Observer {
  #part;
  #observers;
  #name;
  /** @type {Set<() => void>} */
  #listeners = new Set();
  /** @type {import("../index.d.ts").Watcher<any> | undefined} */
  #watcher;
  /** @type {any} */
  #timer;

  /**
   * @param {Part} part
   * @param {Snapshot} first
   * @param {Map<string, Observer>} observers It is one of these until it ends.
   * @param {string} name
   */
  constructor(part, first, observers, name) {
    this.#part = part;
    this.snapshot = first;
    this.#observers = observers.set(name, this);
    this.#name = name;
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    const own = () => this.#listeners.has(own) && listener();
    this.#listeners.add(own);
    queueMicrotask(() => this.#beginOrEnd());
    return () => {
      this.#listeners.delete(own);
      queueMicrotask(() => this.#beginOrEnd());
    };
  }

  /**
   * Is called when the framework has mounted and unmounted what it had to: a component that is unmounted at once, as in the strict mode of
   * React and on a server, starts no watcher, and one that takes the place of another keeps the watcher of that.
   */
  #beginOrEnd() {
    if (this.#listeners.size > 0) {
      if (!this.#watcher) this.#follow((this.#watcher = this.#part.watch()));
      return;
    }
    clearTimeout(this.#timer);
    this.#watcher?.close();
    if (this.#observers.get(this.#name) === this) this.#observers.delete(this.#name);
  }

  /** @param {import("../index.d.ts").Watcher<any>} watcher */
  async #follow(watcher) {
    try {
      await this.#read(); // The value is there before the code of watch() is downloaded.
      await watcher.ready;
      await this.#read();
      for await (const change of watcher) {
        const { value, error } = this.snapshot;
        // After an error, the value may be an old one.
        if (change.type === "gap" || error) await this.#read();
        else this.#show(await this.#part.apply(value, change));
      }
    } catch (error) {
      this.#show(this.snapshot.value, error);
    }
  }

  async #read() {
    const { value } = this.snapshot;
    try {
      const found = await this.#part.read();
      this.#show(isSameJson(found, value) ? value : found);
    } catch (error) {
      this.#show(value, error);
    }
  }

  /**
   * @param {any} value
   * @param {unknown} [error]
   */
  #show(value, error = null) {
    const was = this.snapshot;
    if (!was.loading && was.value === value && was.error === error) return;
    this.snapshot = { value, loading: false, error };
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      // A listener that throws must not keep the others from being called.
      for (const listener of this.#listeners) queueMicrotask(listener);
    });
  }
}

/** @type {Snapshot} */
const NO_VALUE = { value: null, loading: true, error: null };
/** @type {Snapshot} */
const NO_ENTRIES = { value: [], loading: true, error: null };

/**
 * @param {Store} store
 * @param {string} key
 */
export function liveValue(store, key) {
  return new Live(store, `value ${typeof key} ${store.PREFIX}${String(key)}`, NO_VALUE, {
    watch: () => store.watch(key),
    read: () => store.get(key),
    apply(value, change) {
      const next = change.type === "set" ? change.value : null;
      return isSameJson(next, value) ? value : next;
    },
  });
}

/**
 * @param {Store} store
 * @param {Range} [range]
 */
export function liveEntries(store, range = {}) {
  const { limit, reverse = false, ...bounds } = range;
  const read = () => store.entries(typeof range === "object" ? { ...range, reverse } : range); // With `reverse`, they are in order.
  return new Live(store, `entries ${JSON.stringify([store.PREFIX, range])}`, NO_ENTRIES, {
    watch: () => store.watch(bounds),
    read,
    // The entries beyond a limit are not known here, so they are read.
    apply: limit === undefined ? (entries, change) => withChange(entries, change, reverse) : read,
  });
}

/**
 * @param {[key: string, value: any][]} entries
 * @param {Exclude<Change, { type: "gap" }>} change
 * @param {boolean} reverse
 */
function withChange(entries, change, reverse) {
  const { key } = change;
  const found = entries.findIndex(([other]) => compareTexts(other, key) * (reverse ? -1 : 1) >= 0);
  const place = found < 0 ? entries.length : found;
  const isThere = entries[place]?.[0] === key;
  if (change.type === "set" ? isThere && isSameJson(entries[place][1], change.value) : !isThere) return entries;
  const changed = [...entries];
  changed.splice(
    place,
    isThere ? 1 : 0,
    ...(change.type === "set" ? [/** @type {[string, any]} */ ([key, change.value])] : []),
  );
  return changed;
}
