import { EntryPage } from "../../engine/entry_page.js";
import { decodeJson } from "../../engine/json_text.js";
import { hasLog, openFallback } from "./fallback.js";
import { ownerChannel, pageChannel, workerLock } from "./names.js";
import { clientError, PolystoreError, show } from "../../support/errors.js";
import { errorOf, startWorker } from "./start.js";
import { isPut, onlyChange } from "../../support/commits.js";
import { arrangePages } from "../../support/range.js";
import { requireText } from "../../support/text_key.js";

/** @typedef {import("./protocol.d.ts").Wish} Wish */
/** @typedef {import("./protocol.d.ts").Request} Request */
/** @typedef {import("./protocol.d.ts").Answer} Answer */
/** @typedef {import("./protocol.d.ts").Report} Report */

/** How many outcomes the number has that answers a conditional removal, a bit each. */
const BITS = 50;
/** How often in a row a worker may end before it answers. */
const MOST_DEATHS = 5;

/**
 * Something asked for, until it is answered.
 * @typedef {object} Pending
 * @property {Request} request
 * @property {(result: any) => void} resolve
 * @property {(error: unknown) => void} reject
 * @property {import("../../core/client.js").Page[]} pages Of a listing, what has come of it.
 */

/** The requests of one tick that go together: reads that follow one another, or writes. @typedef {{ kind: "read" | "write", items: any[], calls: { resolve: (result?: any) => void, reject: (error: unknown) => void }[] }} Gathered */

/**
 * Opens a log in the private file system or, where there is none, a database that is moved over to it when there is.
 * @param {string} name
 * @param {import("../../core/client.js").Durability} durability
 * @throws {PolystoreError} ERR_CLIENT where the browser refuses the file system, and has given it before: the database would be of
 *   before the log.
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
  if (await hasLog(name)) {
    const message = `The browser refuses its private file system now, in which the log ${show(name)} is. Nothing was read or written: call again later, or keep a page open that has the log.`;
    throw new PolystoreError("ERR_CLIENT", message, { cause });
  }
  return openFallback(name, durability);
}

/**
 * A log in the private file system of a page's origin. The page asks the worker that has it open: its own, or by way of a channel
 * that of another page. What is not answered yet is asked again of every new owner.
 */
class Opfs {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "OPFS", can: ["list", "sweeps_all", "sweeps_expired"], copies: "write" };
  #name;
  #isStrict;
  #session = Math.floor(Math.random() * Number.MAX_SAFE_INTEGER);
  #sequence = 0;
  /** Whom to ask; 0 as long as that is not known. */
  #term = 0;
  /** In their order. @type {Map<number, Pending>} */
  #unanswered = new Map();
  /** How many of them are answered with a count. */
  #counting = 0;
  /** The last of our requests that an owner refused, as far as we have heard. */
  #heard = 0;
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
  /** How often our worker ended since an owner answered. */
  #deaths = 0;
  /** Whether our worker had its turn and failed. */
  #hasFailed = false;

  /**
   * @param {string} name
   * @param {import("../../core/client.js").Durability} durability
   */
  constructor(name, durability) {
    this.#name = name;
    this.#isStrict = durability === "strict";
    this.#owners = ownerChannel(name);
    this.#owners.onmessage = ({ data }) => {
      // Our own worker tells us itself, and is asked directly: by way of the channel a call takes ten times as long.
      if (!("term" in data) || "kind" in data || data.session === this.#session) return;
      this.#connect(data.term, false);
      if (data.yields && this.#worker && !this.#worker.isInPlace) this.#owners.postMessage({ isAble: true });
    };
    this.#answers = pageChannel(name, this.#session);
    this.#answers.onmessage = ({ data }) => this.#settle(data);
  }

  /**
   * Resolves when there is an owner to ask.
   * @throws {PolystoreError} ERR_UNSUPPORTED where the browser has no such file system; or why the log cannot be opened.
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
    if (change) {
      const isPutting = isPut(change);
      await this.#gather("write", [
        change.id,
        isPutting ? JSON.stringify(change.value) : null,
        isPutting ? change.expires : null,
      ]);
      return [true];
    }
    const items = commits.flatMap(({ expected }) =>
      expected.map(({ id, found }) => ({ id, expires: found?.expires ?? null })),
    );
    const asked = [];
    for (let i = 0; i < items.length; i += BITS)
      asked.push(this.#ask({ kind: "removeIf", items: items.slice(i, i + BITS) }));
    const removed = await Promise.all(asked);
    return items.map((_, i) => Math.floor(removed[Math.floor(i / BITS)] / 2 ** (i % BITS)) % 2 === 1);
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range.prefix, wanted), range);
  }

  /**
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(prefix, wanted) {
    // All at once are a list of one moment. One by one they go on behind the last, whoever is the owner then.
    const isPage = wanted === "stream";
    /** @type {string | undefined} */
    let after;
    for (;;) {
      const { pages, isLast } = await this.#ask({ kind: "list", prefix, after, isPage, withValues: wanted !== "keys" });
      yield* pages;
      if (isLast) return;
      after = pages[0].ids.at(-1);
    }
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep({ prefix }, until) {
    return this.#ask({ kind: "sweep", prefix, until });
  }

  async close() {
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
    worker.onmessage = ({ data }) => this.#hear(data);
    // The browser gives us the worker's lock when the worker has ended, however.
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
    if (++this.#deaths < MOST_DEATHS) return this.#tryAgain();
    this.#deaths = 0;
    const message = `The worker of the log ended ${MOST_DEATHS} times before it answered: it may have no memory for the log, or the browser may end workers here. Open the log in fewer pages, or keep less in it.`;
    this.#fail(new PolystoreError("ERR_CLIENT", message));
  }

  /** @param {Report} report Of our worker. */
  #hear(report) {
    if (report === "ended") this.#onEnded();
    else if (report === "alive") return;
    else if ("term" in report) this.#connect(report.term, true);
    else if ("failure" in report) this.#fail(errorOf(report.failure));
    else this.#settle(report);
  }

  /**
   * There is an owner: it is asked all that was not answered, in its order.
   * @param {number} term
   * @param {boolean} isOurs
   */
  #connect(term, isOurs) {
    if (term <= this.#term) return;
    this.#term = term;
    this.#isOwner = isOurs;
    for (const { request } of this.#unanswered.values()) {
      request.isAgain ||= request.term !== 0;
      request.term = 0;
    }
    this.#postAll();
    this.#onConnected();
    if (this.#hasFailed && this.#worker) this.#tryAgain(); // It waits for its turn behind this owner.
  }

  /** Asks in order what the owner was not asked yet, but nothing behind a count: an owner notes a page's last result only. */
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

  /** @param {Answer} answer */
  #settle(answer) {
    const pending = this.#unanswered.get(answer.sequence);
    if (!pending) return; // Asked twice, and answered twice.
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
    pending.reject(errorOf(answer.error)); // Who may ask again, for a part of it.
    for (const { request, resolve, reject } of behind) this.#add(request, resolve, reject);
    this.#postAll();
  }

  /**
   * @param {Pending} pending
   * @param {Extract<Answer, { attempt: number }>} answer
   */
  #addPage({ request, pages, resolve, reject }, { attempt, page, moreFollow }) {
    if (attempt !== request.attempt) return; // It was asked again meanwhile, and this is of another moment.
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
   * What was asked behind a request that was refused: the owner has passed over that, for it must not note it before we know.
   * @param {number} sequence
   */
  #takeBehind(sequence) {
    this.#heard = sequence;
    const behind = [...this.#unanswered.values()].filter(({ request }) => request.sequence > sequence);
    for (const { request } of behind) this.#unanswered.delete(request.sequence);
    return behind;
  }

  /**
   * Asks together with the calls of the same kind that come before it in this tick, if no other comes between.
   * @param {"read" | "write"} kind
   * @param {any[]} items
   */
  #gather(kind, items) {
    if (this.#gathered.length === 0) Promise.resolve().then(() => this.#send());
    let last = this.#gathered.at(-1);
    if (last?.kind !== kind) this.#gathered.push((last = { kind, items: [], calls: [] }));
    const { items: all, calls } = last;
    all.push(...items);
    return new Promise((resolve, reject) => calls.push({ resolve, reject }));
  }

  #send() {
    const gathered = this.#gathered;
    this.#gathered = [];
    for (const { kind, items, calls } of gathered) {
      const settle = kind === "read" ? settleReads : settleWrites;
      this.#request(
        { kind, items },
        (results) => settle(calls, items, results),
        (error) => {
          if (calls.length === 1 || error.code !== "ERR_QUOTA") return calls.forEach(({ reject }) => reject(error));
          // One that is too large must not fail the others.
          const width = items.length / calls.length;
          calls.forEach(({ resolve, reject }, i) =>
            this.#request({ kind, items: items.slice(i * width, (i + 1) * width) }, resolve, reject),
          );
        },
      );
    }
  }

  /** @param {Wish} wish */
  #ask(wish) {
    this.#send(); // What was called before.
    return new Promise((resolve, reject) => this.#request(wish, resolve, reject));
  }

  /**
   * @param {Wish} wish
   * @param {(result: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  #request(wish, resolve, reject) {
    const pending = this.#add(wish, resolve, reject);
    if (this.#counting === 0 && this.#term !== 0) this.#post(pending);
    if (isCounted(wish)) ++this.#counting;
    if (this.#hasFailed) this.#tryAgain();
  }

  /**
   * @param {Wish} wish
   * @param {(result: any) => void} resolve
   * @param {(error: any) => void} reject
   */
  #add(wish, resolve, reject) {
    const sequence = ++this.#sequence;
    const isStrict = this.#isStrict || wish.kind === "end"; // Which leaves nothing that a power failure could undo.
    const heard = this.#heard;
    const request = { ...wish, session: this.#session, sequence, heard, term: 0, isAgain: false, isStrict, attempt: 0 };
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

  /** A page that is frozen answers nobody, so another is to be the owner. */
  #onHide = () => {
    this.#worker?.postMessage("release");
  };

  #onShow = () => {
    this.#term = 0; // What was said meanwhile may not have reached us.
    this.#tryAgain();
  };

  #tryAgain() {
    if (this.#isClosed) return;
    this.#hasFailed = false;
    if (this.#worker) this.#worker.postMessage("resume");
    else
      this.#start().catch((error) => {
        if (this.#term === 0) this.#fail(error);
        else this.#hasFailed = true; // Another page's worker serves us meanwhile.
      });
    this.#owners.postMessage({ isQuestion: true });
  }
}

/**
 * Whether the result of a request is a number that somebody looks at.
 * @param {Wish} wish
 */
function isCounted(wish) {
  return wish.kind === "removeIf" || (wish.kind === "sweep" && wish.until !== null);
}

/**
 * @param {Gathered["calls"]} calls
 * @param {string[]} keys
 * @param {any[]} results The JSON and the expiry of each.
 */
function settleReads(calls, keys, results) {
  for (const [i, { resolve, reject }] of calls.entries()) {
    const text = results[2 * i];
    if (text === null) resolve(undefined);
    else
      try {
        resolve({ expires: results[2 * i + 1], value: decodeJson(keys[i], text) });
      } catch (error) {
        reject(error);
      }
  }
}

/** @param {Gathered["calls"]} calls */
function settleWrites(calls) {
  for (const { resolve } of calls) resolve();
}
