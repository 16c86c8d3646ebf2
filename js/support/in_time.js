import { ticks } from "#ticks";
import { clearTimeout, setTimeout } from "./real_timers.js";

/**
 * Waits for an answer, but not longer than the timeout, nor for an answer that a fake process.nextTick() has stopped.
 * @template Answer
 * @param {(resolve: (answer: Answer | PromiseLike<Answer>) => void, reject: (error: unknown) => void) => void} ask
 * @param {number | undefined} timeout In milliseconds; 0 or undefined means no limit.
 * @param {(error: Error) => unknown} onLate Called when the wait ends without an answer. It returns the error to reject with.
 * @returns {Promise<Answer>}
 */
export function inTime(ask, timeout, onLate) {
  return new Promise((resolve, reject) => {
    const stopWaiting = (/** @type {string} */ message) => reject(onLate(new Error(message)));
    const onTimeout = () =>
      stopWaiting(`no answer within ${Number(timeout) / 1000} s, the store's timeout; the call may still take effect`);
    const timer = timeout ? setTimeout(onTimeout, timeout) : undefined;
    const stopWatching = ticks?.areFake() ? ticks.whenReal(stopWaiting) : undefined;
    /** @type {<Result>(settle: (result: Result) => void) => (result: Result) => void} */
    const inTime = (settle) => (result) => {
      clearTimeout(timer);
      stopWatching?.();
      settle(result);
    };
    ask(inTime(resolve), inTime(reject));
  });
}
