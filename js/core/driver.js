// The driver: it carries out each question of a core operation on a client, and tells the core the answer. A client that answers
// at once keeps the whole operation synchronous; a promise is awaited. Keys and values stay on the JavaScript side.

import { abandon, answer, answerPage, Ask, ASK_BITS, freshKey, Method, NEVER, number, Outcome } from "./core.js";
import { PAGE_LENGTH, pageExpires, pageVerdicts, start, Trait, Verdict } from "./core.js";
import { Listing, Sliding, Task, Thrown, Writing } from "./task.js";
import { clientError, PolystoreError, show } from "../support/errors.js";
import { ticks } from "#ticks";
import { PUT, REMOVED } from "../support/hint.js";
import { inTime } from "../support/in_time.js";
import { isPromise } from "../support/promise.js";
import { behind, BOUNDS } from "../support/range.js";
import { isRecord } from "../support/record.js";

import { copyStored } from "../values/plain.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./change.js").Changing} Changing */
/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */
/** @typedef {import("./client.js").Expectation} Expectation */
/** @typedef {import("./client.js").Outcome} CommitOutcome */

/** The bits of a step that hold the question. The others hold the operation or, if the question is 0, the outcome. */
const ASK = (1 << ASK_BITS) - 1;
/** What a method needs of a record, if it is not the value. @type {Record<number, "presence" | "expiry">} */
const neededBy = { [Method.has]: "presence", [Method.ttl]: "expiry" };
const NOTHING = () => {};
/**
 * Tells whether a call changes values depending on what is there. Its class is loaded on demand.
 * @param {object} task
 * @returns {task is Changing}
 */
const isChange = (task) => "parts" in task;
/** The step that ends a `get` which found a value. */
const FOUND = Outcome.value << ASK_BITS;

/**
 * Runs a `get` or a `has`. Nearly always, their first question is the only one: is there a record? Answering it here, without the
 * loop of `run` and its task, makes a `get` over a Map take 20 % less time.
 * @param {Connection} connection
 * @param {number} method
 * @param {string} key
 * @param {string} id The key with its prefix.
 * @param {number | undefined} timeout How long to wait for an answer of the client, in milliseconds; 0 or undefined means no limit.
 * @param {number} [life] The life of the value that a `get` renews, in seconds; 0 if it renews none.
 * @param {(connection: Connection, id: string) => void} [renew] Renews it. The read neither waits for that nor fails with it.
 * @returns {any} The result of the call, or a promise of it.
 */
export function lookUp(connection, method, key, id, timeout, life = 0, renew = NOTHING) {
  const { client, sequence: since } = connection;
  const step = start(method, connection.traits, life, 0);
  if (life > 0 || (step & ASK) !== Ask.read)
    return run(connection, new Sliding(method, key, id, life, renew), step, since, timeout);
  let found;
  try {
    client.checkKey?.(id);
    found = client.read(id, method === Method.has ? "presence" : undefined);
    if (isPromise(found)) return performLater(connection, new Task(method, key, id), step, found, since, timeout);
  } catch (error) {
    throw fail(connection, new Task(method, key, id), step, error);
  }
  const record = recordOf(connection, since, id, found);
  const next = answerRead(step, record);
  if (record !== null && next === FOUND) return valueOf(connection, record);
  const task = new Task(method, key, id);
  task.record = record;
  return run(connection, task, next, since, timeout);
}

/**
 * Runs a call from its beginning.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number | undefined} timeout
 * @returns {any} The result of the call, or a promise of it.
 */
export function perform(connection, task, timeout) {
  return run(connection, task, begin(connection, task), connection.sequence, timeout);
}

/**
 * Runs a call from a step on.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {number} since The sequence of the connection when the call began.
 * @param {number | undefined} timeout
 * @returns {any} The result of the call, or a promise of it.
 */
export function run(connection, task, step, since, timeout) {
  while (step & ASK) {
    try {
      const reply = request(connection, task, step, since);
      if (isPromise(reply)) return performLater(connection, task, step, reply, since, timeout);
      step = proceed(connection, task, step, reply, since);
    } catch (error) {
      throw fail(connection, task, step, error);
    }
  }
  return conclude(connection, task, step);
}

/**
 * Continues a call whose client returned a promise.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {PromiseLike<unknown>} reply
 * @param {number} since The sequence of the connection when the call began.
 * @param {number | undefined} timeout
 */
function performLater(connection, task, step, reply, since, timeout) {
  const result = finishLater(connection, task, step, reply, since, timeout);
  if (task.method === Method.close) connection.closing = result;
  return result;
}

/**
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {PromiseLike<unknown>} reply
 * @param {number} since
 * @param {number | undefined} timeout
 */
async function finishLater(connection, task, step, reply, since, timeout) {
  // A close() waits for the other calls, so it must not count as one of them.
  const round = task.method === Method.close ? undefined : connection.enter();
  const clearing = task.method === Method.clear ? connection.beginClearing(task.id) : null;
  try {
    for (let next = /** @type {unknown} */ (reply); ; next = request(connection, task, step, since)) {
      step = proceed(connection, task, step, await answerOf(connection, task, step, next, timeout), since);
      if (!(step & ASK)) return conclude(connection, task, step);
    }
  } catch (error) {
    throw fail(connection, task, step, error);
  } finally {
    if (clearing) connection.endClearing(clearing);
    if (round) connection.settle(round);
  }
}

/**
 * Waits for a reply of a client within the timeout. Waiting for other calls, as close() does, has no limit of its own.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {unknown} reply The reply, or a promise of it.
 * @param {number | undefined} timeout
 */
export function answerOf({ client }, task, step, reply, timeout) {
  const ask = step & ASK;
  if (!isPromise(reply) || ask === Ask.drain) return reply;
  const onLate = (/** @type {Error} */ error) => {
    client.onTimeout?.(reply);
    return error;
  };
  const answer =
    timeout || ticks?.areFake() ? inTime((resolve, reject) => reply.then(resolve, reject), timeout, onLate) : reply;
  return (ask === Ask.remove_if || ask === Ask.sift) && !mustRemove(task) ? answer.then(undefined, () => []) : answer;
}

/**
 * Lists records one by one, reading them page by page. The client gets the first request before the first next() returns.
 * @param {Connection} connection
 * @param {Listing} task
 * @param {number | undefined} timeout
 * @param {() => boolean} isClosed
 * @returns {AsyncGenerator<any, void, void>}
 */
export async function* stream(connection, task, timeout, isClosed) {
  const since = connection.sequence;
  let step = begin(connection, task);
  ++connection.streams;
  try {
    while (step & ASK) {
      // While the user handles the records of a page, the iteration is not a pending call.
      const round = connection.enter();
      try {
        while (step & ASK && task.kept.length === 0) {
          const reply = request(connection, task, step, since);
          const given = isPromise(reply) ? await answerOf(connection, task, step, reply, timeout) : reply;
          step = proceed(connection, task, step, given, since);
        }
      } finally {
        connection.settle(round);
      }
      for (const item of task.kept.splice(0)) {
        yield item;
        if (isClosed()) throw closedError(connection);
      }
    }
    conclude(connection, task, step);
  } catch (error) {
    const failure = fail(connection, task, step, error);
    step = 0;
    task.pages = null;
    throw failure;
  } finally {
    // This also runs if the user leaves the loop.
    if (step & ASK) abandon(step);
    connection.endStream();
    await task.pages?.return?.();
  }
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
export function begin(connection, task) {
  const { method } = task;
  if (task instanceof Writing) return start(method, connection.traits, task.expires, task.value === null ? 0 : 1);
  if (isChange(task))
    return start(method, connection.traits, 0, Number(task.renews) + 2 * Number(task.parts.length > 1));
  if (task instanceof Sliding) return start(method, connection.traits, task.life, 0);
  if (!(task instanceof Listing)) return start(method, connection.traits, 0, 0);
  // A client removes everything with a prefix by itself, but not the records within bounds.
  const isBounded = method === Method.clear && Object.keys(task.bounds).length > 0;
  return start(method, isBounded ? connection.traits & ~Trait.sweeps_all : connection.traits, task.limit, 0);
}

/**
 * Carries out the question of a step.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {number} since
 * @returns {unknown} The reply of the client, or a promise of it.
 */
function request(connection, task, step, since) {
  const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
  switch (step & ASK) {
    case Ask.read:
      client.checkKey?.(task.id);
      return client.read(task.id, task instanceof Sliding ? "record" : neededBy[task.method]);
    case Ask.put:
      return put(connection, /** @type {Writing} */ (task), numberOrNull());
    case Ask.remove:
      return remove(connection, task.id);
    case Ask.clock:
      return Date.now();
    case Ask.remove_if:
      return removeFound(connection, task, since, [{ id: task.id, found: task.record }]);
    case Ask.make_key:
      task.key = freshKey();
      task.id += task.key; // For add(), task.id held only the prefix until now.
      return undefined;
    case Ask.add:
      return client.add(
        task.id,
        /** @type {Writing} */ (task).value,
        numberOrNull(),
        /** @type {Writing} */ (task).now,
      );
    case Ask.page:
      return isChange(task) ? task.read(connection) : nextPage(client, /** @type {Listing} */ (task), task.id);
    case Ask.sift:
      return sift(connection, /** @type {Listing} */ (task), since);
    case Ask.sweep:
      return sweep(connection, task.id, numberOrNull());
    case Ask.change:
      return /** @type {Changing} */ (task).choose();
    case Ask.commit:
      return /** @type {Changing} */ (task).commit(connection);
    case Ask.drain:
      client.onClosing?.();
      return connection.drain();
  }
  return client.close?.(); // Only Ask.close is left.
}

/**
 * Tells the core the reply to a step, and runs the operation to its next step.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {any} reply
 * @param {number} since
 * @returns {number}
 */
function proceed(connection, task, step, reply, since) {
  switch (step & ASK) {
    case Ask.read:
      task.record = recordOf(connection, since, task.id, reply);
      return answerRead(step, task.record);
    case Ask.clock:
      if (task instanceof Writing || isChange(task)) task.now = reply;
      return answer(step, 1, reply);
    case Ask.put:
    case Ask.remove:
      if (connection.client.commit) requireDone(reply[0]);
      return answer(step, 1, 0);
    case Ask.add:
      if (typeof reply !== "string") throw new TypeError(`it returned ${show(reply)} instead of the new key`);
      // Some clients return the key with its prefix, others without.
      task.key = reply.startsWith(task.id) ? reply.slice(task.id.length) : reply;
      connection.note(task.id + task.key);
      connection.watching?.tell(task.id + task.key, PUT);
      return answer(step, 1, 0);
    case Ask.page:
      if (isChange(task)) return task.judge(step, reply, (id) => isCleared(connection, since, id));
      if (reply.done) return goesOn(/** @type {Listing} */ (task)) ? step : answerPage(step, 0, 1);
      return fillPage(connection, /** @type {Listing} */ (task), step, reply.value, since);
    case Ask.change:
      return answer(step, reply ? 1 : 0, 0);
    case Ask.commit:
      requireDone(reply[0]);
      return answer(step, reply[0] ? 1 : 0, 0);
    case Ask.remove_if:
    case Ask.sift:
      return answer(step, 1, countRemoved(task, reply));
    case Ask.sweep:
      return answer(step, 1, Number(reply) || 0);
  }
  return answer(step, 1, 0);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 */
export function conclude(connection, task, step) {
  switch (step >> ASK_BITS) {
    case Outcome.renew:
      /** @type {Sliding} */ (task).renew(connection, task.id);
    // falls through
    case Outcome.value:
      return valueOf(connection, /** @type {StoredRecord} */ (task.record));
    case Outcome.absent:
      return null;
    case Outcome.yes:
      return isChange(task) ? task.result() : true;
    case Outcome.no:
      return isChange(task) ? task.result() : false;
    case Outcome.seconds:
      return number();
    case Outcome.conflict:
      throw conflictError(connection, task);
    case Outcome.done:
      return resultOf(task);
    case Outcome.closed:
      throw closedError(connection);
  }
  throw unsupportedError(connection, task); // Only Outcome.unsupported is left.
}

/**
 * @param {import("./client.js").Client} client
 * @param {Listing} task
 * @param {string} prefix
 */
function nextPage(client, task, prefix) {
  if (task.seen < task.given.ids.length) return { done: false, value: task.given };
  if (task.pages === null) {
    /** @type {Record<string, unknown>} */
    const range = { prefix };
    for (const [name, bound] of Object.entries(task.bounds))
      if (bound !== undefined) range[name] = BOUNDS.includes(name) ? prefix + bound : bound;
    task.listed = 0;
    task.pages = /** @type {Required<typeof client>} */ (client).scan(/** @type {any} */ (range), task.wanted);
  }
  return task.pages.next();
}

/**
 * Goes on behind the last record of a listing that ended because of its limit, which also counts expired records. Each time it asks for
 * twice as many, because a storage without an order sorts all its keys for each listing.
 * @param {Listing} task
 * @returns {boolean} False if the listing ended because there are no more records.
 */
function goesOn(task) {
  const { limit = NEVER, place } = task.bounds;
  if (task.listed < limit || place) return false; // The next page begins at the place that the client has told.
  task.bounds = { ...behind(task.bounds, task.last.slice(task.id.length)), limit: 2 * limit };
  task.pages = null;
  return true;
}

/** @param {Task} task */
function resultOf(task) {
  switch (task.method) {
    case Method.list:
      return /** @type {Listing} */ (task).kept;
    case Method.prune:
    case Method.size:
      return number();
    case Method.clear:
    case Method.close:
      return undefined;
  }
  return task.key;
}

/**
 * Shows the core the expiries of the next records of a client's page, at most PAGE_LENGTH of them.
 * @param {Connection} connection
 * @param {Listing} task
 * @param {number} step
 * @param {import("./client.js").Page} page
 * @param {number} since
 */
function fillPage(connection, task, step, page, since) {
  const { ids, found } = page;
  if (page !== task.given) {
    task.given = page;
    task.seen = 0;
    task.listed += ids.length;
    task.last = ids[ids.length - 1] ?? task.last;
  }
  /** @type {number[]} */
  const expires = [];
  task.page = { ids: [], records: [] };
  while (task.seen < ids.length && expires.length < PAGE_LENGTH) {
    const i = task.seen++;
    // A custom client may list keys without the prefix that it was asked for; they are ignored.
    const record = ids[i].startsWith(task.id) ? recordOf(connection, since, ids[i], found[i]) : null;
    if (record === null) continue;
    expires.push(record.expires ?? NEVER);
    task.page.ids.push(ids[i]);
    task.page.records.push(record);
  }
  // All operations share the page. It is filled only now, because from here on no code of the user can run in between.
  pageExpires().set(expires);
  return answerPage(step, expires.length, 0);
}

/**
 * Carries out the verdicts on a page. They are copied first, because a client or a getter of a stored object may call the store again.
 * @param {Connection} connection
 * @param {Listing} task
 * @param {number} since
 */
function sift(connection, task, since) {
  const { ids, records } = task.page;
  const verdicts = pageVerdicts().slice(0, ids.length);
  /** @type {Expectation[]} */
  const removed = [];
  for (let i = 0; i < ids.length; ++i) {
    if (verdicts[i] === Verdict.keep) {
      task.kept.push(task.project(ids[i].slice(task.id.length), valueOf(connection, records[i])));
    } else if (verdicts[i] === Verdict.remove) {
      removed.push({ id: ids[i], found: records[i] });
    }
  }
  return removeFound(connection, task, since, removed);
}

/**
 * Returns what was found at a key, if it is a record and no clear() has yet to remove it; otherwise null.
 * @param {Connection} connection
 * @param {number} since
 * @param {string} id
 * @param {unknown} found
 */
function recordOf(connection, since, id, found) {
  return isRecord(found) && !isCleared(connection, since, id) ? found : null;
}

/**
 * @param {number} step
 * @param {StoredRecord | null} record
 */
function answerRead(step, record) {
  return record === null ? answer(step, 0, 0) : answer(step, 1, record.expires ?? NEVER);
}

/**
 * Returns the value of a record as the user receives it.
 * @param {Connection} connection
 * @param {StoredRecord} record
 */
function valueOf({ copies }, { value }) {
  return copies === "both" ? copyStored(value) : value;
}

/**
 * Tells whether a clear() that began before this call has yet to remove a record. If a client cannot clear by itself, clearing takes
 * several steps, and other calls may come in between.
 * @param {Connection} connection
 * @param {number} since
 * @param {string} id
 */
export function isCleared({ clearings, written }, since, id) {
  if (clearings.length === 0) return false;
  return clearings.some(
    ({ prefix, began, ended }) =>
      began <= since && since < ended && id.startsWith(prefix) && !(Number(written.get(id)) > began),
  );
}

/**
 * @param {Connection} connection
 * @param {Writing} task
 * @param {number | null} expires
 */
function put(connection, { id, value, now }, expires) {
  const { client } = connection;
  client.checkKey?.(id);
  connection.note(id);
  // A client without `commit` does not need the objects of a commit; making them would slow down a set over a Map by 20 %.
  const reply = client.commit
    ? client.commit([{ expected: [], changes: [{ id, value, expires }] }], now)
    : /** @type {Required<typeof client>} */ (client).put(id, value, expires, now);
  return connection.watching === null ? reply : connection.watching.made(reply, id, PUT, expires);
}

/**
 * @param {Connection} connection
 * @param {string} id
 */
function remove(connection, id) {
  const { client } = connection;
  client.checkKey?.(id);
  connection.note(id);
  const reply = client.commit
    ? client.commit([{ expected: [], changes: [{ id }] }], 0)
    : /** @type {Required<typeof client>} */ (client).remove(id);
  return connection.watching === null ? reply : connection.watching.made(reply, id, REMOVED);
}

/**
 * @param {Connection} connection
 * @param {string} prefix
 * @param {number | null} until
 */
function sweep({ client, watching }, prefix, until) {
  const reply = /** @type {Required<typeof client>} */ (client).sweep({ prefix }, until);
  // Whoever watches a record that expires knows when.
  return watching && until === null ? watching.swept(reply, prefix) : reply;
}

/**
 * Tells whether a call fails if records cannot be removed. For a call that only reads, an expired record is absent even if it
 * cannot be removed.
 * @param {Task} task
 */
const mustRemove = ({ method }) => method === Method.prune || method === Method.clear;

/**
 * Removes records that were read, except those whose keys were written since then.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} since
 * @param {Expectation[]} read
 * @returns {import("./client.js").Eventually<readonly CommitOutcome[]>}
 */
function removeFound({ client, watching, written, forgotten }, task, since, read) {
  const removed = read.filter(({ id }) => since >= forgotten && !(Number(written.get(id)) > since));
  if (removed.length === 0) return [];
  try {
    const reply = client.commit
      ? client.commit(removed.map(toRemoval), 0)
      : removeAll(/** @type {Required<typeof client>} */ (client), removed);
    return watching === null ? reply : watching.removed(reply, removed);
  } catch (error) {
    if (mustRemove(task)) throw error;
    return [];
  }
}

/**
 * @param {Expectation} expectation
 * @returns {import("./client.js").Commit}
 */
function toRemoval(expectation) {
  return { expected: [expectation], changes: [{ id: expectation.id }] };
}

/**
 * @param {Required<import("./client.js").Client>} client
 * @param {Expectation[]} removed
 * @returns {import("./client.js").Eventually<CommitOutcome[]>}
 */
function removeAll(client, removed) {
  const promises = removed.map(({ id }) => client.remove(id)).filter(isPromise);
  const outcomes = () => removed.map(() => true);
  return promises.length > 0 ? Promise.all(promises).then(outcomes) : outcomes();
}

/**
 * @param {Task} task
 * @param {readonly CommitOutcome[]} outcomes
 */
function countRemoved(task, outcomes) {
  if (mustRemove(task)) outcomes.forEach(requireDone);
  return outcomes.filter((outcome) => outcome === true).length;
}

/** @param {CommitOutcome} outcome */
function requireDone(outcome) {
  if (typeof outcome === "object") throw outcome.error;
}

function numberOrNull() {
  const given = number();
  return given === NEVER ? null : given;
}

/**
 * Ends an operation whose client failed, and returns the error for the user.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {unknown} error
 */
export function fail(connection, task, step, error) {
  if (step & ASK) abandon(step);
  if (error instanceof Thrown) return error.error;
  // End the iterator of a listing. If that fails too, the user still gets the first error.
  Promise.resolve(/** @type {Partial<Listing>} */ (task).pages?.return?.()).catch(() => {});
  return clientError(describe(connection, task), error);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
function describe({ type }, task) {
  const [name] = Object.entries(Method).find(([, method]) => method === task.method) ?? [];
  const called = isChange(task)
    ? task.name
    : task instanceof Listing && task.method === Method.list
      ? task.wanted
      : name;
  return `${type} ${called === "stream" ? "iteration" : called}(${task.id === "" ? "" : show(task.id)})`;
}

/** @param {Connection} connection */
function closedError({ type }) {
  return new PolystoreError("ERR_CLOSED", `The ${type} store was closed. Wrap its client with kv() again to use it.`);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
function conflictError(connection, task) {
  const message = `${describe(connection, task)} failed: other writers changed the value in each of 100 attempts. Nothing was changed; try again later.`;
  return new PolystoreError("ERR_CONFLICT", message);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
function unsupportedError(connection, task) {
  const { type, client } = connection;
  let reason = `The ${type} client cannot list its records. Give it a method iterate(prefix) that yields [key, value].`;
  if (isChange(task) || task instanceof Sliding) {
    const [lack, advice] =
      client.traits.atomic === "none"
        ? [
            "compare and change a value in one step",
            "Use another storage, or give a client of your own a method swap().",
          ]
        : ["change several keys as a whole", "Change one key at a time."];
    reason = `${describe(connection, task)} failed: a ${type} client cannot ${lack}. ${advice}`;
  }
  return new PolystoreError("ERR_UNSUPPORTED", reason);
}
