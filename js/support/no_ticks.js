/** @type {typeof import("./fake_ticks.js").ticks} */
export const ticks = null;
