/**
 * Identifies the request that a Worker is answering: the signal was made during that request, and no other request may use it. On
 * other platforms, all code shares one signal.
 * @type {AbortSignal | undefined}
 */
let present;

/** Returns the signal that identifies the request which is being answered. */
export function presentRequest() {
  if (!present || !isPresent(present)) present = new AbortController().signal;
  return present;
}

/**
 * Tells whether a signal identifies the request that is being answered.
 * @param {AbortSignal} request
 */
export function isPresent(request) {
  try {
    return !request.aborted; // It is never aborted. In a Worker, using a signal of another request throws.
  } catch {
    return false;
  }
}
