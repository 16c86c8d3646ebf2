import { Custom } from "../clients/custom.js";

/** @typedef {import("./subject.js").Subject} Subject */
/** A subject whose client was opened, so that nothing of it is unknown. @typedef {Subject & Required<Pick<Subject, Told>>} ToldSubject */
/** @typedef {"type" | "managesExpiry" | "identity" | "dropsExpired" | "lists" | "ownKeys" | "atomic" | "isTransactional"} Told */

/**
 * Completes a subject with what its client says of itself. `kv()` goes by the same code.
 * @param {Subject} subject
 * @param {any} client
 * @returns {ToldSubject}
 */
export function toldOf(subject, client) {
  const { type, can, atomic, isTransactional } = new Custom(typeof client === "function" ? new client() : client)
    .traits;
  const managesExpiry = subject.managesExpiry ?? can.includes("manages_expiry");
  return {
    ...subject,
    type: subject.type ?? type,
    managesExpiry,
    identity: subject.identity ?? managesExpiry,
    dropsExpired: subject.dropsExpired ?? (managesExpiry && !can.includes("sweeps_expired")),
    lists: subject.lists ?? can.includes("list"),
    ownKeys: subject.ownKeys ?? can.includes("add"),
    atomic: subject.atomic ?? atomic,
    isTransactional: subject.isTransactional ?? isTransactional,
  };
}

/**
 * Runs a part of the contract. A client that cannot list has kept the contract when it comes to a listing, and the store
 * says that there is none.
 * @template Outcome
 * @param {ToldSubject} subject
 * @param {() => Promise<Outcome>} run
 * @returns {Promise<Outcome | "refused">}
 */
export async function upToListing({ lists }, run) {
  try {
    return await run();
  } catch (error) {
    const { code, cause } = /** @type {any} */ (error);
    if (lists || (code ?? cause?.code) !== "ERR_UNSUPPORTED") throw error;
    return "refused";
  }
}
