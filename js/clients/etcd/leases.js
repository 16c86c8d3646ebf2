// Leases, by which etcd removes what has expired. A record is attached to one that lasts at least as long as the record
// does, and at most an eighth longer, in whole seconds; so the records of some time share one, and there are few of them.

import { Date, performance } from "../../support/real_timers.js";

/** What etcd grants at most, in seconds: 285 years. */
const LONGEST = 9_000_000_000;

/** A lease, with the two clocks and its life in seconds from then on. @typedef {{ id: string, wall: number, steady: number, life: number }} Lease */

export class Leases {
  #grant;
  /** @type {Lease[]} */
  #leases = [];

  /** @param {(seconds: number) => Promise<string>} grant Resolves with the id of a new lease. */
  constructor(grant) {
    this.#grant = grant;
  }

  /**
   * @param {number} seconds
   * @returns {Promise<string | undefined>} The id of a lease that lasts so long, if etcd has leases as long as that.
   */
  async lasting(seconds) {
    if (seconds > LONGEST) return undefined;
    const life = Math.min(Math.max(1, Math.ceil((seconds * 9) / 8)), LONGEST);
    const shared = this.#leases.find((lease) => isWithin(rest(lease), seconds, life));
    if (shared) return shared.id;
    const lease = { id: "", wall: Date.now(), steady: performance.now(), life };
    lease.id = await this.#grant(life);
    this.#leases = [...this.#leases.filter((other) => rest(other) > 0), lease];
    return lease.id;
  }

  /** Shares none of them any more. */
  forget() {
    this.#leases = [];
  }
}

/**
 * How long a lease lasts at least. Of the clocks, one may be set back, and the other may stand still while the machine
 * sleeps: a lease that is thought longer than it is would take a record before its time.
 * @param {Lease} lease
 */
function rest({ wall, steady, life }) {
  return life - Math.max(Date.now() - wall, performance.now() - steady) / 1000;
}

/**
 * @param {number} value
 * @param {number} least
 * @param {number} most
 */
function isWithin(value, least, most) {
  return least <= value && value <= most;
}
