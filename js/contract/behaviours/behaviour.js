import { withClock } from "../subject.js";
import { toldOf, upToListing } from "../traits.js";

/** @typedef {import("../subject.js").Subject} Subject */
/** @typedef {import("../subject.js").Verdict} Verdict */

/**
 * What a behaviour is run with: a client over an empty storage, and a store over that.
 * @typedef {object} Scene
 * @property {import("../traits.js").ToldSubject} subject
 * @property {(...args: any[]) => any} kv
 * @property {any} client
 * @property {any} store
 * @property {(ms: number) => void} advance
 * @property {number} many How many records the storage surely holds, up to some thousands.
 */

/** A promise that JSON cannot express. It returns what became of it, if it was not held. @typedef {(scene: Scene) => void | Promise<void | Verdict>} Behaviour */
/** Named behaviours. @typedef {Record<string, Behaviour>} Behaviours */

/**
 * @param {Behaviour} behaviour
 * @param {Subject} subject
 * @param {(subject: Subject) => boolean} [isOwed] Whether this kind of client owes it.
 * @returns {Promise<Verdict>} Rejects where the contract is broken.
 */
export function runBehaviour(behaviour, subject, isOwed = () => true) {
  return withClock(subject, async () => {
    const { kv, clock, refuses } = subject;
    const client = await subject.open();
    try {
      const told = toldOf(subject, client);
      if (!isOwed(told)) return /** @type {const} */ ("skipped");
      const many = "many records" in refuses ? 50 : 1500;
      const scene = {
        subject: told,
        kv,
        client,
        store: kv(client),
        advance: (/** @type {number} */ ms) => clock.advance(ms),
        many,
      };
      const run = async () => behaviour(scene);
      return (await upToListing(told, run)) ?? "held";
    } finally {
      await subject.close?.(client);
    }
  });
}
