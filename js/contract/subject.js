// What the contract is run against: a library over one kind of storage.

/**
 * The clock that replaces `Date.now` while a case runs.
 * @typedef {object} Clock
 * @property {number} now Milliseconds since the epoch.
 * @property {(ms: number) => void} advance
 */

/**
 * What became of a part of the contract: it holds; or the storage refused it as the subject says; or this kind of client does not
 * owe it.
 * @typedef {"held" | "refused" | "skipped"} Verdict
 */

/**
 * Whatever of `type`, `managesExpiry`, `identity`, `dropsExpired`, `lists`, `ownKeys`, `atomic` and `isTransactional` is undefined is
 * told from the client when it was opened: see traits.js.
 * @typedef {object} Subject
 * @property {(...args: any[]) => any} kv The library.
 * @property {string} name
 * @property {string} [type] What `store.type` says.
 * @property {() => any} open A client over a fresh and empty storage, or a promise of one.
 * @property {(client: any) => void | Promise<void>} [close] Releases what `open` took.
 * @property {(client: any) => any} [reopen] Another client over the same storage, or a promise of one, where `close()` of a
 *   store ends the client for good. It releases the old one.
 * @property {Clock} clock
 * @property {Readonly<Record<string, string>>} refuses The awkward properties that the storage refuses, and with which code.
 * @property {readonly string[]} [differs] Those that it takes, and then does otherwise than the cases say.
 * @property {boolean} [managesExpiry] The client is given values and seconds, and not records.
 * @property {boolean} [lists] The client can list what it holds.
 * @property {boolean} [identity] Values go in and come out as they are, unchecked and uncopied.
 * @property {boolean} [dropsExpired] The storage itself drops what expires, so prune() finds nothing left.
 * @property {boolean} [ownKeys] The client chooses the keys of add().
 * @property {import("../core/client.js").Atomicity} [atomic] What `store.atomic` says.
 * @property {boolean} [isTransactional] Several keys can be changed as a whole.
 * @property {boolean} [watches] False if changes cannot be watched. True by default.
 * @property {(client: any) => any} [second] Another client over the same storage, or a promise of one, which works beside the first; `close` releases it.
 * @property {boolean} [hearsOthers] False if a watcher hears nothing of what `second` changes. True by default.
 * @property {(client: any) => string[] | Promise<string[]>} [held] The full keys of all that the storage holds, expired or not.
 * @property {(client: any, key: string, json: string) => any} [putJson] Stores a value at a key as another program does, given
 *   as JSON.
 * @property {(client: any) => any} [putForeign] Puts data of other code into the storage.
 * @property {readonly string[]} [foreignKeys] Under which keys that lies.
 * @property {(client: any, key: string) => boolean | Promise<boolean>} [holdsForeign] Whether it is still there.
 */

/** @returns {Clock} */
export function makeClock() {
  return {
    now: 0,
    advance(ms) {
      this.now += ms;
    },
  };
}

/** How long a case or a behaviour may take. They take milliseconds; some, on slow storages, seconds. */
const PATIENCE = 30000;

/**
 * Gives up on what never ends; a promise that nobody keeps would end the whole run of tests otherwise.
 * @template Result
 * @param {Promise<Result>} running
 * @param {string} what
 * @returns {Promise<Result>}
 */
export async function inTime(running, what, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${patience} ms`)), patience);
  });
  try {
    return await /** @type {Promise<Result>} */ (Promise.race([running, late]));
  } finally {
    clearTimeout(timer);
  }
}

/**
 * Runs something while `Date.now` is a subject's clock. It starts at the present, for a browser drops what it takes to
 * be past; and at a whole second, which is as fine as cookies tell the time.
 * @template Result
 * @param {Subject} subject
 * @param {() => Promise<Result>} run
 * @returns {Promise<Result>}
 */
export async function withClock({ clock, name }, run) {
  const realNow = Date.now;
  clock.now = Math.ceil(Math.max(realNow(), clock.now) / 1000) * 1000;
  Date.now = () => clock.now;
  try {
    return await inTime(run(), `what runs on ${name}`);
  } finally {
    Date.now = realNow;
  }
}
