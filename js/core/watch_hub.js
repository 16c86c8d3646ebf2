import { isInRange } from "../support/range.js";
import { Telling } from "../support/telling.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./client.js").Reach} Reach */
/** @typedef {import("../store/watcher.js").Watcher} Watcher */

/** The watchers of a connection. They hear the connection's own changes, and those of others from its client. */
export class WatchHub extends Telling {
  /** The watchers of one key each, by their keys. @type {Map<string, Set<Watcher>>} */
  #byKey = new Map();
  /** The watchers of ranges, by the prefix of their range. @type {Map<string, Set<Watcher>>} */
  #byPrefix = new Map();
  /** The lengths of those prefixes. A key is looked up once for each length, however many watchers there are. @type {number[]} */
  #lengths = [];
  #connection;
  /** Tells others of our changes, if the storage does not do that. @type {Telling | null} */
  #outward;
  /** @type {Promise<import("./client.js").Watch> | null} */
  #watch = null;

  /** @param {Connection} connection */
  constructor(connection) {
    super();
    this.#connection = connection;
    this.#outward = connection.watching;
    connection.watching = this;
  }

  /**
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   */
  tell(id, hint, expires) {
    this.#outward?.tell(id, hint, expires);
    this.#mark(id, hint, expires);
  }

  /** @param {string} prefix */
  tellAll(prefix) {
    this.#outward?.tellAll(prefix);
    for (const watcher of this.#all()) watcher.markAll(prefix);
  }

  /** Ends all watchers, because the connection closes. */
  end() {
    for (const watcher of this.#all()) watcher.end(true);
  }

  /**
   * Adds a watcher, which hears this connection's own changes from now on.
   * @param {Watcher} watcher
   * @returns {Promise<import("./client.js").Watch>} What the client says of others' changes; resolves when those are heard, too.
   */
  join(watcher) {
    const [watchers, name] = this.#placeOf(watcher);
    watchers.set(name, (watchers.get(name) ?? new Set()).add(watcher));
    this.#measure();
    return (this.#watch ??= this.#begin());
  }

  /** @param {Watcher} watcher */
  leave(watcher) {
    const [watchers, name] = this.#placeOf(watcher);
    const same = watchers.get(name);
    if (same?.delete(watcher) && same.size === 0) watchers.delete(name);
    this.#measure();
    if (this.#byPrefix.size + this.#byKey.size > 0) return;
    this.#watch?.then(({ close }) => close()).catch(() => {}); // If watching was refused, there is nothing to close.
    this.#watch = null;
    if (this.#connection.watching === this) this.#connection.watching = this.#outward;
  }

  /**
   * @param {Watcher} watcher
   * @returns {[Map<string, Set<Watcher>>, string]}
   */
  #placeOf({ key, range }) {
    return key === undefined ? [this.#byPrefix, range.prefix] : [this.#byKey, key];
  }

  #measure() {
    this.#lengths = [...new Set(Array.from(this.#byPrefix.keys(), (prefix) => prefix.length))];
  }

  /** Returns what the client said of others' changes, or begins to watch them. */
  async #begin() {
    const { client } = this.#connection;
    if (!client.watch) return { reach: /** @type {const} */ ("process"), close() {} };
    return client.watch({
      changed: (id, hint, expires) => this.#mark(id, hint, expires),
      compare: () => {
        for (const watcher of this.#all()) watcher.compare();
      },
      cleared: (prefix) => {
        for (const watcher of this.#all()) watcher.markAll(prefix);
      },
      gap: () => {
        for (const watcher of this.#all()) watcher.gap();
      },
    });
  }

  /**
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   */
  #mark(id, hint, expires) {
    const watchers = this.#byKey.get(id);
    if (watchers) for (const watcher of watchers) watcher.mark(id, hint, expires);
    for (const length of this.#lengths)
      for (const watcher of this.#byPrefix.get(id.slice(0, length)) ?? [])
        if (isInRange(id, watcher.range)) watcher.mark(id, hint, expires);
  }

  #all() {
    return [...this.#byPrefix.values(), ...this.#byKey.values()].flatMap((watchers) => [...watchers]);
  }
}
