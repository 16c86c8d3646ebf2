import { isPromise } from "./promise.js";

/**
 * The keys that a call concerns: some keys, or all keys that begin with a prefix. A call with neither waits for no other call.
 * @typedef {object} Scope
 * @property {boolean} writes
 * @property {string[]} [keys]
 * @property {string} [prefix]
 * @property {unknown} [kind] Calls of one kind may be sent together, in their order. A call without a kind is sent alone.
 */

/**
 * Calls that are sent together.
 * @template Request
 */
class Run {
  /** @type {Call<Request>[]} */
  calls = [];
  isSent = false;
  /** True if the run was sent in this tick, so that nothing tells yet whether it takes long. */
  isFresh = false;
  /** The number of calls that were sent and have not ended. */
  left = 0;

  /** @param {unknown} kind */
  constructor(kind) {
    this.kind = kind;
  }
}

/** @template Request */
class Call {
  /** The calls that have to end before this one is sent, unless they are sent in the same run. @type {Set<Call<Request>>} */
  waitsFor = new Set();
  /** @type {Set<Call<Request>>} */
  followers = new Set();
  /** @type {Run<Request> | null} */
  run = null;
  /** The run that a call in `waitsFor` joined last, and the number of those calls in it. @type {Run<Request> | null} */
  joinedRun = null;
  joined = 0;
  isAbandoned = false;
  /** @type {(result?: any) => void} */
  resolve = () => {};
  /** @type {(error: unknown) => void} */
  reject = () => {};

  /**
   * @param {Request} request
   * @param {Scope} scope
   * @param {(call: Call<Request>) => void} onEnd
   */
  constructor(request, scope, onEnd) {
    this.request = request;
    this.scope = scope;
    const end = () => onEnd(this);
    /** @type {Promise<any>} */
    this.promise = new Promise((resolve, reject) => {
      this.resolve = (result) => {
        resolve(result);
        if (isPromise(result)) result.then(end, end);
        else end();
      };
      this.reject = (error) => {
        reject(error);
        end();
      };
    });
  }
}

const resolved = Promise.resolve();

/**
 * Sends calls in the order that they require, and in no stricter one, so that a call without an answer delays few others. Calls on
 * the same key are carried out one after the other, unless both only read. A listing comes after the earlier writes in its range,
 * and a clear() after all earlier calls in its range. Calls of one tick are sent together if their kind allows it.
 * @template Request
 */
export class CallOrder {
  #send;
  #maxRuns;
  #keepsWrites;
  /** The calls that have not ended. @type {Set<Call<Request>>} */
  #calls = new Set();
  /** The calls in `#calls` that concern a prefix. @type {Set<Call<Request>>} */
  #ranges = new Set();
  /** For each key, its last write and the later reads, unless they have ended. @type {Map<string, Set<Call<Request>>>} */
  #latest = new Map();
  /** The runs that are sent next, in this order. @type {Set<Run<Request>>} */
  #unsent = new Set();
  /** For each kind, the unsent run that another call of the kind may join. @type {Map<unknown, Run<Request>>} */
  #open = new Map();
  /** @type {Set<Run<Request>>} */
  #underWay = new Set();
  #isWoken = false;
  /** The call that was sent alone, until it has ended or another call is added. @type {{ request: Request, scope: Scope, promise: Promise<any> } | null} */
  #alone = null;

  /**
   * @param {(run: import("./batch.js").Pending<Request>[]) => Promise<unknown>} send Settles each call of a run. If it
   *   rejects, the calls that it has not settled reject with the same error.
   * @param {number} maxRuns The maximum number of runs that are sent and have not ended.
   * @param {boolean} [keepsWrites] True if later writes on the same key still wait for an abandoned write, which the storage may carry
   *   out late, over theirs. It requires that every call settles in the end; a request over HTTP that is lost may not.
   */
  constructor(send, maxRuns, keepsWrites = false) {
    this.#send = send;
    this.#maxRuns = maxRuns;
    this.#keepsWrites = keepsWrites;
  }

  /**
   * Adds a call, which is sent as soon as the calls before it allow: at once if there are none.
   * @param {Request} request
   * @param {Scope} scope
   * @param {(result: any) => unknown} [finish] Makes the result of the call from the value that `send` resolved it with.
   * @returns {Promise<any>} The result of the call.
   */
  add(request, scope, finish) {
    if (this.#alone) this.#register(this.#alone);
    else if (this.#calls.size === 0) return this.#sendAlone(request, scope, finish);
    const call = new Call(request, scope, this.#end);
    for (const other of this.#before(scope)) this.#follow(call, other);
    this.#enter(call);
    this.#placeIfReady([call]);
    if (finish) call.promise = call.promise.then(finish);
    return call.promise;
  }

  /**
   * Sends a call while there is no other one. Most users await each call, and keeping account of such a call would take ten times as
   * long as sending it.
   * @param {Request} request
   * @param {Scope} scope
   * @param {((result: any) => unknown) | undefined} finish
   * @returns {Promise<any>}
   */
  #sendAlone(request, scope, finish) {
    /** @type {Promise<any>} */
    const sent = new Promise((resolve, reject) => void this.#send([{ request, resolve, reject }]).catch(reject));
    const promise = finish ? sent.then(finish) : sent;
    const alone = { request, scope, promise };
    this.#alone = alone;
    const end = () => {
      if (this.#alone === alone) this.#alone = null;
    };
    sent.then(end, end);
    return promise;
  }

  /**
   * Keeps account of the call that was sent alone, because others may have to wait for it.
   * @param {{ request: Request, scope: Scope, promise: Promise<any> }} alone
   */
  #register({ request, scope, promise }) {
    this.#alone = null;
    const call = new Call(request, scope, this.#end);
    call.promise = promise;
    call.run = new Run(scope.kind);
    const { run } = call;
    Object.assign(run, { calls: [call], isSent: true, left: 1, isFresh: true });
    resolved.then(() => (run.isFresh = false));
    this.#underWay.add(call.run);
    this.#enter(call);
    promise.then(call.resolve, call.resolve);
  }

  /** @param {Call<Request>} call */
  #enter(call) {
    const { scope } = call;
    this.#calls.add(call);
    if (scope.prefix !== undefined) this.#ranges.add(call);
    for (const key of scope.keys ?? []) {
      const latest = this.#latest.get(key);
      if (latest && !scope.writes) latest.add(call);
      else this.#latest.set(key, new Set([call]));
    }
  }

  /**
   * Abandons a call whose user no longer waits for it. An unsent call is never sent, and other calls stop waiting for it.
   * @param {unknown} promise The promise that add() returned. A listing returns other promises: any of them abandons all listings
   *   that were sent.
   */
  abandon(promise) {
    if (this.#alone) this.#register(this.#alone);
    const calls = [...this.#calls];
    const call = calls.find((call) => call.promise === promise);
    const meant = call ? [call] : calls.filter(({ run, scope }) => run?.isSent && !scope.writes && !scope.keys);
    for (const call of meant) this.#abandonOne(call);
    this.#wake();
  }

  /** @param {Call<Request>} call */
  #abandonOne(call) {
    const { run, scope } = call;
    if (run?.isSent) this.#underWay.delete(run);
    if (run?.isSent && !(scope.writes && this.#keepsWrites)) return this.#end(call);
    call.isAbandoned = true;
    const freed = [...call.followers].filter((follower) => !(run?.isSent && follower.scope.writes));
    for (const follower of freed) {
      unfollow(follower, call);
      // Until now, the follower waited for these calls by waiting for the abandoned one.
      for (const other of call.waitsFor) if (conflict(follower.scope, other.scope)) this.#follow(follower, other);
    }
    if (run && !run.isSent) {
      call.run = null;
      run.calls = run.calls.filter((other) => other !== call);
      if (run.calls.length === 0) this.#close(run);
    }
    this.#placeIfReady([call, ...freed]);
  }

  /**
   * Returns the calls that a new call has to wait for. They in turn wait for earlier calls.
   * @param {Scope} scope
   */
  #before({ keys, prefix, writes }) {
    if (prefix !== undefined) return [...this.#calls].filter((call) => conflict(call.scope, { prefix, writes }));
    /** @type {Call<Request>[]} */
    const before = [];
    for (const key of keys ?? []) {
      for (const call of this.#latest.get(key) ?? []) if (writes || call.scope.writes) before.push(call);
      for (const call of this.#ranges) {
        if (!key.startsWith(/** @type {string} */ (call.scope.prefix))) continue;
        if (writes || call.scope.writes) before.push(call);
      }
    }
    return before;
  }

  /**
   * Tells whether a call is a listing that waits for calls under way. One of them may never be answered, so a later write does not
   * wait for such a listing.
   * @param {Call<Request>} call
   */
  #mayWaitLong({ scope, waitsFor }) {
    const isListing = scope.prefix !== undefined && !scope.writes;
    return isListing && this.#maxRuns > 1 && [...waitsFor].some(({ run }) => !run || (run.isSent && !run.isFresh));
  }

  /**
   * @param {Call<Request>} call
   * @param {Call<Request>} other
   */
  #follow(call, other) {
    if (other.isAbandoned && !other.run) {
      // The other call is never sent. Wait for the calls that it waits for instead.
      for (const earlier of other.waitsFor) if (conflict(call.scope, earlier.scope)) this.#follow(call, earlier);
      return;
    }
    if (call.waitsFor.has(other) || (other.isAbandoned && !call.scope.writes) || this.#mayWaitLong(other)) return;
    call.waitsFor.add(other);
    other.followers.add(call);
    if (other.run && !other.run.isSent) join(call, other.run);
  }

  /**
   * Puts calls into the next run if they need not wait, and then their followers.
   * @param {Call<Request>[]} ready
   */
  #placeIfReady(ready) {
    for (const call of ready) {
      const { waitsFor, scope, joinedRun, joined } = call;
      const open = scope.kind === undefined ? undefined : this.#open.get(scope.kind);
      if (call.isAbandoned) {
        if (!call.run && waitsFor.size === 0) this.#end(call);
      } else if (!call.run && (waitsFor.size === 0 || (joinedRun === open && joined === waitsFor.size))) {
        call.run = open ?? this.#newRun(scope.kind);
        call.run.calls.push(call);
        for (const follower of call.followers) {
          join(follower, call.run);
          ready.push(follower);
        }
      }
    }
  }

  /** @param {unknown} kind */
  #newRun(kind) {
    const run = new Run(kind);
    this.#unsent.add(run);
    if (kind !== undefined) this.#open.set(kind, run);
    this.#wake();
    return run;
  }

  /** Sends the next runs, after the code that is running now has made its calls. */
  #wake() {
    if (this.#isWoken || this.#unsent.size === 0 || this.#underWay.size >= this.#maxRuns) return;
    this.#isWoken = true;
    // queueMicrotask() would be slower: with it, a set over Level took 5 % longer.
    resolved.then(() => {
      this.#isWoken = false;
      for (const run of this.#unsent) {
        if (this.#underWay.size >= this.#maxRuns) return;
        this.#sendRun(run);
      }
    });
  }

  /** @param {Run<Request>} run */
  async #sendRun(run) {
    this.#close(run);
    this.#underWay.add(run);
    run.isSent = true;
    run.left = run.calls.length;
    try {
      await this.#send(run.calls);
    } catch (error) {
      for (const { reject } of run.calls) reject(error);
    }
  }

  /** @param {Run<Request>} run */
  #close(run) {
    this.#unsent.delete(run);
    if (this.#open.get(run.kind) === run) this.#open.delete(run.kind);
  }

  /** @param {Call<Request>} call */
  #end = (call) => {
    if (!this.#calls.delete(call)) return;
    this.#ranges.delete(call);
    for (const key of call.scope.keys ?? []) {
      const latest = this.#latest.get(key);
      if (latest?.delete(call) && latest.size === 0) this.#latest.delete(key);
    }
    const followers = [...call.followers];
    for (const follower of followers) unfollow(follower, call);
    this.#placeIfReady(followers);
    if (call.run && --call.run.left === 0) this.#underWay.delete(call.run);
    this.#wake();
  };
}

/**
 * @param {Scope} one
 * @param {Scope} other
 */
function conflict(one, other) {
  return (one.writes || other.writes) && overlap(one, other);
}

/**
 * @param {Scope} one
 * @param {Scope} other
 * @returns {boolean}
 */
function overlap(one, other) {
  const { keys = [], prefix } = one;
  if (prefix === undefined) return keys.some((key) => isIn(key, other));
  if (other.prefix === undefined) return overlap(other, one);
  return prefix.startsWith(other.prefix) || other.prefix.startsWith(prefix);
}

/**
 * @param {string} key
 * @param {Scope} scope
 */
function isIn(key, { keys = [], prefix }) {
  return prefix === undefined ? keys.includes(key) : key.startsWith(prefix);
}

/**
 * @template Request
 * @param {Call<Request>} call
 * @param {Run<Request>} run The run that is joined by another call, for which this one waits.
 */
function join(call, run) {
  if (call.joinedRun !== run) call.joined = 0;
  call.joinedRun = run;
  ++call.joined;
}

/**
 * @template Request
 * @param {Call<Request>} call
 * @param {Call<Request>} other
 */
function unfollow(call, other) {
  call.waitsFor.delete(other);
  other.followers.delete(call);
  if (other.run && call.joinedRun === other.run) --call.joined;
}
