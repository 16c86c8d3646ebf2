// The promises that JSON cannot express: about identity, time within one tick, and errors.

import { runBehaviour } from "./behaviour.js";
import { calls } from "./calls.js";
import {
  atomicChanges,
  atomicity,
  changesOfSeveralKeys,
  refusedChanges,
  refusedChangesOfSeveralKeys,
} from "./changes.js";
import { iteration } from "./iteration.js";
import { keys } from "./keys.js";
import { leftInStorage } from "./left_in_storage.js";
import { random } from "./random.js";
import { ranges } from "./ranges.js";
import { together } from "./together.js";
import { anyValues, copiedValues, identicalValues } from "./values.js";
import { unwatched, watched, watchedBatches, watchedChanges, watchedExpiry } from "./watch.js";

/** @typedef {import("../subject.js").Subject} Subject */
/** @typedef {import("./behaviour.js").Behaviours} Behaviours */
/**
 * Behaviours, and whether a subject owes them. A trait that is undefined is not known before the client is opened; then the
 * question is asked again.
 * @typedef {[behaviours: Behaviours, isOwed: (subject: Subject) => boolean]} Group
 */

/** @type {Group[]} */
const GROUPS = [
  [{ ...calls, ...keys, ...anyValues, ...iteration, ...together, ...random, ...ranges, ...atomicity }, () => true],
  [atomicChanges, ({ atomic }) => atomic !== "none"],
  [refusedChanges, ({ atomic }) => atomic === undefined || atomic === "none"],
  [changesOfSeveralKeys, ({ isTransactional }) => isTransactional !== false],
  [refusedChangesOfSeveralKeys, ({ atomic, isTransactional }) => atomic !== "none" && !isTransactional],
  [copiedValues, ({ identity, managesExpiry }) => !identity && !managesExpiry],
  [identicalValues, ({ identity }) => identity !== false],
  [unwatched, ({ watches }) => watches === false],
  [watched, ({ watches }) => watches !== false],
  [watchedExpiry, ({ watches, managesExpiry }) => watches !== false && !managesExpiry],
  [watchedChanges, ({ watches, atomic }) => watches !== false && atomic !== "none"],
  [watchedBatches, ({ watches, isTransactional }) => watches !== false && isTransactional !== false],
  [leftInStorage, ({ held, dropsExpired, managesExpiry }) => held !== undefined && !dropsExpired && !managesExpiry],
];

/**
 * Lists the behaviours that a subject may owe.
 * @param {Subject} subject
 */
export function behavioursOf(subject) {
  return GROUPS.filter(([, isOwed]) => isOwed(subject)).flatMap(([behaviours, isOwed]) =>
    Object.entries(behaviours).map(([name, behaviour]) => ({
      name,
      run: () => runBehaviour(behaviour, subject, isOwed),
    })),
  );
}
