import { contract } from "../../dist/contract.js";
import { ownBehavioursOf } from "./behaviours.js";

/**
 * Lists everything that a subject is tested for: the contract, from the file that is shipped, and what is true of its storage
 * alone.
 * @param {import("../../js/contract/subject.js").Subject} subject
 * @returns {import("../../js/contract.js").ContractCase[]}
 */
export function allCasesOf(subject) {
  const { putForeign, foreignKeys, holdsForeign, putJson, second, hearsOthers, ...options } = subject;
  return [
    ...contract(/** @type {import("../../js/contract.js").ContractOptions} */ (options)),
    ...ownBehavioursOf(subject),
  ];
}
