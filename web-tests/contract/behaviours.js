// The promises that JSON cannot say: about identity, time within one tick, and errors.

import { calls } from "./behaviours/calls.js";
import { custom } from "./behaviours/custom.js";
import { iteration } from "./behaviours/iteration.js";
import { keys } from "./behaviours/keys.js";
import { opening } from "./behaviours/opening.js";
import { random } from "./behaviours/random.js";
import { inCookies, inMap, inStorage, leftInStorage, storedJson } from "./behaviours/stored.js";
import { foreign, together } from "./behaviours/together.js";
import { timeout } from "./behaviours/timeout.js";
import { inTime } from "./subject.js";
import { anyValues, copiedValues, identicalValues } from "./behaviours/values.js";

export { runBehaviour } from "./behaviours/behaviour.js";

/** @typedef {import("./subject.js").Subject} Subject */

/**
 * The behaviours that a subject has to show.
 * @param {Subject} subject
 * @returns {import("./behaviours/behaviour.js").Behaviours}
 */
export function behavioursOf({ type, identity, held, dropsExpired, putForeign, putJson }) {
  return {
    ...calls,
    ...keys,
    ...anyValues,
    ...(identity ? identicalValues : copiedValues),
    ...iteration,
    ...together,
    ...random,
    ...(held && !dropsExpired ? leftInStorage : {}),
    ...(putForeign ? foreign : {}),
    ...(putJson ? storedJson : {}),
    ...(type === "MEMORY" ? inMap : {}),
    ...(type === "STORAGE" ? inStorage : {}),
    ...(type === "COOKIE" ? inCookies : {}),
  };
}

/** The behaviours of the library that need no storage of a subject. */
export const libraryBehaviours = { ...opening, ...custom, ...timeout };

/**
 * @param {(typeof libraryBehaviours)[string]} behaviour
 * @param {import("./behaviours/opening.js").Library} library
 */
export function runLibraryBehaviour(behaviour, library) {
  return inTime((async () => behaviour(library))(), "what the library does");
}
