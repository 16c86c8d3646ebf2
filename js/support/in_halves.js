/**
 * Performs calls together. If they fail for a reason that may concern one of them only, performs each half on its own, and so on, so that
 * a bad call does not make the others fail.
 * @template Call
 * @param {Call[]} calls
 * @param {(calls: Call[]) => Promise<unknown>} perform Settles the calls, or rejects before it has settled any.
 * @param {(error: unknown) => boolean} mayConcernOne
 * @param {(call: Call, error: unknown) => void} [fail] Settles a call that failed.
 * @returns {Promise<unknown>} Resolves once each call was performed or has failed.
 */
export function inHalves(calls, perform, mayConcernOne, fail = reject) {
  return perform(calls).catch(async (error) => {
    if (calls.length === 1 || !mayConcernOne(error)) return calls.forEach((call) => fail(call, error));
    const middle = calls.length >> 1;
    await inHalves(calls.slice(0, middle), perform, mayConcernOne, fail);
    await inHalves(calls.slice(middle), perform, mayConcernOne, fail);
  });
}

/**
 * @param {any} call
 * @param {unknown} error
 */
function reject(call, error) {
  call.reject(error);
}
