import { clientError } from "../../support/errors.js";
import { Engine } from "../../engine/engine.js";
import { moveIn } from "./fallback.js";
import { ownerChannel, pageChannel } from "./names.js";
import { Upkeep } from "../../engine/maintenance.js";

/** @typedef {import("./protocol.d.ts").Request} Request */
/** @typedef {import("./protocol.d.ts").Answer} Answer */
/** @typedef {import("./protocol.d.ts").Failure} Failure */
/** @typedef {import("./opfs_files.js").OpfsFiles} OpfsFiles */
/** @typedef {(answer: Answer, transfer?: Transferable[]) => void} Reply */

/** How long what a session noted is kept that ended without a word, in milliseconds. */
const NOTES_KEPT = 24 * 60 * 60 * 1000;
/** The session under which owners note their terms. */
const OWNERS = 0;
/** Records to a page of an iteration. A page of a whole listing ends at its bytes only. */
const PAGE_LENGTH = 512;
const ALL = 2 ** 32 - 1;

/**
 * @typedef {object} Surroundings
 * @property {string} name Of the log.
 * @property {number} session Of the page that the owner belongs to.
 * @property {boolean} yields Whether the log is to be given to a worker that can open its files.
 * @property {(report: import("./protocol.d.ts").Announcement) => void} tell Tells that page.
 * @property {() => void} letGo Ends the owner.
 */

/** Serves whoever asks as long as it has the log. */
export class Owner {
  #surroundings;
  #files;
  #engine;
  #upkeep;
  #term;
  #channel;
  /** @type {Map<number, BroadcastChannel>} */
  #pages = new Map();
  /** Of each page, the last request that was refused. @type {Map<number, number>} */
  #refusals = new Map();
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
    // The clock may be put back, and the log be another one: both at once they do not.
    this.#term = Math.max(Date.now(), (engine.noted(OWNERS, 0) ?? 0) + 1);
    try {
      engine.forgetNotes(Date.now() - NOTES_KEPT);
      engine.note(OWNERS, 0, this.#term);
      engine.apply();
    } catch (error) {
      // What is full can be read, and removed from. Then only a clock that is put back could give a term again.
      if (describe(error).code !== "ERR_QUOTA") throw error;
    }
    this.#upkeep = new Upkeep(engine, { sync: async (file) => files.sync(file), pause });
    this.#channel = ownerChannel(surroundings.name);
    this.#channel.onmessage = ({ data }) => {
      if (data.isQuestion) this.announce();
      else if (data.isAble && surroundings.yields) surroundings.letGo();
      else if (data.kind) this.serve(data, (answer) => this.#page(data.session).postMessage(answer));
    };
    this.announce();
  }

  announce() {
    const { session, yields, tell } = this.#surroundings;
    this.#channel.postMessage({ term: this.#term, session, yields });
    tell({ term: this.#term });
  }

  /**
   * @param {Request} request
   * @param {Reply} reply
   */
  async serve(request, reply) {
    if (request.term !== this.#term) return; // Whoever sent it will hear of us, and send it again.
    const { session, sequence, heard } = request;
    const refusal = this.#refusals.get(session) ?? 0;
    if (sequence > refusal && heard < refusal) return; // The page will hear of that, and send it again.
    try {
      if (request.kind === "list") return await this.#list(request, reply);
      const result = this.#perform(request);
      if (request.kind !== "read") {
        if (request.isStrict) await this.#upkeep.flush();
        const committing = this.#files.commit();
        if (committing) await committing.catch(this.#whenNotCommitted);
      }
      reply({ sequence, result });
    } catch (error) {
      const failure = describe(error);
      // Else it goes on by what it knew.
      if (failure.code === "ERR_QUOTA") this.#files.measureRoom().catch(() => {});
      reply({ sequence, error: failure, isRefusal: this.#refusals.get(session) === sequence });
    }
    if (request.kind === "end") this.#endPage(session);
  }

  /** Writes what has to be written, and lets go of the log. */
  async end() {
    this.#hasEnded = true;
    this.#channel.close();
    for (const session of [...this.#pages.keys()]) this.#endPage(session);
    try {
      await this.#upkeep.end();
      await this.#files.commit();
    } finally {
      this.#files.end();
    }
  }

  /** The engine has what its files have not, so it ends: the next to open them goes by the files. @param {unknown} error */
  #whenNotCommitted = (error) => {
    this.#surroundings.letGo();
    throw error;
  };

  /**
   * Others go on between two pages, and no message has more than a page: all values together may be more than there is memory for.
   * @param {Extract<Request, { kind: "list" }>} request
   * @param {Reply} reply
   */
  async #list({ sequence, attempt, prefix, after, isPage, withValues }, reply) {
    const engine = this.#engine;
    const scan = engine.scan({ prefix, gt: after });
    try {
      for (let moreFollow = true; moreFollow;) {
        const page = engine.next(scan, isPage ? PAGE_LENGTH : ALL, withValues);
        moreFollow = !isPage && !page.isLast;
        reply({ sequence, attempt, page, moreFollow }, [page.buffer]);
        if (moreFollow) await pause();
        if (this.#hasEnded) return; // The next owner is asked for all of it.
      }
    } finally {
      if (!this.#hasEnded) engine.endScan(scan);
    }
  }

  /** @param {Exclude<Request, { kind: "list" }>} request */
  #perform(request) {
    const engine = this.#engine;
    switch (request.kind) {
      case "read":
        return request.items.flatMap((key) => {
          const text = engine.getText(key);
          return text === undefined ? [null, null] : [text, engine.expires()];
        });
      case "write":
        return this.#change(request, () => {
          const items = /** @type {any[]} */ (request.items);
          for (let i = 0; i < items.length; i += 3) {
            if (items[i + 1] === null) engine.remove(items[i]);
            else engine.put(items[i], items[i + 1], items[i + 2]);
          }
          return 0;
        });
      case "removeIf":
        return this.#change(request, () =>
          request.items.reduce((bits, item, i) => bits + (engine.removeIf(item.id, item.expires) ? 2 ** i : 0), 0),
        );
      case "sweep":
        return this.#change(request, () => engine.sweep({ prefix: request.prefix }, request.until));
      case "end":
        engine.eraseNote(request.session);
        engine.apply();
        return undefined;
    }
  }

  /**
   * Makes a change together with the note that it was made; or none, where that is noted already.
   * @param {Request} request
   * @param {() => number} prepare Says what the change is, and what to answer.
   */
  #change({ session, sequence, isAgain }, prepare) {
    const made = isAgain ? this.#engine.noted(session, sequence) : undefined;
    if (made !== undefined) return made;
    try {
      const result = prepare();
      this.#engine.note(session, sequence, result);
      this.#engine.apply();
      this.#upkeep.applied();
      return result;
    } catch (error) {
      this.#refusals.set(session, sequence);
      throw error;
    }
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
  }
}

/** Lets the messages be heard that have come, so that they share a flush. */
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
 * An error, as it can be sent to a page.
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
