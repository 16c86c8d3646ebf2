// The platform's own timers and clocks, taken when this module is evaluated: with the package, before a test can replace them.
//
// sinon and Jest replace the global ones, and those of node:timers, by some that stand still. What a store needs to go on takes
// these; whether a record has expired is for the test to say, so that is asked of the global Date.

export const { clearInterval, clearTimeout, Date, performance, setInterval, setTimeout } = globalThis;
const { setImmediate } = globalThis;

/**
 * Resolves after a time.
 * @param {number} delay In milliseconds.
 */
export const sleep = (delay) => new Promise((resolve) => setTimeout(resolve, delay));

/** Resolves when the calls of this turn, and input that was waiting, have been served. Servers only. */
export const pause = () => new Promise((resolve) => setImmediate(resolve));
