/**
 * What stands for the request that a Worker is answering: an object that no other request may touch. Elsewhere all code has
 * one in common.
 * @type {AbortSignal | undefined}
 */
let present;

/** What stands for the request that is being answered. */
export function presentRequest() {
  if (!present || !isPresent(present)) present = new AbortController().signal;
  return present;
}

/**
 * Whether a request is the one that is being answered.
 * @param {AbortSignal} request
 */
export function isPresent(request) {
  try {
    return !request.aborted; // Nobody aborts it; in a Worker, looking at one of another request throws.
  } catch {
    return false;
  }
}
