import { EntryPage } from "../../engine/entry_page.js";
import { decodeJson } from "../../engine/json_text.js";
import { Fallback, MOVED, versionOf } from "./fallback.js";
import { ownerChannel, pageChannel, workerLock } from "./names.js";
import { clientError, PolystoreError, show } from "../../support/errors.js";
import { errorOf, startWorker } from "./start.js";
import { itemsOf, mayConcernOne, onlyChange } from "../../support/commits.js";
import { listTexts, restOf } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";
import { hear } from "../../support/told.js";

/** @typedef {import("./protocol.d.ts").Command} Command */
/** @typedef {import("./protocol.d.ts").Request} Request */
/** @typedef {import("./protocol.d.ts").Answer} Answer */
/** @typedef {import("./protocol.d.ts").Status} Status */
/** @typedef {import("../../core/client.js").Client} Client */

/** The number of commits that one "commit" request may have: the answer is one number, with one bit for each commit. */
const MAX_COMMITS = 50;
/** The number of times in a row that a worker may end without an answer. */
const MAX_DEATHS = 5;

/**
 * A request that is not answered yet.
 * @typedef {object} Pending
 * @property {Request} request
 * @property {(result: any) => void} resolve
 * @property {(error: unknown, isAnswer?: boolean) => void} reject `isAnswer` is true if the owner answered this request with the error.
 * @property {import("../../core/client.js").Page[]} pages For a listing: the pages that have arrived.
 */

/** A call with its items of a request. @typedef {{ items: any[], resolve: (result?: any) => void, reject: (error: unknown) => void }} Call */
/** Consecutive calls of one kind and one tick, which are sent as one request. @typedef {{ kind: "read" | "write" | "commit", items: any[], calls: Call[] }} Gathered */

/**
 * Opens a log in the browser's private file system (OPFS). If the browser has none, opens an IndexedDB database in its place; its
 * records are moved into the log as soon as a page has the file system, and the calls then go to that page.
 * @param {string} name
 * @param {import("../../core/client.js").Durability} durability
 * @throws {PolystoreError} ERR_CLIENT if the browser refuses the file system now, but a log was made in it before: the database
 *   would hold old values.
 * @returns {Promise<Client>}
 */
export async function openOpfs(name, durability) {
  const isPossible = navigator.storage && "getDirectory" in navigator.storage && navigator.locks;
  /** @type {unknown} */
  let cause;
  if (isPossible) {
    const opfs = new Opfs(name, durability);
    try {
      await opfs.open();
      return opfs;
    } catch (error) {
      if (!(/** @type {any} */ (error).isUnavailable)) throw error;
      cause = error;
    }
  }
  if ((await versionOf(name)) >= MOVED) {
    const message = `The browser refuses access to its private file system, which holds the log ${show(name)}. Nothing was read or written. Try again later, or keep a page open that has the log open.`;
    throw new PolystoreError("ERR_CLIENT", message, { cause });
  }
  return new Fallback(name, durability, () => openOpfs(name, durability));
}

/**
 * A log in the private file system of a page's origin. The page sends its requests to the worker that has the log open (the owner):
 * to its own worker directly, to another page's worker through a channel. Every new owner gets all unanswered requests again.
 * protocol.d.ts explains the messages.
 */
class Opfs {
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "OPFS",
    can: ["list", "sweeps_all", "sweeps_expired"],
    copies: "write",
    atomic: "origin",
    isTransactional: true,
  };
  #name;
  #isStrict;
  #session = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  #sequence = 0;
  /** The term of the current owner; 0 if it is not known. */
  #term = 0;
  /** The unanswered requests by sequence, in order. @type {Map<number, Pending>} */
  #unanswered = new Map();
  /** The number of unanswered requests whose answer is a number that the caller needs (see isCounted). */
  #counting = 0;
  /** The sequence of our last refused request whose refusal has reached us. */
  #acknowledged = 0;
  /** @type {Gathered[]} */
  #gathered = [];
  #owners;
  #answers;
  #listening = new AbortController();
  /** @type {import("./start.js").WorkerLike | null} */
  #worker = null;
  /** @type {Promise<void> | null} */
  #starting = null;
  #isOwner = false;
  /** @type {((error?: unknown) => void)} */
  #onConnected = () => {};
  /** @type {() => void} */
  #onEnded = () => {};
  #isClosed = false;
  /** The number of times that our worker ended since an owner last answered. */
  #deaths = 0;
  /** True if our worker got the log's lock and could not open the log. */
  #hasFailed = false;
  /** Hears the changes of other pages, if this page watches. @type {import("../../core/client.js").WatchListener | null} */
  #listener = null;

  /**
   * @param {string} name
   * @param {import("../../core/client.js").Durability} durability
   */
  constructor(name, durability) {
    this.#name = name;
    this.#isStrict = durability === "strict";
    this.#owners = ownerChannel(name);
    this.#owners.onmessage = ({ data }) => {
      // Our own worker announces itself directly, and gets requests directly: a call through the channel takes ten times as long.
      if (!("term" in data) || "kind" in data || data.session === this.#session) return;
      this.#connect(data.term, false);
      if (data.yields && this.#worker && !this.#worker.isInPlace) this.#owners.postMessage({ isAble: true });
    };
    this.#answers = pageChannel(name, this.#session);
    this.#answers.onmessage = ({ data }) => this.#settle(data);
  }

  /**
   * Resolves when an owner is known.
   * @throws {PolystoreError} ERR_UNSUPPORTED if the browser has no such file system; another code if the log cannot be opened.
   */
  async open() {
    const connected = new Promise((resolve, reject) => {
      this.#onConnected = (error) => (error ? reject(error) : resolve(undefined));
    });
    try {
      await this.#start();
      this.#owners.postMessage({ isQuestion: true });
      await connected;
    } catch (error) {
      this.#release();
      throw error;
    }
    const { signal } = this.#listening;
    addEventListener("pagehide", this.#onHide, { signal });
    addEventListener("pageshow", this.#onShow, { signal });
    globalThis.document?.addEventListener("freeze", this.#onHide, { signal });
    globalThis.document?.addEventListener("resume", this.#onShow, { signal });
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a log");
  }

  /** @param {string} id */
  read(id) {
    return this.#gather("read", [id]);
  }

  /** @param {readonly import("../../core/client.js").Commit[]} commits */
  async commit(commits) {
    const change = onlyChange(commits);
    if (change) return [await this.#gather("write", itemsOf([change]))];
    const outcomes = commits.map(({ expected, changes }) => {
      const items = itemsOf(changes);
      if (expected.length === 0) return this.#gather("write", items);
      return this.#gather("commit", [{ expected: expected.map(withoutValue), changes: items }]);
    });
    return Promise.all(outcomes.map((outcome) => outcome.catch((/** @type {unknown} */ error) => ({ error }))));
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return listTexts(range, (listed) => this.#pages(listed, wanted));
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(range, wanted) {
    // A whole listing is one snapshot. A stream asks for page after page, and continues after the last key even with a new owner.
    const isPage = wanted === "stream";
    for (let rest = range; ;) {
      const { pages, isLast } = await this.#ask({ kind: "list", range: rest, isPage, withValues: wanted !== "keys" });
      yield* pages;
      if (isLast) return;
      rest = restOf(rest, pages[0].ids);
    }
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep(range, until) {
    return this.#ask({ kind: "sweep", range, until });
  }

  /**
   * @param {import("../../core/client.js").WatchListener} listener
   * @returns {Promise<import("../../core/client.js").Watch>}
   */
  async watch(listener) {
    await new Promise((resolve, reject) => {
      const begin = (/** @type {unknown} */ result) => {
        this.#listener = listener; // Before the next message, which may be a notice.
        resolve(result);
      };
      this.#request({ kind: "watch", isWatching: true }, begin, reject);
    });
    const close = () => {
      this.#stopNotices();
      this.#listener = null;
    };
    return { reach: "origin", close };
  }

  /** Asks the owner for no more notices, if it sends any. */
  #stopNotices() {
    if (this.#listener) this.#ask({ kind: "watch", isWatching: false }).catch(() => {}); // Then there is no owner to send any.
  }

  async close() {
    this.#listener = null; // The request below ends the notices.
    try {
      await this.#ask({ kind: "end" });
    } finally {
      this.#isClosed = true;
      this.#listening.abort();
      const worker = this.#worker;
      if (worker) {
        const ended = new Promise((resolve) => (this.#onEnded = () => resolve(undefined)));
        worker.postMessage("end");
        await ended;
      }
      this.#release();
    }
  }

  #release() {
    this.#isClosed = true;
    this.#worker?.terminate();
    this.#owners.close();
    this.#answers.close();
  }

  #start() {
    return (this.#starting ??= this.#startWorker().finally(() => (this.#starting = null)));
  }

  async #startWorker() {
    const worker = await startWorker({ name: this.#name, session: this.#session });
    if (this.#isClosed) return worker.terminate();
    this.#worker = worker;
    worker.onmessage = ({ data }) => this.#receive(data);
    // The browser gives this page the worker's lock when the worker has ended, for whatever reason.
    const lock = workerLock(this.#name, this.#session);
    navigator.locks
      .request(lock, () => (this.#isClosed ? this.#onEnded() : this.#startAgain()))
      .catch((error) => this.#fail(clientError("The log", error)));
  }

  #startAgain() {
    this.#isOwner = false;
    this.#term = 0;
    this.#worker?.terminate();
    this.#worker = null;
    if (++this.#deaths < MAX_DEATHS) return this.#tryAgain();
    this.#deaths = 0;
    const message = `The worker of the log ended ${MAX_DEATHS} times before it answered: the log may be too large for its memory, or the browser may terminate workers. Open the log in fewer pages, or store less in it.`;
    this.#fail(new PolystoreError("ERR_CLIENT", message));
  }

  /** @param {Status} status From our worker. */
  #receive(status) {
    if (status === "ended") this.#onEnded();
    else if (status === "alive") return;
    else if ("term" in status) this.#connect(status.term, true);
    else if ("failure" in status) this.#fail(errorOf(status.failure));
    else this.#settle(status);
  }

  /**
   * Called when a new owner is known: sends it all unanswered requests, in order.
   * @param {number} term
   * @param {boolean} isOurs
   */
  #connect(term, isOurs) {
    if (term <= this.#term) return;
    this.#term = term;
    this.#isOwner = isOurs;
    for (const { request } of this.#unanswered.values()) {
      request.isRetry ||= request.term !== 0;
      request.term = 0;
    }
    this.#postAll();
    const listener = this.#listener;
    // If this fails, the next owner is asked.
    if (listener)
      this.#ask({ kind: "watch", isWatching: true }).then(
        () => listener.gap(),
        () => {},
      );
    this.#onConnected();
    if (this.#hasFailed && this.#worker) this.#tryAgain(); // Our worker then waits for the lock behind this owner.
  }

  /**
   * Sends every request that this owner has not got yet, in order, up to the first one whose answer is counted. The owner records
   * only the last result of a page, and a retry of a counted request needs its result.
   */
  #postAll() {
    if (this.#term === 0) return;
    for (const pending of this.#unanswered.values()) {
      if (pending.request.term === 0) this.#post(pending);
      if (isCounted(pending.request)) return;
    }
  }

  /** @param {unknown} error */
  #fail(error) {
    this.#onConnected(error);
    this.#hasFailed = true;
    this.#term = 0;
    for (const { reject } of this.#unanswered.values()) reject(error);
    this.#unanswered.clear();
    this.#counting = 0;
  }

  /** @param {Answer | import("./protocol.d.ts").Notice} answer */
  #settle(answer) {
    if ("told" in answer) return this.#listener && hear(answer.told, this.#listener);
    const pending = this.#unanswered.get(answer.sequence);
    if (!pending) return; // It was sent twice, and this is the second answer.
    if ("page" in answer) return this.#addPage(pending, answer);
    this.#unanswered.delete(answer.sequence);
    this.#deaths = 0;
    const isCount = isCounted(pending.request);
    if (isCount) --this.#counting;
    if (!("error" in answer)) {
      pending.resolve(answer.result);
      if (isCount) this.#postAll();
      return;
    }
    const behind = answer.isRefusal ? this.#takeBehind(answer.sequence) : [];
    pending.reject(errorOf(answer.error), true); // The caller may send its parts one by one again (see #send).
    for (const { request, resolve, reject } of behind) this.#add(request, resolve, reject);
    this.#postAll();
  }

  /**
   * @param {Pending} pending
   * @param {Extract<Answer, { attempt: number }>} answer
   */
  #addPage({ request, pages, resolve, reject }, { attempt, page, moreFollow }) {
    if (attempt !== request.attempt) return; // The listing was requested again meanwhile, and this page belongs to an older snapshot.
    const { buffer, count, withValues, isLast } = page;
    try {
      pages.push(new EntryPage(buffer, count, withValues, isLast).decode());
      if (moreFollow) return;
      resolve({ pages, isLast });
    } catch (error) {
      reject(error);
    }
    this.#unanswered.delete(request.sequence);
    this.#deaths = 0;
  }

  /**
   * Returns the requests sent after a refused one, and removes them from the unanswered ones. The owner ignored them: recording a
   * later sequence would tell the next owner that the refused request succeeded.
   * @param {number} sequence
   */
  #takeBehind(sequence) {
    this.#acknowledged = sequence;
    const behind = [...this.#unanswered.values()].filter(({ request }) => request.sequence > sequence);
    for (const { request } of behind) this.#unanswered.delete(request.sequence);
    return behind;
  }

  /**
   * Sends a call together with the preceding calls of the same kind in this tick, up to a call of another kind.
   * @param {Gathered["kind"]} kind
   * @param {any[]} items
   * @returns {Promise<any>}
   */
  #gather(kind, items) {
    if (this.#gathered.length === 0) Promise.resolve().then(() => this.#send());
    let last = this.#gathered.at(-1);
    if (last?.kind !== kind || (kind === "commit" && last.calls.length === MAX_COMMITS))
      this.#gathered.push((last = { kind, items: [], calls: [] }));
    const { items: all, calls } = last;
    for (const item of items) all.push(item);
    return new Promise((resolve, reject) => calls.push({ items, resolve, reject }));
  }

  #send() {
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const { kind, items, calls } of gathered) {
      const settle = SETTLE[kind];
      this.#request(
        { kind, items },
        (result) => settle(calls, result),
        (error, isAnswer) => {
          if (calls.length === 1 || !isAnswer || !mayConcernOne(error))
            return calls.forEach(({ reject }) => reject(error));
          // For example, one value is too large. It must not make the other calls fail, so each call is sent alone.
          for (const call of calls)
            this.#request({ kind, items: call.items }, (result) => settle([call], result), call.reject);
        },
      );
    }
  }

  /** @param {Command} command */
  #ask(command) {
    this.#send(); // The calls that came before this one go first.
    return new Promise((resolve, reject) => this.#request(command, resolve, reject));
  }

  /**
   * @param {Command} command
   * @param {Pending["resolve"]} resolve
   * @param {Pending["reject"]} reject
   */
  #request(command, resolve, reject) {
    const pending = this.#add(command, resolve, reject);
    if (this.#counting === 0 && this.#term !== 0) this.#post(pending);
    if (isCounted(command)) ++this.#counting;
    if (this.#hasFailed) this.#tryAgain();
  }

  /**
   * @param {Command} command
   * @param {Pending["resolve"]} resolve
   * @param {Pending["reject"]} reject
   */
  #add(command, resolve, reject) {
    const sequence = ++this.#sequence;
    const isStrict = this.#isStrict || command.kind === "end"; // A closed store leaves nothing that a power failure could undo.
    const acknowledged = this.#acknowledged;
    const request = {
      ...command,
      session: this.#session,
      sequence,
      acknowledged,
      term: 0,
      isRetry: false,
      isStrict,
      attempt: 0,
    };
    const pending = { request, resolve, reject, pages: [] };
    this.#unanswered.set(sequence, pending);
    return pending;
  }

  /** @param {Pending} pending */
  #post(pending) {
    const { request } = pending;
    request.term = this.#term;
    ++request.attempt;
    pending.pages = [];
    if (this.#isOwner) this.#worker?.postMessage(request);
    else this.#owners.postMessage(request);
  }

  /** A frozen page cannot answer, so the worker of another page must become the owner. Nor can it hear; when it is shown, that is a gap. */
  #onHide = () => {
    this.#stopNotices();
    this.#worker?.postMessage("release");
  };

  #onShow = () => {
    this.#term = 0; // Announcements may not have reached this page while it was hidden.
    this.#tryAgain();
  };

  #tryAgain() {
    if (this.#isClosed) return;
    this.#hasFailed = false;
    if (this.#worker) this.#worker.postMessage("resume");
    else
      this.#start().catch((error) => {
        if (this.#term === 0) this.#fail(error);
        else this.#hasFailed = true; // The worker of another page serves this page meanwhile.
      });
    this.#owners.postMessage({ isQuestion: true });
  }
}

/**
 * True if the answer to a request is a number that the caller needs.
 * @param {Command} command
 */
function isCounted(command) {
  return command.kind === "commit" || (command.kind === "sweep" && command.until !== null);
}

/**
 * Returns what the owner compares of an expectation.
 * @param {import("../../core/client.js").Expectation} expectation
 */
function withoutValue({ id, found }) {
  return { id, found: found && { expires: found.expires, version: /** @type {string} */ (found.version) } };
}

/** Settles the calls of a request with its result. @type {Record<Gathered["kind"], (calls: Call[], result: any) => void>} */
const SETTLE = {
  /** @param {any[]} results Two items for each key: its JSON text (null if it has no record) and its expiry. */
  read(calls, results) {
    for (const [i, { items, resolve, reject }] of calls.entries()) {
      const text = results[2 * i];
      if (text === null) resolve(undefined);
      else
        try {
          resolve({ expires: results[2 * i + 1], value: decodeJson(items[0], text), version: text });
        } catch (error) {
          reject(error);
        }
    }
  },
  write(calls) {
    for (const { resolve } of calls) resolve(true);
  },
  commit(calls, bits) {
    for (const [i, { resolve }] of calls.entries()) resolve(Math.floor(bits / 2 ** i) % 2 === 1);
  },
};
