// The driver: it does what an operation of the core asks for, on a client, and answers. A client that answers at once
// keeps the whole operation synchronous; one that returns a promise is waited for. Keys and values stay on this side.

import { abandon, answer, answerPage, Ask, freshKey, Method, NEVER, number, Outcome } from "./core.js";
import { PAGE_LENGTH, pageExpires, pageVerdicts, start, Verdict } from "./core.js";
import { clientError, PolystoreError, show } from "../support/errors.js";
import { ticks } from "#ticks";
import { inTime, isPromise } from "../support/promise.js";
import { isRecord } from "../support/record.js";

import { copyStored } from "../values/plain.js";

/** @typedef {import("../open/source.js").Connection} Connection */
/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */
/** @typedef {import("./client.js").Evicted} Evicted */

// A step is a number: what is asked in the low four bits, and the operation in the rest; or 0, and how it ended.
const ASK = 15;
const OUTCOME_SHIFT = 4;
/** The step with which a `get` ends that found a value. */
const FOUND = Outcome.value << OUTCOME_SHIFT;

/**
 * One call of a user, with what its operation needs and the core does not know. Every property costs `get` some
 * nanoseconds, so those that few calls need are in the classes below.
 */
export class Task {
  /** What was read. @type {StoredRecord | null} */
  record = null;
  /**
   * @param {number} method
   * @param {string} key
   * @param {string} id The key with its prefix.
   */
  constructor(method, key, id) {
    this.method = method;
    this.key = key;
    this.id = id;
  }
}

/** A call that writes. */
export class Writing extends Task {
  /**
   * @param {number} method
   * @param {string} key
   * @param {string} id The key with its prefix; for `add`, the prefix.
   * @param {any} value
   * @param {number} expires In seconds, or NEVER.
   */
  constructor(method, key, id, value, expires) {
    super(method, key, id);
    this.value = value;
    this.expires = expires;
  }
}

/** @type {(key: string, value: any) => any} */
const keyOnly = (key) => key;
/** @type {import("./client.js").Page} */
const NOTHING = { ids: [], found: [] };

/** A call that goes through all records with the prefix. */
export class Listing extends Task {
  /** What it hands over. @type {any[]} */
  kept = [];
  /** @type {Iterator<any> | AsyncIterator<any> | null} */
  pages = null;
  /** What the client gave last. @type {import("./client.js").Page} */
  given = NOTHING;
  /** How much of that the core has seen: a part at a time, for a page of a client may be the whole store. */
  seen = 0;
  /** The page that the core sees: full keys and records. @type {{ ids: string[], records: StoredRecord[] }} */
  page = { ids: [], records: [] };

  /**
   * @param {number} method
   * @param {string} prefix
   * @param {import("./client.js").Wanted} [wanted] To remove a record, its key and its expiry are enough.
   * @param {(key: string, value: any) => any} [project] What it hands over of a record.
   */
  constructor(method, prefix, wanted = "keys", project = keyOnly) {
    super(method, "", prefix);
    this.wanted = wanted;
    this.project = project;
  }
}

/**
 * Runs a `get` or a `has`, whose first question is nearly always the only one: is there a record? Asked here, without
 * the loop of `run` and the task that it keeps, a `get` over a Map takes a fifth less time.
 * @param {Connection} connection
 * @param {number} method
 * @param {string} key
 * @param {string} id The key with its prefix.
 * @param {number | undefined} timeout How long an answer of the client is waited for, in milliseconds; 0 or undefined is for ever.
 * @returns {any} What the call resolves with, or a promise of it.
 */
export function lookUp(connection, method, key, id, timeout) {
  const { client, sequence: since } = connection;
  const step = start(method, connection.traits, 0, 0);
  if ((step & ASK) !== Ask.read) return run(connection, new Task(method, key, id), step, since, timeout);
  let found;
  try {
    found = client.read(id);
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
 * @returns {any} What the call resolves with, or a promise of it.
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
 * @returns {any} What the call resolves with, or a promise of it.
 */
function run(connection, task, step, since, timeout) {
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
 * Goes on with a call whose client returned a promise.
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
  // A close() waits for the others, not for itself.
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
 * What a client replied, if that comes in time. Only the client's own time counts: a close() waits for the other calls
 * as long as those take.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {unknown} reply Or a promise of it.
 * @param {number | undefined} timeout
 */
function answerOf({ client }, task, step, reply, timeout) {
  const ask = step & ASK;
  if (!isPromise(reply) || ask === Ask.drain) return reply;
  const giveUp = (/** @type {Error} */ error) => {
    client.giveUp?.(reply);
    return error;
  };
  const answer =
    timeout || ticks?.areFake() ? inTime((resolve, reject) => reply.then(resolve, reject), timeout, giveUp) : reply;
  return (ask === Ask.evict || ask === Ask.sift) && !mustRemove(task) ? answer.then(undefined, () => 0) : answer;
}

/**
 * Lists records one by one, page by page. What is asked first is asked before the first next() returns.
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
      // While the user looks at the records, nothing is under way.
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
    // Also where the user leaves the loop.
    if (step & ASK) abandon(step);
    connection.endStream();
    await task.pages?.return?.();
  }
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
function begin(connection, task) {
  const { method } = task;
  if (!(task instanceof Writing)) return start(method, connection.traits, 0, 0);
  return start(method, connection.traits, task.expires, task.value === null ? 0 : 1);
}

/**
 * Does what a step asks.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {number} since
 * @returns {unknown} What the client replied, or a promise of it.
 */
function request(connection, task, step, since) {
  const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
  switch (step & ASK) {
    case Ask.read:
      return client.read(task.id);
    case Ask.write:
      connection.note(task.id);
      return client.write(task.id, /** @type {Writing} */ (task).value, numberOrNull());
    case Ask.erase:
      connection.note(task.id);
      return client.erase(task.id);
    case Ask.has:
      return client.has(task.id);
    case Ask.clock:
      return Date.now();
    case Ask.evict:
      return evict(connection, task, since, [{ id: task.id, expires: task.record?.expires ?? null }]);
    case Ask.make_key:
      task.key = freshKey();
      task.id += task.key; // Which was the prefix so far.
      return undefined;
    case Ask.add:
      return client.add(task.id, /** @type {Writing} */ (task).value, numberOrNull());
    case Ask.page:
      return nextPage(client, /** @type {Listing} */ (task));
    case Ask.sift:
      return sift(connection, /** @type {Listing} */ (task), since);
    case Ask.clear:
      return client.clear(task.id);
    case Ask.prune:
      return client.prune(task.id);
    case Ask.drain:
      client.closing?.();
      return connection.drain();
  }
  return client.close?.(); // Ask.close: there is no other.
}

/**
 * Tells the core what came of a step, and runs it to its next.
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
    case Ask.has:
      return answer(step, reply && !isCleared(connection, since, task.id) ? 1 : 0, 0);
    case Ask.clock:
      return answer(step, 1, reply);
    case Ask.add:
      if (typeof reply !== "string") throw new TypeError(`it gave ${show(reply)} where the new key was expected`);
      // Clients differ in whether they give the prefix back.
      task.key = reply.startsWith(task.id) ? reply.slice(task.id.length) : reply;
      connection.note(task.id + task.key);
      return answer(step, 1, 0);
    case Ask.page:
      return reply.done
        ? answerPage(step, 0, 1)
        : fillPage(connection, /** @type {Listing} */ (task), step, reply.value, since);
    case Ask.prune:
    case Ask.sift:
      return answer(step, 1, Number(reply) || 0);
  }
  return answer(step, 1, 0);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 */
function conclude(connection, task, step) {
  switch (step >> OUTCOME_SHIFT) {
    case Outcome.value:
      return valueOf(connection, /** @type {StoredRecord} */ (task.record));
    case Outcome.absent:
      return null;
    case Outcome.yes:
      return true;
    case Outcome.no:
      return false;
    case Outcome.done:
      return resultOf(task);
    case Outcome.closed:
      throw closedError(connection);
  }
  throw unsupportedError(connection); // Outcome.unsupported: there is no other.
}

/**
 * @param {import("./client.js").Client} client
 * @param {Listing} task
 */
function nextPage(client, task) {
  if (task.seen < task.given.ids.length) return { done: false, value: task.given };
  task.seen = 0;
  task.pages ??= /** @type {Required<typeof client>} */ (client).pages(task.id, task.wanted);
  return task.pages.next();
}

/** @param {Task} task */
function resultOf(task) {
  switch (task.method) {
    case Method.list:
      return /** @type {Listing} */ (task).kept;
    case Method.prune:
      return number();
    case Method.clear:
    case Method.close:
      return undefined;
  }
  return task.key;
}

/**
 * Shows the core the next records of a client's page, as many as it sees at a time: the expiry of each.
 * @param {Connection} connection
 * @param {Listing} task
 * @param {number} step
 * @param {import("./client.js").Page} page
 * @param {number} since
 */
function fillPage(connection, task, step, page, since) {
  const { ids, found } = (task.given = page);
  /** @type {number[]} */
  const expires = [];
  task.page = { ids: [], records: [] };
  while (task.seen < ids.length && expires.length < PAGE_LENGTH) {
    const i = task.seen++;
    const record = recordOf(connection, since, ids[i], found[i]);
    if (record === null) continue;
    expires.push(record.expires ?? NEVER);
    task.page.ids.push(ids[i]);
    task.page.records.push(record);
  }
  // Only now, when no code of the user can run in between: the page is shared by all operations.
  pageExpires().set(expires);
  return answerPage(step, expires.length, 0);
}

/**
 * Carries out the verdicts on a page. They are copied first: a client, or a getter of a stored object, may come back to us.
 * @param {Connection} connection
 * @param {Listing} task
 * @param {number} since
 */
function sift(connection, task, since) {
  const { ids, records } = task.page;
  const verdicts = pageVerdicts().slice(0, ids.length);
  /** @type {Evicted[]} */
  const evicted = [];
  for (let i = 0; i < ids.length; ++i) {
    if (verdicts[i] === Verdict.keep) {
      task.kept.push(task.project(ids[i].slice(task.id.length), valueOf(connection, records[i])));
    } else if (verdicts[i] === Verdict.evict) {
      evicted.push({ id: ids[i], expires: records[i].expires, record: records[i] });
    }
  }
  return evict(connection, task, since, evicted);
}

/**
 * What was found at a key, if it is a record, and not one that a clear() has yet to remove.
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
 * The value of a record, as the user gets it.
 * @param {Connection} connection
 * @param {StoredRecord} record
 */
function valueOf({ client }, { value }) {
  return client.copies === "both" ? copyStored(value) : value;
}

/**
 * Whether a clear() that was called before this call is yet to remove a record: where a client cannot clear by itself
 * that takes several steps, and the call came in between.
 * @param {Connection} connection
 * @param {number} since
 * @param {string} id
 */
function isCleared({ clearings, written }, since, id) {
  if (clearings.length === 0) return false;
  return clearings.some(
    ({ prefix, began, ended }) =>
      began <= since && since < ended && id.startsWith(prefix) && !(Number(written.get(id)) > began),
  );
}

/**
 * Whether a call fails where records cannot be removed. What has expired is absent to a call that only reads, whether or not it
 * can be removed.
 * @param {Task} task
 */
const mustRemove = ({ method }) => method === Method.prune || method === Method.clear;

/**
 * Removes records that were read, except where something was written since: the reader is late, not the writer.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} since
 * @param {Evicted[]} read
 * @returns {number | PromiseLike<number>} How many were removed.
 */
function evict({ client, written, forgotten }, task, since, read) {
  const evicted = read.filter(({ id }) => since >= forgotten && !(Number(written.get(id)) > since));
  if (evicted.length === 0) return 0;
  try {
    return client.evict ? client.evict(evicted) : eraseAll(client, evicted);
  } catch (error) {
    if (mustRemove(task)) throw error;
    return 0;
  }
}

/**
 * @param {import("./client.js").Client} client
 * @param {Evicted[]} evicted
 */
function eraseAll(client, evicted) {
  const promises = evicted.map(({ id }) => client.erase(id)).filter(isPromise);
  return promises.length > 0 ? Promise.all(promises).then(() => evicted.length) : evicted.length;
}

function numberOrNull() {
  const given = number();
  return given === NEVER ? null : given;
}

/**
 * Ends an operation that its client failed.
 * @param {Connection} connection
 * @param {Task} task
 * @param {number} step
 * @param {unknown} error
 */
function fail(connection, task, step, error) {
  if (step & ASK) abandon(step);
  // What a listing has open is let go; should that fail too, the first error is the one to tell.
  Promise.resolve(/** @type {Partial<Listing>} */ (task).pages?.return?.()).catch(() => {});
  return clientError(describe(connection, task), error);
}

/**
 * @param {Connection} connection
 * @param {Task} task
 */
function describe({ client }, task) {
  const [name] = Object.entries(Method).find(([, method]) => method === task.method) ?? [];
  const called = task instanceof Listing && task.method === Method.list ? task.wanted : name;
  return `${client.type} ${called}(${task.id === "" ? "" : show(task.id)})`;
}

/** @param {Connection} connection */
function closedError({ client }) {
  return new PolystoreError(
    "ERR_CLOSED",
    `The ${client.type} store was closed. Wrap its client with kv() again to use it.`,
  );
}

/** @param {Connection} connection */
function unsupportedError({ client }) {
  const message = `The ${client.type} client cannot list what it holds: give it iterate(prefix), which yields [key, value].`;
  return new PolystoreError("ERR_UNSUPPORTED", message);
}
