// Concurrent changes of one key through one connection. Each alone takes two round trips, and if they ran side by side, all but one of
// them would be refused and start again. So one goes ahead, and those that come meanwhile are made together, with one read and one
// commit, however many they are: 1,000 increments of one key take four round trips.

import { isPromise } from "../support/promise.js";
import { isRecord } from "../support/record.js";

/** @typedef {import("./connection.js").Connection} Connection */
/** @typedef {import("./change.js").Changing} Changing */

/** A change that waits: its operation asks for the time. */
export class Waiting {
  /** Settles with the result of the change. @type {Promise<any>} */
  result;
  /** @type {(result: any) => void} */
  resolve = () => {};
  /** @type {(error: unknown) => void} */
  reject = () => {};

  /**
   * @param {Changing} task
   * @param {number} step
   * @param {number} since The sequence of the connection when the call began.
   * @param {number | undefined} timeout
   */
  constructor(task, step, since, timeout) {
    this.task = task;
    this.step = step;
    this.since = since;
    this.timeout = timeout;
    this.result = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
  }
}

/** The functions of driver.js that a group needs. @typedef {Pick<typeof import("./driver.js"), "answerOf" | "begin" | "conclude" | "fail" | "isCleared" | "run">} Driver */
/** @typedef {{ core: import("./change.js").Core, driver: Driver }} Tools */

/**
 * Runs a change. A change of one key waits for the pending changes of that key.
 * @param {Tools} tools
 * @param {Connection} connection
 * @param {Changing} task
 * @param {number | undefined} timeout How long to wait for an answer of the client, in milliseconds; 0 or undefined means no limit.
 * @returns {any} The result of the call, or a promise of it.
 */
export function performChange(tools, connection, task, timeout) {
  const { begin, run } = tools.driver;
  const { changing, client, sequence } = connection;
  const step = begin(connection, task);
  if (client.change && isWaiting(tools, step)) return changeInOneStep(tools, connection, task, step, timeout);
  const pending = changing.get(task.id);
  if (task.parts.length !== 1 || !client.commit || !isWaiting(tools, step))
    return run(connection, task, step, sequence, timeout);
  if (pending) {
    const waiting = new Waiting(task, step, sequence, timeout);
    pending.push(waiting);
    const round = connection.enter();
    return waiting.result.finally(() => connection.settle(round));
  }
  const result = run(connection, task, step, sequence, timeout);
  if (!isPromise(result)) return result;
  /** @type {Waiting[]} */
  const waiting = [];
  changing.set(task.id, waiting);
  const goOn = () => makeTogether(tools, connection, waiting).then(() => changing.delete(task.id));
  result.then(goOn, goOn);
  return result;
}

/**
 * Runs a change on a client that reads and changes in one step.
 * @param {Tools} tools
 * @param {Connection} connection
 * @param {Changing} task
 * @param {number} first The first step of the operation.
 * @param {number | undefined} timeout
 */
async function changeInOneStep({ core, driver }, connection, task, first, timeout) {
  const { answer, Ask, ASK_BITS } = core;
  const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
  const { sequence } = connection;
  const isCleared = (/** @type {string} */ id) => driver.isCleared(connection, sequence, id);
  const asks = (/** @type {number} */ step) => step & ((1 << ASK_BITS) - 1);
  /** Undefined if the operation has to begin again, because the storage did. @type {number | undefined} */
  let start = first;
  let step = first;
  /** @type {{ error: unknown } | undefined} */
  let failure;
  const decide = (/** @type {unknown[]} */ found) => {
    try {
      failure = undefined;
      if (start === undefined && asks(step)) core.abandon(step);
      step = start ?? driver.begin(connection, task);
      start = undefined;
      task.now = Date.now();
      step = answer(step, 1, task.now);
      while (asks(step) === Ask.page) step = task.judge(step, found, isCleared);
      step = answer(step, task.choose() ? 1 : 0, 0);
    } catch (error) {
      failure = { error };
      return [];
    }
    if (!asks(step)) return [];
    for (const { id } of task.changes) connection.note(id);
    return task.changes;
  };
  const round = connection.enter();
  try {
    const ids = task.parts.map(({ id }) => id);
    for (const id of ids) client.checkKey?.(id);
    const change = client.change(ids, decide);
    const reply = connection.watching ? tellLater(connection.watching, change, task) : change;
    await driver.answerOf(connection, task, Ask.commit, reply, timeout);
    if (failure) throw failure.error;
  } catch (error) {
    throw driver.fail(connection, task, step, error);
  } finally {
    connection.settle(round);
  }
  return driver.conclude(connection, task, asks(step) ? answer(step, 1, 0) : step);
}

/**
 * Tells of the changes that were chosen while the client changed them.
 * @param {import("../support/telling.js").Telling} watching
 * @param {PromiseLike<void> | void} change
 * @param {Changing} task
 */
async function tellLater(watching, change, task) {
  try {
    await change;
  } catch (error) {
    watching.madeAll([{ error }], task.changes); // They may have been made all the same.
    throw error;
  }
  watching.madeAll(undefined, task.changes, task.isTouch);
}

/**
 * Tells whether an operation waits for an answer. Otherwise it has ended.
 * @param {Tools} tools
 * @param {number} step
 */
const isWaiting = ({ core }, step) => (step & ((1 << core.ASK_BITS) - 1)) !== 0;

/**
 * Makes the changes of one key that wait, until none waits.
 * @param {Tools} tools
 * @param {Connection} connection
 * @param {Waiting[]} waiting Others may be added meanwhile.
 */
async function makeTogether(tools, connection, waiting) {
  /** @type {Waiting[]} */
  let group = [];
  while ((group = [...group, ...waiting.splice(0)]).length > 0) {
    try {
      group = await attempt(tools, connection, group);
    } catch (error) {
      for (const each of group) each.reject(tools.driver.fail(connection, each.task, each.step, error));
      group = [];
    }
  }
}

/**
 * @param {Tools} tools
 * @param {Connection} connection
 * @param {Waiting[]} group
 * @returns {Promise<Waiting[]>} The changes that another writer forestalled.
 */
async function attempt(tools, connection, group) {
  const { core, driver } = tools;
  const { answer, Ask } = core;
  const client = /** @type {Required<import("./client.js").Client>} */ (connection.client);
  const [first] = group;
  const { id } = first.task;
  client.checkKey?.(id);
  const given = await driver.answerOf(connection, first.task, Ask.page, client.read(id, "record"), first.timeout);
  /** @type {Waiting[]} */
  const staged = [];
  // The record as it is after the changes that come before in the group.
  let record = given;
  for (const each of group) {
    const { task, since } = each;
    try {
      task.now = Date.now();
      each.step = task.judge(answer(each.step, 1, task.now), [record], (key) =>
        driver.isCleared(connection, since, key),
      );
      each.step = answer(each.step, task.choose() ? 1 : 0, 0);
      if (!isWaiting(tools, each.step)) {
        each.resolve(driver.conclude(connection, task, each.step));
        continue;
      }
      const [change] = task.changes;
      record = "value" in change ? { value: change.value, expires: change.expires } : null;
      staged.push(each);
    } catch (error) {
      each.reject(driver.fail(connection, each.task, each.step, error));
    }
  }
  if (staged.length === 0) return [];
  const last = staged[staged.length - 1].task;
  /** @type {any} */
  let outcome;
  try {
    connection.note(id);
    const expectation = isRecord(given) ? { id, found: given } : { id, found: null, other: given };
    const reply = client.commit([{ expected: [expectation], changes: last.changes }], last.now);
    const told =
      connection.watching?.madeAll(
        reply,
        last.changes,
        staged.every(({ task }) => task.isTouch),
      ) ?? reply;
    const outcomes = /** @type {any} */ (await driver.answerOf(connection, last, Ask.commit, told, first.timeout));
    outcome = outcomes[0];
    if (typeof outcome === "object") throw outcome.error;
  } catch (error) {
    for (const each of staged) each.reject(driver.fail(connection, each.task, each.step, error));
    return [];
  }
  return staged.filter((each) => {
    each.step = answer(each.step, outcome ? 1 : 0, 0);
    if (isWaiting(tools, each.step)) return true;
    try {
      each.resolve(driver.conclude(connection, each.task, each.step));
    } catch (error) {
      each.reject(error);
    }
    return false;
  });
}
