/** The lock of a log: who has it is its owner. @param {string} name */
export const ownerLock = (name) => `polystore-wasm:${name}`;

/** The lock that a page's worker has as long as it runs. @param {string} name @param {number} session */
export const workerLock = (name, session) => `polystore-wasm:${name}:${session}`;

/** Where pages speak to the owner, and owners to all pages. @param {string} name */
export const ownerChannel = (name) => new BroadcastChannel(`polystore-wasm:${name}`);

/** Where the owner answers a page. @param {string} name @param {number} session */
export const pageChannel = (name, session) => new BroadcastChannel(`polystore-wasm:${name}:${session}`);
