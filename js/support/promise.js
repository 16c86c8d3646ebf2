import { ticks } from "#ticks";
import { clearTimeout, setTimeout } from "./real_timers.js";

/**
 * @param {any} value
 * @returns {value is PromiseLike<any>}
 */
export function isPromise(value) {
  return typeof value === "object" && value !== null && typeof value.then === "function";
}

/**
 * Waits for an answer, but not for ever: neither longer than the timeout, nor for what a fake process.nextTick() has stopped.
 * @template Answer
 * @param {(resolve: (answer: Answer | PromiseLike<Answer>) => void, reject: (error: unknown) => void) => void} ask
 * @param {number | undefined} timeout In milliseconds; 0 or undefined is for ever.
 * @param {(error: Error) => unknown} onLate Called when it is not waited for any more: gives the error to reject with.
 * @returns {Promise<Answer>}
 */
export function inTime(ask, timeout, onLate) {
  return new Promise((resolve, reject) => {
    const giveUp = (/** @type {string} */ message) => reject(onLate(new Error(message)));
    const isLate = () =>
      giveUp(`there was no answer within ${Number(timeout) / 1000} s, the store's timeout; it may be done`);
    const timer = timeout ? setTimeout(isLate, timeout) : undefined;
    const stopWatching = ticks?.areFake() ? ticks.whenReal(giveUp) : undefined;
    /** @type {<Result>(settle: (result: Result) => void) => (result: Result) => void} */
    const inTime = (settle) => (result) => {
      clearTimeout(timer);
      stopWatching?.();
      settle(result);
    };
    ask(inTime(resolve), inTime(reject));
  });
}
