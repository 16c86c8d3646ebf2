/** The lock of a log. The worker that holds it is the owner of the log. @param {string} name */
export const ownerLock = (name) => `polystore-wasm:${name}`;

/** The lock that a page's worker holds as long as it runs. @param {string} name @param {number} session */
export const workerLock = (name, session) => `polystore-wasm:${name}:${session}`;

/** The channel from the pages to the owner, and from an owner to all pages. @param {string} name */
export const ownerChannel = (name) => new BroadcastChannel(`polystore-wasm:${name}`);

/** The channel on which the owner answers one page. @param {string} name @param {number} session */
export const pageChannel = (name, session) => new BroadcastChannel(`polystore-wasm:${name}:${session}`);
