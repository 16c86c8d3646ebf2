// What our own storages promise beyond the contract that js/contract.js ships.

import { runBehaviour } from "../../js/contract/behaviours/behaviour.js";
import { inTime } from "../../js/contract/subject.js";
import { batchConnections, connections } from "./behaviours/connections.js";
import { custom } from "./behaviours/custom.js";
import { foreign } from "./behaviours/foreign.js";
import { opening } from "./behaviours/opening.js";
import { inCookies, inMap, inStorage, storedJson } from "./behaviours/stored.js";
import { timeout } from "./behaviours/timeout.js";
import { unheardOthers, watchingOthers } from "./behaviours/watching_others.js";

/**
 * Lists the behaviours of a subject that depend on what its storage is.
 * @param {import("../../js/contract/subject.js").Subject} subject
 */
export function ownBehavioursOf(subject) {
  const { type, putForeign, putJson, second, hearsOthers = true, isTransactional } = subject;
  const behaviours = {
    ...(putForeign ? foreign : {}),
    ...(putJson ? storedJson : {}),
    ...(second ? { ...connections, ...(hearsOthers ? watchingOthers : unheardOthers) } : {}),
    ...(second && isTransactional ? batchConnections : {}),
    ...(type === "MEMORY" ? inMap : {}),
    ...(type === "STORAGE" ? inStorage : {}),
    ...(type === "COOKIE" ? inCookies : {}),
  };
  return Object.entries(behaviours).map(([name, behaviour]) => ({
    name,
    run: () => runBehaviour(behaviour, subject),
  }));
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
