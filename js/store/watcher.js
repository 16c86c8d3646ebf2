import { clientError, PolystoreError } from "../support/errors.js";
import { MAYBE, PUT, REMOVED, TOUCHED } from "../support/hint.js";
import { isRecord } from "../support/record.js";
import { isInRange } from "../support/range.js";
import { Schedule } from "../support/schedule.js";
import { copyStored } from "../values/plain.js";
import { fingerprintOf } from "./fingerprint.js";

/** @typedef {import("../core/connection.js").Connection} Connection */
/** @typedef {import("../core/watch_hub.js").WatchHub} WatchHub */
/** @typedef {import("../core/client.js").Range} Range */
/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */
/** @typedef {{ type: "set", key: string, value: any } | { type: "del" | "expire", key: string } | { type: "gap" }} Change */

/** What a watcher knows of a record: its expiry and, if values are compared, its value. @typedef {{ expires: number | null, print: number | undefined }} Known */
/** What waits at a key: the largest hint, the last expiry, and the record if it was read already. @typedef {{ hint: number, expires?: number | null, record?: StoredRecord }} Pending */

/**
 * @typedef {object} Subject
 * @property {Connection} connection
 * @property {string} prefix The prefix of the store, which the keys of changes lack.
 * @property {Range} range
 * @property {string} [key] The full key, if only one is watched.
 * @property {boolean} isInitial
 * @property {import("../core/client.js").Reach} required The least reach.
 * @property {(id: string) => any} read Reads a record from the client.
 */

/** The changes of one key or of a range. It keeps one entry for each key that changed and was not handed over yet. */
export class Watcher {
  /** Whose changes are heard; null until that is known. @type {import("../core/client.js").Reach | null} */
  reach = null;
  /** Resolves when every later change is heard. @type {Promise<void>} */
  ready;
  #subject;
  #hub;
  /** The keys whose change was not handed over yet, in the order of their first one. @type {Map<string, Pending>} */
  #pending = new Map();
  /** The records that are there as far as this watcher has said. @type {Map<string, Known>} */
  #known = new Map();
  /** True if `known` has all records that were there when watching began. */
  #knowsAll = false;
  #compares = false;
  #hasGap = false;
  /** Settles when what is there has been read again after a gap. Until then nothing is handed over: whoever gets the gap may read at once. */
  #learning = Promise.resolve();
  /** @type {Schedule} */
  #schedule = new Schedule((id) => this.mark(id, TOUCHED));
  #wake = () => {};
  /** Settles when the last next() has its change. @type {Promise<unknown>} */
  #turn = Promise.resolve();
  #hasEnded = false;
  /** The error that the next call of next() rejects with. @type {unknown} */
  #failure;
  #onEnd;
  /** The pass over the storage that is under way, and whether another one has to follow it. */
  #isComparing = false;
  #mustCompare = false;

  /**
   * @param {Subject} subject
   * @param {WatchHub} hub
   * @param {() => void} onEnd
   */
  constructor(subject, hub, onEnd) {
    this.#subject = subject;
    this.#hub = hub;
    this.#onEnd = onEnd;
    this.ready = this.#begin(hub.join(this)).catch((error) => {
      const failure = this.#hasEnded
        ? closedError(subject.connection)
        : clientError(`${subject.connection.type} watch()`, error);
      this.#end(failure);
      throw failure;
    });
    this.ready.catch(() => {}); // Whoever iterates gets the error from next().
  }

  get key() {
    return this.#subject.key;
  }

  get range() {
    return this.#subject.range;
  }

  /**
   * Receives a hint that a key has changed.
   * @param {string} id
   * @param {number} hint
   * @param {number | null} [expires]
   */
  mark(id, hint, expires) {
    const pending = this.#pending.get(id);
    if (pending) {
      pending.hint = Math.max(pending.hint, hint);
      if (hint >= REMOVED || expires !== undefined) pending.expires = expires;
      pending.record = undefined;
    } else {
      this.#pending.set(id, { hint, expires });
    }
    this.#wake();
  }

  /**
   * Receives a hint that all records with a prefix were removed.
   * @param {string} prefix
   */
  markAll(prefix) {
    for (const id of [...this.#known.keys(), ...this.#pending.keys()])
      if (id.startsWith(prefix)) this.mark(id, REMOVED);
  }

  /** Receives a hint that some changes were not heard. */
  gap() {
    this.#hasGap = true;
    // From here on, changes are told in comparison with what is there now.
    this.#learning = this.#learn(false).catch(() => {
      this.#knowsAll = false; // The user's own reads will show the error.
    });
    this.#wake();
  }

  /** Receives a hint that any record may have changed. */
  async compare() {
    if (this.#isComparing) {
      this.#mustCompare = true;
      return;
    }
    this.#isComparing = true;
    try {
      do {
        this.#mustCompare = false;
        await this.#comparePass();
      } while (this.#mustCompare && !this.#hasEnded);
    } catch {
      this.gap(); // The user's own reads will show the error.
    } finally {
      this.#isComparing = false;
    }
  }

  /** Returns the next change. */
  next() {
    const result = this.#turn.then(() => this.#take());
    this.#turn = result.catch(() => {});
    return result;
  }

  /**
   * Ends the watcher.
   * @param {boolean} [isStoreClosed] True if next() has to reject, because the store was closed.
   */
  end(isStoreClosed = false) {
    this.#end(isStoreClosed ? closedError(this.#subject.connection) : undefined);
  }

  /** @param {unknown} failure */
  #end(failure) {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#failure = failure;
    this.#hub.leave(this);
    this.#schedule.end();
    this.#pending.clear();
    this.#known.clear();
    this.#onEnd();
    this.#wake();
  }

  /** @param {Promise<import("../core/client.js").Watch>} joining */
  async #begin(joining) {
    const { connection, required, isInitial } = this.#subject;
    const { reach, compares = false } = await joining;
    requireReach(connection.type, reach, required);
    this.#compares = compares;
    this.reach = reach;
    await this.#learn(isInitial);
    if (this.#hasEnded) throw this.#failure;
  }

  /**
   * Reads what is there.
   * @param {boolean} isInitial True if it is to be handed over as well.
   */
  async #learn(isInitial) {
    /** @type {Map<string, StoredRecord>} */
    const found = new Map();
    this.#knowsAll = await this.#scan(isInitial || this.#compares ? "entries" : "keys", (id, record) =>
      found.set(id, record),
    );
    if (isInitial && !this.#knowsAll)
      throw new PolystoreError(
        "ERR_UNSUPPORTED",
        `The ${this.#subject.connection.type} client cannot list its records, so the option initial is for one key only.`,
      );
    if (this.#hasEnded) return;
    for (const id of [...this.#known.keys()]) if (!found.has(id)) this.#forget(id);
    for (const [id, record] of found) {
      if (!isInitial) this.#remember(id, record);
      else if (!this.#pending.has(id)) this.#pending.set(id, { hint: PUT, record });
    }
    if (isInitial) this.#wake();
  }

  async #comparePass() {
    const seen = new Set();
    await this.#scan("entries", (id, record) => {
      seen.add(id);
      const known = this.#known.get(id);
      if (!known || known.expires !== record.expires || known.print !== fingerprintOf(record.value))
        this.mark(id, MAYBE);
    });
    for (const id of this.#known.keys()) if (!seen.has(id)) this.mark(id, MAYBE);
  }

  /**
   * Goes through the records that are watched and have not expired.
   * @param {import("../core/client.js").Wanted} wanted
   * @param {(id: string, record: StoredRecord) => void} visit
   * @returns {Promise<boolean>} False if the client cannot list.
   */
  async #scan(wanted, visit) {
    const { connection, key, range, read } = this.#subject;
    const visitFound = (/** @type {string} */ id, /** @type {unknown} */ found) => {
      if (isLive(found)) visit(id, found);
    };
    if (key !== undefined) {
      visitFound(key, await read(key));
      return true;
    }
    const { client } = connection;
    const { can } = client.traits;
    if (!can.includes("list")) return false;
    const round = connection.enter();
    try {
      for await (const { ids, found } of pagesOf(/** @type {Required<typeof client>} */ (client).scan(range, wanted))) {
        // The listing of a client that manages expiry does not tell when a record expires.
        const isComplete = !can.includes("manages_expiry") || connection.copies === "identity";
        const records = isComplete ? found : await Promise.all(ids.map(read));
        for (const [i, id] of ids.entries()) if (isInRange(id, range)) visitFound(id, records[i]);
        if (this.#hasEnded) break;
      }
    } finally {
      connection.settle(round);
    }
    return true;
  }

  /** @returns {Promise<IteratorResult<Change, undefined>>} */
  async #take() {
    if (this.reach === null && !this.#hasEnded) await this.ready;
    for (;;) {
      for (let learning; learning !== this.#learning;) await (learning = this.#learning);
      if (this.#failure !== undefined) {
        const failure = this.#failure;
        this.#failure = undefined;
        throw failure;
      }
      if (this.#hasEnded) return { done: true, value: undefined };
      const change = this.#hasGap ? this.#takeGap() : await this.#takeFirst();
      if (change && !this.#hasEnded) return { done: false, value: change };
    }
  }

  /** @returns {Change} */
  #takeGap() {
    this.#hasGap = false;
    return { type: "gap" };
  }

  /** @returns {Promise<Change | undefined>} Undefined if there is no change after all. */
  async #takeFirst() {
    for (const [id, pending] of this.#pending) {
      this.#pending.delete(id);
      try {
        return this.#changeAt(id, pending, pending.record ?? (await this.#subject.read(id)));
      } catch {
        this.#hasGap = true; // The user's own reads will show the error.
        return undefined;
      }
    }
    await new Promise((resolve) => (this.#wake = () => resolve(undefined)));
    return undefined;
  }

  /**
   * Compares what is at a key with what was there.
   * @param {string} id
   * @param {Pending} pending
   * @param {unknown} found
   * @returns {Change | undefined}
   */
  #changeAt(id, { hint, ...pending }, found) {
    const { connection, prefix } = this.#subject;
    const key = id.slice(prefix.length);
    const was = this.#known.get(id);
    if (isLive(found)) {
      const { print } = this.#remember(id, found);
      const isSame = was && (print === undefined ? hint === TOUCHED : print === was.print);
      if (hint < REMOVED && isSame) return undefined;
      return { type: "set", key, value: connection.copies === "both" ? copyStored(found.value) : found.value };
    }
    this.#forget(id);
    if (!was && (hint < REMOVED || (hint === REMOVED && this.#knowsAll))) return undefined;
    const expires = isRecord(found) ? found.expires : (pending.expires ?? was?.expires ?? null);
    return { type: expires !== null && expires <= Date.now() ? "expire" : "del", key };
  }

  /**
   * @param {string} id
   * @param {StoredRecord} record
   */
  #remember(id, { expires, value }) {
    const was = this.#known.get(id);
    const known = { expires, print: this.#compares ? fingerprintOf(value) : undefined };
    this.#known.set(id, known);
    if (was?.expires === expires) return known;
    this.#unschedule(id, was);
    if (expires !== null) this.#schedule.add(id, expires);
    return known;
  }

  /** @param {string} id */
  #forget(id) {
    this.#unschedule(id, this.#known.get(id));
    this.#known.delete(id);
  }

  /**
   * @param {string} id
   * @param {Known | undefined} known
   */
  #unschedule(id, known) {
    if (known && known.expires !== null) this.#schedule.remove(id, known.expires);
  }
}

/**
 * Tells whether something found in a storage is a record that has not expired.
 * @param {unknown} found
 * @returns {found is StoredRecord}
 */
const isLive = (found) => isRecord(found) && (found.expires === null || found.expires > Date.now());

/**
 * Makes an iterable of the pages of a client.
 * @param {Iterator<import("../core/client.js").Page> | AsyncIterator<import("../core/client.js").Page>} pages
 */
async function* pagesOf(pages) {
  try {
    for (;;) {
      const { done, value } = await pages.next();
      if (done) return;
      yield value;
    }
  } finally {
    await pages.return?.();
  }
}

const REACHES = ["process", "origin", "storage"];

/**
 * @param {string} type
 * @param {import("../core/client.js").Reach} reach
 * @param {import("../core/client.js").Reach} required
 * @throws {PolystoreError} ERR_UNSUPPORTED
 */
function requireReach(type, reach, required) {
  if (REACHES.indexOf(reach) >= REACHES.indexOf(required)) return;
  const message = `The option reach is "${required}", but watchers of ${type} only hear changes of the same ${reach}. Use another storage, or require less.`;
  throw new PolystoreError("ERR_UNSUPPORTED", message);
}

/** @param {Connection} connection */
function closedError({ type }) {
  return new PolystoreError("ERR_CLOSED", `The ${type} store was closed. Wrap its client with kv() again to watch it.`);
}
