import { Trait } from "./core.js";

/** @typedef {import("./client.js").Client} Client */

/**
 * A clear(): its prefix, and the sequence of the connection when it began and ended.
 * @typedef {{ prefix: string, began: number, ended: number }} Clearing
 */

/** The maximum number of written keys that are remembered for an iteration that the user may have dropped. */
const MAX_WRITTEN = 10_000;

/** The calls that began between one close() and the next. @typedef {{ pending: number, end?: () => void }} Round */

/** An open client with its pending calls; all stores that wrap the client share it. */
export class Connection {
  /** The number of operations that wait for the client. It does not include close(), which waits for the others. */
  pending = 0;
  /** The number of open iterations. They may have read records that are being written now. */
  streams = 0;
  /** Settles like the close() that is pending or done. @type {Promise<void> | null} */
  closing = null;
  /** Grows with every write and clear() while a call is pending, which tells whether a write came after a read. */
  sequence = 0;
  /** The sequence of the latest write to each key since the last moment without pending calls. @type {Map<string, number>} */
  written = new Map();
  /** The changes of each key that wait for a pending one. @type {Map<string, import("./change_group.js").Waiting[]>} */
  changing = new Map();
  /** The clear() calls since the last moment without pending calls. @type {Clearing[]} */
  clearings = [];
  /** For a read before this sequence, it is unknown whether its key was written afterwards. */
  forgotten = 0;
  /** Receives the changes that are made through this connection; null if nobody wants to know. @type {import("../support/telling.js").Telling | null} */
  watching;
  /** @type {Round} */
  #round = { pending: 0 };
  /** Resolves when the calls of all earlier rounds have ended. @type {Promise<void> | undefined} */
  #ended;

  /** @param {Client} client */
  constructor(client) {
    const { type, copies, can, atomic, isTransactional } = client.traits;
    this.client = client;
    this.watching = client.telling ?? null;
    this.type = type;
    this.copies = copies;
    /** The traits of the client as bits of the core's `Trait`, and the bit `closed`. */
    this.traits = can.reduce((traits, ability) => traits | Trait[ability], 0);
    if (atomic !== "none") this.traits |= Trait.compares | (isTransactional ? Trait.transactions : 0);
  }

  get closed() {
    return (this.traits & Trait.closed) !== 0;
  }

  /** Keeps new calls from starting. Resolves when no call is pending; returns undefined if none is. */
  drain() {
    this.traits |= Trait.closed;
    this.watching?.end();
    return this.pending === 0 ? undefined : this.turn();
  }

  /** Starts a new round. Resolves when the calls that are pending now have ended. */
  turn() {
    const round = this.#round;
    this.#round = { pending: 0 };
    const ended = round.pending > 0 && new Promise((resolve) => (round.end = () => resolve(undefined)));
    return (this.#ended = Promise.all([this.#ended, ended]).then(() => {}));
  }

  /**
   * Begins a clear(): calls that are made before it ends do not see the records that it has yet to remove.
   * @param {string} prefix
   * @returns {Clearing}
   */
  beginClearing(prefix) {
    const clearing = { prefix, began: ++this.sequence, ended: Infinity };
    this.clearings.push(clearing);
    return clearing;
  }

  /** @param {Clearing} clearing */
  endClearing(clearing) {
    clearing.ended = ++this.sequence;
  }

  /**
   * Remembers a write, if a pending call or an open iteration may have read the key before and act on that later.
   * @param {string} id
   */
  note(id) {
    if (this.pending === 0 && this.streams === 0) return;
    this.#forget();
    this.written.set(id, ++this.sequence);
  }

  /** Counts an operation that begins to wait for the client. Returns its round, for settle(). */
  enter() {
    ++this.pending;
    ++this.#round.pending;
    return this.#round;
  }

  /** Counts the end of an operation. @param {Round} round The result of enter(). */
  settle(round) {
    --this.pending;
    if (--round.pending === 0) round.end?.();
    this.#forget();
  }

  /** Counts the end of an iteration. */
  endStream() {
    --this.streams;
    this.#forget();
  }

  #forget() {
    if (this.pending > 0) return;
    // Beyond MAX_WRITTEN, the writes are forgotten; an iteration then does not remove expired records that it read before.
    if (this.streams > 0 && this.written.size + this.clearings.length < MAX_WRITTEN) return;
    this.forgotten = this.sequence;
    // Clearing an empty Map allocates as much memory as a whole call.
    if (this.written.size > 0) this.written.clear();
    if (this.clearings.length > 0) this.clearings = [];
  }
}
