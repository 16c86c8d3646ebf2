// The worker of a page that uses a log in the private file system. The browser gives the lock of the log to one of the
// workers at a time: that one is its owner, and serves its own page and, through channels, all others. It keeps no state
// but what is in the log, so any other can go on where it ended.

import { clientError } from "../errors.js";
import { Engine } from "./engine.js";
import { moveIn } from "./opfs_fallback.js";
import { OpfsFiles } from "./opfs_files.js";
import { ownerChannel, ownerLock, pageChannel, workerLock } from "./opfs_names.js";
import { Upkeep } from "./upkeep.js";

/** @typedef {import("./opfs_protocol.d.ts").Request} Request */
/** @typedef {import("./opfs_protocol.d.ts").Answer} Answer */
/** @typedef {(answer: Answer, transfer?: Transferable[]) => void} Reply */

/** The folder of all our logs. */
const FOLDER = "polystore-wasm";
/** How long what a session noted is kept that ended without a word, in milliseconds. */
const NOTES_KEPT = 24 * 60 * 60 * 1000;
/** The session under which owners note their terms. */
const OWNERS = 0;

/** Serves whoever asks as long as it has the log. */
class Owner {
  #name;
  #files;
  #engine;
  #upkeep;
  #term;
  #channel;
  /** @type {Map<number, BroadcastChannel>} */
  #pages = new Map();
  /** Of each page, the last request that was refused. @type {Map<number, number>} */
  #refusals = new Map();

  /**
   * @param {string} name
   * @param {OpfsFiles} files
   */
  static async begin(name, files) {
    const engine = new Engine(files, name);
    await moveIn(name, engine);
    return new Owner(name, files, engine);
  }

  /**
   * @param {string} name
   * @param {OpfsFiles} files
   * @param {Engine} engine
   */
  constructor(name, files, engine) {
    this.#name = name;
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
    this.#channel = ownerChannel(name);
    this.#channel.onmessage = ({ data }) => {
      if (data.isQuestion) this.announce();
      else if (data.kind) this.serve(data, (answer) => this.#page(data.session).postMessage(answer));
    };
    this.announce();
  }

  announce() {
    this.#channel.postMessage({ term: this.#term, session });
    postMessage({ term: this.#term });
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
      const result = this.#perform(request);
      if (request.isStrict && request.kind !== "read" && request.kind !== "list") await this.#upkeep.flush();
      reply({ sequence, result }, result instanceof Object && "buffer" in result ? [result.buffer] : []);
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
    this.#channel.close();
    for (const session of [...this.#pages.keys()]) this.#endPage(session);
    try {
      await this.#upkeep.end();
    } finally {
      this.#files.end();
    }
  }

  /** @param {Request} request */
  #perform(request) {
    const engine = this.#engine;
    switch (request.kind) {
      case "read":
        return request.items.flatMap((key) => {
          const text = engine.getText(key);
          return text === undefined ? [null, null] : [text, engine.expires()];
        });
      case "list": {
        const scan = engine.scan(request.prefix, request.after);
        try {
          return engine.next(scan, request.limit, request.withValues);
        } finally {
          engine.endScan(scan);
        }
      }
      case "write":
        return this.#change(request, () => {
          const items = /** @type {any[]} */ (request.items);
          for (let i = 0; i < items.length; i += 3) {
            if (items[i + 1] === null) engine.erase(items[i]);
            else engine.put(items[i], items[i + 1], items[i + 2]);
          }
          return 0;
        });
      case "evict":
        return this.#change(request, () => request.items.reduce((sum, evicted) => sum + engine.evict(evicted), 0));
      case "clear":
        return this.#change(request, () => engine.clear(request.prefix));
      case "prune":
        return this.#change(request, () => engine.prune(request.prefix, request.now));
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
    if (!page) this.#pages.set(session, (page = pageChannel(this.#name, session)));
    return page;
  }

  /** @param {number} session */
  #endPage(session) {
    this.#pages.get(session)?.close();
    this.#pages.delete(session);
    this.#refusals.delete(session);
  }
}

/** @type {Owner | null} */
let owner = null;
/** Lets go of the log, or of the wish to have it. */
let letGo = () => {};
let name = "";
/** Of our page. */
let session = 0;

/** Waits for the log, and serves until it is to let go of it. */
async function own() {
  const withdrawing = new AbortController();
  let isLetGo = false;
  const released = new Promise((resolve) => {
    letGo = () => {
      isLetGo = true;
      withdrawing.abort();
      resolve(undefined);
    };
  });
  const serve = async () => {
    let isUnavailable = true;
    try {
      const root = await navigator.storage.getDirectory(); // Refused in private windows of some browsers.
      isUnavailable = false;
      const folder = await root.getDirectoryHandle(FOLDER, { create: true });
      const files = await OpfsFiles.open(await folder.getDirectoryHandle(folderName(name), { create: true }));
      try {
        owner = await Owner.begin(name, files);
      } catch (error) {
        files.end();
        throw error;
      }
    } catch (error) {
      return fail(error, isUnavailable);
    }
    await released;
    const ended = owner;
    owner = null;
    await ended.end();
  };
  // Who withdraws while it waits is told so by a rejection.
  await navigator.locks.request(ownerLock(name), { signal: withdrawing.signal }, serve).catch((error) => {
    if (!isLetGo) fail(error, true);
  });
}

let isWanted = false;
/** Waiting for the log, and having it. @type {Promise<void> | null} */
let owning = null;

/**
 * Tells the page that the log cannot be had; it may want it again.
 * @param {unknown} error
 * @param {boolean} isUnavailable Whether that is so of every log.
 */
function fail(error, isUnavailable) {
  isWanted = false;
  const failure = describe(error);
  postMessage({ failure: { ...failure, isUnavailable: isUnavailable || failure.code === "ERR_UNSUPPORTED" } });
}

/** A page says more than once that it is shown. */
function want() {
  isWanted = true;
  owning ??= (async () => {
    while (isWanted) await own();
    owning = null;
  })();
}

/** @param {MessageEvent<import("./opfs_protocol.d.ts").Order | Request>} event */
onmessage = async ({ data }) => {
  if (typeof data === "object" && "kind" in data) {
    owner?.serve(data, (answer, transfer = []) => postMessage(answer, { transfer }));
  } else if (typeof data === "object") {
    ({ name, session } = data.begin);
    navigator.locks.request(workerLock(name, session), () => {
      postMessage("alive");
      want();
      return new Promise(() => {});
    });
  } else if (data === "resume") {
    want();
  } else {
    isWanted = false;
    letGo();
    await owning;
    if (data === "end") postMessage("ended");
  }
};

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

/** The file system refuses some names. @param {string} name */
function folderName(name) {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}

/**
 * @param {unknown} error
 * @returns {{ code: import("../errors.js").Code, message: string }}
 */
function describe(error) {
  const { code, message } = clientError("The log", error);
  return { code, message };
}
