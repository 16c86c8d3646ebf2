// The platform's own timers and clocks. This module takes them while the package loads, before a test can replace them.
//
// sinon and Jest replace the global timers, and those of node:timers, by timers that stand still. A store uses the real ones for its own
// work. Whether a record has expired is decided by the global Date, so that a test can control it.

export const { clearInterval, clearTimeout, Date, performance, setInterval, setTimeout } = globalThis;
const { setImmediate } = globalThis;

/**
 * Resolves after a delay.
 * @param {number} delay In milliseconds.
 */
export const sleep = (delay) => new Promise((resolve) => setTimeout(resolve, delay));

/** Resolves after the calls of this turn of the event loop and the input that was waiting are handled. It works on servers only. */
export const pause = () => new Promise((resolve) => setImmediate(resolve));
