import { Trait } from "./core.js";

/** @typedef {import("./client.js").Client} Client */

/**
 * A clear(): its prefix, and the sequence of the connection when it began and when it ended.
 * @typedef {{ prefix: string, began: number, ended: number }} Clearing
 */

/** What keys are remembered at most for an iteration that nobody goes on with. */
const MOST_WRITTEN = 10_000;

/** Calls that began between one close() and the next. @typedef {{ pending: number, end?: () => void }} Round */

/** An open client, and what is under way on it; shared by every store that wraps the client. */
export class Connection {
  /** Operations that wait for the client; a close() is not counted, as it waits for them. */
  pending = 0;
  /** Iterations that are open, and may have read what is written meanwhile. */
  streams = 0;
  /** Settles with the close() under way, or done. @type {Promise<void> | null} */
  closing = null;
  /** Grows with every write and clear() while something is pending, so that what came after a read can be told. */
  sequence = 0;
  /** The sequence of the latest write to each key, as long as anything is pending. @type {Map<string, number>} */
  written = new Map();
  /** The clear() calls that were under way since nothing was pending. @type {Clearing[]} */
  clearings = [];
  /** What was read before this sequence, nobody knows whether it was written to since. */
  forgotten = 0;
  /** @type {Round} */
  #round = { pending: 0 };
  /** When the calls of all earlier rounds have ended. @type {Promise<void> | undefined} */
  #ended;

  /** @param {Client} client */
  constructor(client) {
    const { type, copies, can } = client.traits;
    this.client = client;
    this.type = type;
    this.copies = copies;
    /** The core's traits of the client, and whether it was closed. */
    this.traits = can.reduce((traits, ability) => traits | Trait[ability], 0);
  }

  get closed() {
    return (this.traits & Trait.closed) !== 0;
  }

  /** Lets nothing begin any more; resolves when nothing is pending. */
  drain() {
    this.traits |= Trait.closed;
    return this.pending === 0 ? undefined : this.turn();
  }

  /** Resolves when the calls that are pending now have ended. */
  turn() {
    const round = this.#round;
    this.#round = { pending: 0 };
    const ended = round.pending > 0 && new Promise((resolve) => (round.end = () => resolve(undefined)));
    return (this.#ended = Promise.all([this.#ended, ended]).then(() => {}));
  }

  /**
   * Hides from the calls that are made until it ends what a clear() has still to remove.
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
   * Remembers that a key is written, where that could come between what somebody read and what he does about it.
   * @param {string} id
   */
  note(id) {
    if (this.pending === 0 && this.streams === 0) return;
    this.#forget();
    this.written.set(id, ++this.sequence);
  }

  /** Says that an operation waits for the client. */
  enter() {
    ++this.pending;
    ++this.#round.pending;
    return this.#round;
  }

  /** Says that it ended. @param {Round} round */
  settle(round) {
    --this.pending;
    if (--round.pending === 0) round.end?.();
    this.#forget();
  }

  /** Says that one iteration ended. */
  endStream() {
    --this.streams;
    this.#forget();
  }

  #forget() {
    if (this.pending > 0) return;
    // Whoever iterates over what was read before then evicts nothing of it.
    if (this.streams > 0 && this.written.size + this.clearings.length < MOST_WRITTEN) return;
    this.forgotten = this.sequence;
    // Clearing an empty Map allocates as much as a call does in all.
    if (this.written.size > 0) this.written.clear();
    if (this.clearings.length > 0) this.clearings = [];
  }
}
