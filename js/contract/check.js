// Refuses what is no case, so that a slip of the pen is an error and not a case that checks nothing. The grammar is in
// runner.js.

import { isFunction } from "./functions.js";

/**
 * @typedef {object} Call
 * @property {string} call
 * @property {any[]} [args]
 * @property {({ prefix: any } | { expires: any, sliding?: boolean })[]} [through]
 * @property {any} [gives]
 * @property {number} [gives_about]
 * @property {Record<string, any>} [gives_part]
 * @property {any[]} [gives_any_order]
 * @property {string} [gives_match]
 * @property {string} [fails]
 * @property {string} [throws]
 * @property {string} [as]
 */
/** @typedef {Call | { advance: number } | { reopen: true } | { at_once: Call[] }} Step */
/** @typedef {{ name: string, awkward?: string, steps: Step[] }} Case */

const WRITE = ["prefix", "expires"];
const UPDATE = [...WRITE, "renew"];
const RANGE = ["gt", "gte", "lt", "lte", "limit", "reverse"];
/**
 * How many arguments a method takes, at least and at most, and the fields of the last one if it is an object of options.
 * @type {Record<string, [number, number, string[]?]>}
 */
const METHODS = {
  get: [1, 1],
  set: [2, 3, WRITE],
  add: [1, 2, WRITE],
  has: [1, 1],
  del: [1, 1],
  ttl: [1, 1],
  touch: [1, 2],
  entry: [1, 1],
  update: [2, 3, UPDATE],
  incr: [1, 3, UPDATE],
  setIfAbsent: [2, 3, WRITE],
  cas: [3, 4, UPDATE],
  take: [1, 1],
  batch: [1, 1],
  getMany: [1, 1],
  setMany: [1, 2, WRITE],
  delMany: [1, 1],
  hasMany: [1, 1],
  keys: [0, 1, RANGE],
  values: [0, 1, RANGE],
  entries: [0, 1, RANGE],
  all: [0, 1, RANGE],
  size: [0, 1, RANGE],
  iterate: [0, 1, RANGE],
  clear: [0, 1, RANGE],
  page: [0, 1, [...RANGE, "cursor"]],
  prune: [0, 0],
  close: [0, 0],
};
/** The names that a storage may have in `refuses`; contract.d.ts explains each. @type {import("../contract.js").Awkward[]} */
const AWKWARD = [
  "empty key",
  "dots only",
  "long key",
  "long file name",
  "NUL in a key",
  "lone surrogate key",
  "reserved cookie name",
  "large value",
  "many records",
  "sub-second expiry",
  "life beyond 400 days",
  "pages in order",
];
const EXPECTATIONS = ["gives", "gives_about", "gives_part", "gives_any_order", "gives_match", "fails", "throws"];

/**
 * @param {Case} testCase
 * @throws {Error} Where it does not follow the grammar.
 */
export function checkCase(testCase) {
  const { name, awkward, steps } = testCase;
  demand(typeof name === "string" && name !== "", `a case has no name: ${JSON.stringify(testCase)}`);
  try {
    onlyFields(testCase, ["name", "awkward", "steps"]);
    if (awkward !== undefined) checkAwkward(awkward);
    demand(Array.isArray(steps) && steps.length > 0, "there are no steps");
    for (const step of steps) checkStep(step);
    demand(steps.some(expectsSomething), "nothing is expected of any step, so it cannot fail");
    demand(awkward === undefined || "call" in steps[0] || "at_once" in steps[0], "the first step cannot be refused");
  } catch (error) {
    throw new Error(`case "${name}": ${/** @type {Error} */ (error).message}`);
  }
}

/**
 * @param {string} property
 * @throws {Error} Where it is nothing that a storage may refuse.
 */
export function checkAwkward(property) {
  demand(
    AWKWARD.some((known) => known === property),
    `no storage may refuse "${property}"`,
  );
}

/** @param {Step} step */
function checkStep(step) {
  const kinds = ["call", "advance", "reopen", "at_once"].filter((kind) => kind in step);
  demand(kinds.length === 1, `what kind of step is ${JSON.stringify(step)}?`);
  if ("call" in step) return checkCall(step);
  onlyFields(step, kinds);
  if ("advance" in step) demand(Number.isInteger(step.advance) && step.advance > 0, "advance takes milliseconds");
  if ("reopen" in step) demand(step.reopen === true, "reopen takes true");
  if ("at_once" in step) {
    demand(step.at_once.length > 1, "one call at once is just a call");
    for (const call of step.at_once) checkCall(call);
  }
}

/** @param {Call} call */
function checkCall(call) {
  onlyFields(call, ["call", "args", "through", "as", ...EXPECTATIONS]);
  const arity = Object.hasOwn(METHODS, call.call) ? METHODS[call.call] : undefined;
  if (arity === undefined) throw new Error(`there is no method ${call.call}`);
  const { args = [], through = [] } = call;
  demand(args.length >= arity[0] && args.length <= arity[1], `${call.call} does not take ${args.length} arguments`);
  const [, most, fields] = arity;
  if (fields && args.length === most) onlyFields(args[most - 1], fields);
  if (call.call === "update") {
    onlyFields(args[1], ["function", "with"]);
    demand(isFunction(args[1].function), `there is no function ${args[1].function}`);
  }
  for (const derive of through) {
    onlyFields(derive, "expires" in derive ? ["expires", "sliding"] : ["prefix"]);
    demand(Object.keys(derive).length > 0, "each part of through is a prefix or an expires");
  }
  demand(EXPECTATIONS.filter((name) => name in call).length <= 1, `${call.call} expects more than one thing`);
  demand(call.as === undefined || typeof call.as === "string", "as takes a name");
}

/**
 * @param {Step} step
 * @returns {boolean}
 */
function expectsSomething(step) {
  if ("at_once" in step) return step.at_once.some(expectsSomething);
  return EXPECTATIONS.some((name) => name in step);
}

/**
 * @param {object} object
 * @param {string[]} known
 */
function onlyFields(object, known) {
  for (const name of Object.keys(object)) demand(known.includes(name), `unknown field "${name}"`);
}

/**
 * @param {boolean} condition
 * @param {string} complaint
 * @returns {asserts condition}
 */
function demand(condition, complaint) {
  if (!condition) throw new Error(complaint);
}
