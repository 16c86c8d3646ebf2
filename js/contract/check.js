// Refuses what is no case, so that a slip of the pen is an error and not a case that checks nothing. The grammar is in
// runner.js.

/**
 * @typedef {object} Call
 * @property {string} call
 * @property {any[]} [args]
 * @property {({ prefix: any } | { expires: any })[]} [through]
 * @property {any} [gives]
 * @property {any[]} [gives_any_order]
 * @property {string} [gives_match]
 * @property {string} [fails]
 * @property {string} [as]
 */
/** @typedef {Call | { advance: number } | { reopen: true } | { at_once: Call[] }} Step */
/** @typedef {{ name: string, awkward?: string, steps: Step[] }} Case */

/** How many arguments a method takes, at least and at most. @type {Record<string, [number, number]>} */
const METHODS = {
  get: [1, 1],
  set: [2, 3],
  add: [1, 2],
  has: [1, 1],
  del: [1, 1],
  keys: [0, 0],
  values: [0, 0],
  entries: [0, 0],
  all: [0, 0],
  clear: [0, 0],
  prune: [0, 0],
  close: [0, 0],
  iterate: [0, 0],
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
];
const EXPECTATIONS = ["gives", "gives_any_order", "gives_match", "fails"];

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
  const options = args[arity[1] - 1];
  if (call.call === "set" || call.call === "add") {
    if (args.length === arity[1]) onlyFields(options, ["prefix", "expires"]);
  }
  for (const derive of through) {
    onlyFields(derive, ["prefix", "expires"]);
    demand(Object.keys(derive).length === 1, "each part of through is a prefix or an expires");
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
