/**
 * @param {any} value
 * @returns {value is PromiseLike<any>}
 */
export function isPromise(value) {
  return typeof value === "object" && value !== null && typeof value.then === "function";
}

/**
 * Waits for an answer, but not for ever.
 * @template Answer
 * @param {(resolve: (answer: Answer | PromiseLike<Answer>) => void, reject: (error: unknown) => void) => void} ask
 * @param {number | undefined} timeout In milliseconds; 0 or undefined is for ever.
 * @param {(error: Error) => unknown} onLate Called when it is not waited for any more: gives the error to reject with.
 * @returns {Promise<Answer>}
 */
export function inTime(ask, timeout, onLate) {
  return new Promise((resolve, reject) => {
    const isLate = () => {
      const message = `there was no answer within ${Number(timeout) / 1000} s, the store's timeout; it may be done`;
      reject(onLate(new Error(message)));
    };
    const timer = timeout ? setTimeout(isLate, timeout) : undefined;
    /** @type {<Result>(settle: (result: Result) => void) => (result: Result) => void} */
    const inTime = (settle) => (result) => {
      clearTimeout(timer);
      settle(result);
    };
    ask(inTime(resolve), inTime(reject));
  });
}
