import { behavioursOf } from "./contract/behaviours/behaviours.js";
import cases from "./contract/cases.json" with { type: "json" };
import changes from "./contract/changes.json" with { type: "json" };
import { checkAwkward } from "./contract/check.js";
import { runCase } from "./contract/runner.js";
import { makeClock } from "./contract/subject.js";
import { PolystoreError, show } from "./support/errors.js";

/** @typedef {import("./contract/subject.js").Subject} Subject */

const REQUIRED = ["kv", "open"];
const OPTIONS = [...REQUIRED, "close", "reopen", "name", "type", "clock", "refuses", "differs", "held", "watches"];
const TOLD = ["managesExpiry", "identity", "dropsExpired", "lists", "ownKeys", "atomic", "isTransactional"];

/** Settles when the case that was started last has ended: each has `Date.now` to itself. @type {Promise<unknown>} */
let last = Promise.resolve();

/**
 * The contract of a client, for any test runner. See contract.d.ts.
 * @param {Partial<Subject> & Pick<Subject, "kv" | "open">} options
 */
export function contract(options) {
  check(options);
  /** @type {Subject} */
  const subject = { name: "the client", clock: makeClock(), refuses: {}, ...options };
  const table = /** @type {import("./contract/check.js").Case[]} */ (/** @type {any} */ ([...cases, ...changes]));
  const all = [
    ...table.map((testCase) => ({ name: testCase.name, run: () => runCase(testCase, subject) })),
    ...behavioursOf(subject),
  ];
  return all.map(({ name, run }) => ({ name, run: () => inTurn(run) }));
}

/**
 * @template Result
 * @param {() => Promise<Result>} run
 * @returns {Promise<Result>}
 */
function inTurn(run) {
  const turn = last.then(run);
  last = turn.catch(() => {}); // Whoever called run() hears of it.
  return turn;
}

/**
 * @param {any} options
 * @throws {PolystoreError} ERR_OPTIONS
 */
function check(options) {
  const wrong = REQUIRED.find((name) => typeof options?.[name] !== "function");
  if (wrong) {
    throw new PolystoreError(
      "ERR_OPTIONS",
      `contract() was given ${show(options?.[wrong])} as its option ${wrong}; it must be a function, as in contract({ kv, open: () => new MyClient() }).`,
    );
  }
  const known = [...OPTIONS, ...TOLD];
  const unknown = Object.keys(options).find((name) => !known.includes(name));
  if (unknown) {
    throw new PolystoreError("ERR_OPTIONS", `contract() has no option ${unknown}. It has ${known.join(", ")}.`);
  }
  try {
    [...Object.keys(options.refuses ?? {}), ...(options.differs ?? [])].forEach(checkAwkward);
  } catch (error) {
    throw new PolystoreError("ERR_OPTIONS", /** @type {Error} */ (error).message, { cause: error });
  }
}
