import { withClock } from "../subject.js";

/** @typedef {import("../subject.js").Subject} Subject */

/**
 * What a behaviour is run with: a client over an empty storage, and a store over that.
 * @typedef {object} Scene
 * @property {Subject} subject
 * @property {(...args: any[]) => any} kv
 * @property {any} client
 * @property {any} store
 * @property {(ms: number) => void} advance
 * @property {number} many How many records the storage surely holds, up to some thousands.
 */

/** A promise that JSON cannot say. @typedef {(scene: Scene) => void | Promise<void>} Behaviour */
/** Named behaviours. @typedef {Record<string, Behaviour>} Behaviours */

/**
 * @param {Behaviour} behaviour
 * @param {Subject} subject
 */
export function runBehaviour(behaviour, subject) {
  return withClock(subject, async () => {
    const { kv, clock, refuses } = subject;
    const client = await subject.open();
    try {
      const many = "many records" in refuses ? 50 : 1500;
      await behaviour({ subject, kv, client, store: kv(client), advance: (ms) => clock.advance(ms), many });
    } finally {
      await subject.close?.(client);
    }
  });
}
