/** @typedef {import("./check.js").Call} Call */
/** @typedef {import("./traits.js").ToldSubject} ToldSubject */

/** The methods that compare and change in one step. */
const ATOMIC = ["entry", "update", "incr", "setIfAbsent", "cas", "take", "touch", "batch"];

/**
 * Tells whether a storage can make a call. If not, the call fails with ERR_UNSUPPORTED.
 * @param {ToldSubject} subject
 * @param {Call} call
 */
export function canMake({ atomic, isTransactional, managesExpiry }, call) {
  if (call.call === "ttl") return !managesExpiry;
  const isSliding = call.call === "get" && call.through?.some((derivation) => "sliding" in derivation);
  if (!isSliding && !ATOMIC.includes(call.call)) return true;
  return atomic !== "none" && (isTransactional || countKeys(call) < 2);
}

/**
 * Counts the keys that a call changes.
 * @param {Call} call
 */
function countKeys({ call, args: [first] = [] }) {
  if (call === "update" && Array.isArray(first)) return new Set(first).size;
  if (call !== "batch") return 1;
  const keys = first.map((/** @type {any[]} */ [, key, , options]) => JSON.stringify([options?.prefix, key]));
  return new Set(keys).size;
}
