import { clientError } from "../../support/errors.js";
import { Engine } from "../../engine/engine.js";
import { ownerChannel, pageChannel } from "./names.js";
import { Maintenance } from "../../engine/maintenance.js";
import { moveIn } from "./move_in.js";
import { PUT, REMOVED, TOUCHED } from "../../support/hint.js";
import { isSameRecord } from "../../support/record.js";

/** @typedef {import("./protocol.d.ts").Request} Request */
/** @typedef {import("./protocol.d.ts").Answer} Answer */
/** @typedef {import("./protocol.d.ts").Failure} Failure */
/** @typedef {import("./opfs_files.js").OpfsFiles} OpfsFiles */
/** @typedef {import("./protocol.d.ts").CommitItem} CommitItem */
/** @typedef {import("../../support/told.js").Told} Told */
/** @typedef {(answer: Answer | import("./protocol.d.ts").Notice, transfer?: Transferable[]) => void} SendAnswer */

/** How long the recorded result of a session is kept if its page ended without a message, in milliseconds. */
const RESULTS_KEPT = 24 * 60 * 60 * 1000;
/** The session under which an owner records its term. */
const OWNER_SESSION = 0;
/** The number of records in a page of an iteration. The pages of a whole listing are limited by their bytes only. */
const PAGE_LENGTH = 512;
const ALL = 2 ** 32 - 1;

/**
 * @typedef {object} Surroundings
 * @property {string} name Of the log.
 * @property {number} session The page that the owner belongs to.
 * @property {boolean} yields True if the log must be handed over to a worker that can open its files synchronously.
 * @property {(report: import("./protocol.d.ts").Announcement) => void} send Sends a message to that page.
 * @property {() => void} release Ends the owner.
 */

/** The owner of a log: has the log open, and serves the requests of all pages. */
export class Owner {
  #surroundings;
  #files;
  #engine;
  #maintenance;
  #term;
  #channel;
  /** @type {Map<number, BroadcastChannel>} */
  #pages = new Map();
  /** The sequence of the last refused request of each page. @type {Map<number, number>} */
  #refusals = new Map();
  /** The pages that watch. @type {Map<number, SendAnswer>} */
  #watchers = new Map();
  #hasEnded = false;

  /**
   * @param {Surroundings} surroundings
   * @param {OpfsFiles} files
   */
  static async begin(surroundings, files) {
    const engine = new Engine(files, surroundings.name);
    await moveIn(surroundings.name, engine, () => files.commit());
    return new Owner(surroundings, files, engine);
  }

  /**
   * @param {Surroundings} surroundings
   * @param {OpfsFiles} files
   * @param {Engine} engine
   */
  constructor(surroundings, files, engine) {
    this.#surroundings = surroundings;
    this.#files = files;
    this.#engine = engine;
    // A term must never repeat. The clock alone may go back, and the recorded term alone may be lost with the log; both at once
    // are not expected.
    this.#term = Math.max(Date.now(), (engine.recordedResult(OWNER_SESSION, 0) ?? 0) + 1);
    try {
      engine.removeOldResults(Date.now() - RESULTS_KEPT);
      engine.recordResult(OWNER_SESSION, 0, this.#term);
      engine.apply();
    } catch (error) {
      // On full storage the term cannot be recorded. Reads and removals still work, so go on; only a clock that goes back could
      // now repeat a term.
      if (describe(error).code !== "ERR_QUOTA") throw error;
    }
    this.#maintenance = new Maintenance(engine, { sync: async (file) => files.sync(file), pause });
    this.#channel = ownerChannel(surroundings.name);
    this.#channel.onmessage = ({ data }) => {
      if (data.isQuestion) this.announce();
      else if (data.isAble && surroundings.yields) surroundings.release();
      else if (data.kind) this.serve(data, (answer) => this.#page(data.session).postMessage(answer));
    };
    this.announce();
  }

  announce() {
    const { session, yields, send } = this.#surroundings;
    this.#channel.postMessage({ term: this.#term, session, yields });
    send({ term: this.#term });
  }

  /**
   * @param {Request} request
   * @param {SendAnswer} sendAnswer
   */
  async serve(request, sendAnswer) {
    if (request.term !== this.#term) return; // The page will get our announcement, and send the request again.
    const { session, sequence, acknowledged } = request;
    const refusal = this.#refusals.get(session) ?? 0;
    if (sequence > refusal && acknowledged < refusal) return; // The page will get that refusal, and send the request again.
    try {
      if (request.kind === "list") return await this.#list(request, sendAnswer);
      if (request.kind === "watch") return this.#watch(request, sendAnswer);
      const result = this.#perform(request);
      if (request.kind !== "read") {
        if (request.isStrict) await this.#maintenance.flush();
        const committing = this.#files.commit();
        if (committing) await committing.catch(this.#whenNotCommitted);
      }
      sendAnswer({ sequence, result });
    } catch (error) {
      const failure = describe(error);
      // If the measurement fails, the files keep the earlier number.
      if (failure.code === "ERR_QUOTA") this.#files.measureRoom().catch(() => {});
      sendAnswer({ sequence, error: failure, isRefusal: this.#refusals.get(session) === sequence });
    }
    if (request.kind === "end") this.#endPage(session);
  }

  /** Writes everything that is not written yet, and closes the log. */
  async end() {
    this.#hasEnded = true;
    this.#channel.close();
    for (const session of [...this.#pages.keys()]) this.#endPage(session);
    try {
      await this.#maintenance.end();
      await this.#files.commit();
    } finally {
      this.#files.end();
    }
  }

  /** The engine now holds changes that its files lack, so this owner ends: the next owner reads the files. @param {unknown} error */
  #whenNotCommitted = (error) => {
    this.#surroundings.release();
    throw error;
  };

  /**
   * Sends a listing page by page, because all values together may not fit into memory. Other requests run between two pages.
   * @param {Extract<Request, { kind: "list" }>} request
   * @param {SendAnswer} sendAnswer
   */
  async #list({ sequence, attempt, range, isPage, withValues }, sendAnswer) {
    const engine = this.#engine;
    const scan = engine.scan(range);
    try {
      for (let moreFollow = true; moreFollow;) {
        const page = engine.next(scan, isPage ? PAGE_LENGTH : ALL, withValues);
        moreFollow = !isPage && !page.isLast;
        sendAnswer({ sequence, attempt, page, moreFollow }, [page.buffer]);
        if (moreFollow) await pause();
        if (this.#hasEnded) return; // The page requests the whole listing again from the next owner.
      }
    } finally {
      if (!this.#hasEnded) engine.endScan(scan);
    }
  }

  /**
   * @param {Extract<Request, { kind: "watch" }>} request
   * @param {SendAnswer} sendAnswer
   */
  #watch({ session, sequence, isWatching }, sendAnswer) {
    if (isWatching) this.#watchers.set(session, sendAnswer);
    else this.#watchers.delete(session);
    sendAnswer({ sequence, result: undefined });
  }

  /** @param {Exclude<Request, { kind: "list" | "watch" }>} request */
  #perform(request) {
    const engine = this.#engine;
    switch (request.kind) {
      case "read":
        return request.items.flatMap((key) => {
          const text = engine.getText(key);
          return text === undefined ? [null, null] : [text, engine.expires()];
        });
      case "write": {
        const write = () => {
          engine.write(request.items);
          return 0;
        };
        return this.#change(request, write, () => toldOf({ expected: [], changes: request.items }));
      }
      case "commit": {
        /** @type {CommitItem[]} */
        const made = [];
        return this.#change(
          request,
          () => this.#commit(request.items, made),
          () => made.flatMap(toldOf),
        );
      }
      case "sweep": {
        const { range, until } = request;
        // Whoever watches a record that expires knows when.
        return this.#change(
          request,
          () => engine.sweep(range, until),
          () => (until === null ? [[range.prefix]] : []),
        );
      }
      case "end":
        engine.removeResult(request.session);
        engine.apply();
        return undefined;
    }
  }

  /**
   * Adds the commits whose expectations hold to the batch. They come from several calls, so a commit may expect what an earlier one
   * has put or removed.
   * @param {CommitItem[]} commits
   * @param {CommitItem[]} made Gets the commits whose expectations hold.
   * @returns {number} One bit for each commit.
   */
  #commit(commits, made) {
    /** The records that the earlier commits of this message leave at their keys; null if they remove the record. @type {Map<string, import("../../support/record.js").StoredRecord | null>} */
    const changed = new Map();
    let bits = 0;
    for (const [i, commit] of commits.entries()) {
      const { expected, changes } = commit;
      const isMade = expected.every((one) => {
        const now = changed.get(one.id);
        return now === undefined ? this.#engine.isExpected(one) : isSameRecord(now, one.found);
      });
      if (!isMade) continue;
      bits += 2 ** i;
      made.push(commit);
      for (let j = 0; j < changes.length; j += 3) {
        const [id, text, expires] = /** @type {any[]} */ (changes.slice(j, j + 3));
        changed.set(id, text === null ? null : { expires, value: text, version: text });
      }
    }
    this.#engine.write(made.flatMap(({ changes }) => changes));
    return bits;
  }

  /**
   * Makes a change, and records its result in the same batch. If a retried change is recorded already, returns the recorded result.
   * @param {Request} request
   * @param {() => number} prepare Adds the change to the batch, and returns its result.
   * @param {() => Told[]} toldOf Returns what the other pages are told of it.
   */
  #change({ session, sequence, isRetry }, prepare, toldOf) {
    const made = isRetry ? this.#engine.recordedResult(session, sequence) : undefined;
    if (made !== undefined) return made;
    try {
      const result = prepare();
      this.#engine.recordResult(session, sequence, result);
      this.#engine.apply();
      this.#maintenance.applied();
      this.#tell(session, toldOf);
      return result;
    } catch (error) {
      this.#refusals.set(session, sequence);
      throw error;
    }
  }

  /**
   * Tells the pages that watch of a change, except the one that made it.
   * @param {number} session
   * @param {() => Told[]} toldOf
   */
  #tell(session, toldOf) {
    const sends = [...this.#watchers].flatMap(([watcher, send]) => (watcher === session ? [] : [send]));
    if (sends.length === 0) return;
    const told = toldOf();
    for (const send of sends) send({ told });
  }

  /** @param {number} session */
  #page(session) {
    let page = this.#pages.get(session);
    if (!page) this.#pages.set(session, (page = pageChannel(this.#surroundings.name, session)));
    return page;
  }

  /** @param {number} session */
  #endPage(session) {
    this.#pages.get(session)?.close();
    this.#pages.delete(session);
    this.#refusals.delete(session);
    this.#watchers.delete(session);
  }
}

/**
 * Returns what others are told of a commit.
 * @param {CommitItem} commit
 * @returns {Told[]}
 */
function toldOf({ expected, changes }) {
  const texts = new Map(expected.map(({ id, found }) => [id, found?.version]));
  /** @type {Told[]} */
  const told = [];
  for (let i = 0; i < changes.length; i += 3) {
    const [id, text, expires] = /** @type {any[]} */ (changes.slice(i, i + 3));
    if (text === null) told.push([id, REMOVED]);
    else told.push([id, text === texts.get(id) ? TOUCHED : PUT, expires]);
  }
  return told;
}

/** Resolves after the messages that have arrived are handled, so that their changes share a flush. */
function pause() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}

/**
 * Converts an error to an object that can be sent to a page.
 * @param {unknown} error
 * @returns {Failure}
 */
export function describe(error) {
  const { code, message, cause } = clientError("The log", error);
  const { name, message: reason } = /** @type {Partial<Error>} */ (cause ?? {});
  return {
    code,
    message,
    cause: cause === undefined ? undefined : { name: String(name ?? "Error"), message: String(reason) },
  };
}
