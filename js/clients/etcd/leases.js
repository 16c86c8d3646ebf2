// Leases: etcd removes expired records through them. A record is attached to a lease that lasts at least as long as the record, and at
// most 12.5 % longer, in whole seconds. So records with similar expiries share a lease, and there are few leases.

import { Date, performance } from "../../support/real_timers.js";

/** The longest lease that etcd grants, in seconds: 285 years. */
const MAX_LIFE = 9_000_000_000;

/** A lease: both clocks when it was requested, and its life from then on, in seconds. @typedef {{ id: Promise<string>, wall: number, steady: number, life: number }} Lease */

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
   * @returns {Promise<string | undefined>} The id of a lease that lasts at least this long; undefined if etcd grants no such lease.
   */
  async lasting(seconds) {
    if (seconds > MAX_LIFE) return undefined;
    const life = Math.min(Math.max(1, Math.ceil((seconds * 9) / 8)), MAX_LIFE);
    const shared = this.#leases.find((lease) => isWithin(rest(lease), seconds, life));
    if (shared) return shared.id;
    const lease = { id: this.#grant(life), wall: Date.now(), steady: performance.now(), life };
    // Before it is granted, so that calls meanwhile share it.
    this.#leases = [...this.#leases.filter((other) => rest(other) > 0), lease];
    lease.id.catch(() => (this.#leases = this.#leases.filter((other) => other !== lease)));
    return lease.id;
  }

  /** Forgets all leases, so that later records get new ones. */
  forget() {
    this.#leases = [];
  }
}

/**
 * Returns the minimum time that a lease still lasts, in seconds. The wall clock may be set back, and the steady clock may stop while
 * the machine sleeps. An overestimate would let etcd remove a record too early, so the larger elapsed time counts.
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
