// Runs the cases of cases.json, on any platform. The C++ runner reads the same file.
//
//     case        = { "name": text, "awkward"?: property, "steps": [step, ...] }
//     step        = call / { "advance": milliseconds } / { "reopen": true } / { "at_once": [call, ...] }
//     call        = { "call": method, "args"?: [...], "through"?: [{ "prefix": p } / { "expires": e }, ...],
//                     expectation?, "as"?: name }
//     expectation = "gives": value           the result is this; null where there is none
//                 / "gives_any_order": [...] the result is an array of these, in any order
//                 / "gives_match": regex     the result is a text, all of which matches
//                 / "fails": code            the call rejects with an error of this code
//
// A call is made on the store, or on the one derived from it by what `through` says, in its order. `iterate` is not a
// method: it collects the iteration in an array of [key, value]. `advance` moves the clock. `reopen` opens the storage
// anew. `at_once` makes its calls in one tick, waiting for none before the next, and then waits for all.
//
// Anywhere in `args`, `through` and expectations, { "$": name } stands for the result that a call kept with `as`, and
// { "repeat": text, "times": n } for a long text.
//
// `awkward` names what a storage may refuse; check.js lists it all. Where the manifest of a subject does, with a code,
// the first step must fail with that code and leave nothing behind: afterwards keys() must give []. If the first step is
// an `at_once`, of which a storage may well take a part, then some calls must fail so, and keys() must give what the
// others gave. The rest of the case is not run.
//
// On a subject that drops what expires by itself, prune() must give 0 where a case says more.

import { checkAwkward, checkCase } from "./check.js";
import { same, sameElements, show } from "./equal.js";
import { withClock } from "./subject.js";
import { toldOf, upToListing } from "./traits.js";

/** @typedef {import("./subject.js").Subject} Subject */
/** @typedef {import("./traits.js").ToldSubject} ToldSubject */
/** @typedef {import("./check.js").Call} Call */
/** @typedef {import("./check.js").Case} Case */

/**
 * Runs one case.
 * @param {Case} testCase
 * @param {Subject} subject
 * @returns {Promise<"held" | "refused">} What became of it; rejects where the contract is broken.
 */
export async function runCase(testCase, subject) {
  checkCase(testCase);
  [...Object.keys(subject.refuses), ...(subject.differs ?? [])].forEach(checkAwkward);
  return withClock(subject, async () => {
    const client = await subject.open();
    const told = toldOf(subject, client);
    const run = new Run(testCase, told, client);
    try {
      return await upToListing(told, () => run.all());
    } finally {
      await subject.close?.(run.client);
    }
  });
}

/** What came of a call. @typedef {{ result: any } | { error: any }} Outcome */

class Run {
  #case;
  #subject;
  #client;
  /** @type {any} */
  #store;
  /** What calls kept with `as`. @type {Map<string, unknown>} */
  #kept = new Map();
  #step = 0;

  /**
   * @param {Case} testCase
   * @param {ToldSubject} subject
   * @param {any} client
   */
  constructor(testCase, subject, client) {
    this.#case = testCase;
    this.#subject = subject;
    this.#client = client;
    this.#store = subject.kv(client);
  }

  /** What the storage was opened with last. */
  get client() {
    return this.#client;
  }

  /** @returns {Promise<"held" | "refused">} */
  async all() {
    const { awkward, steps } = this.#case;
    const refusal = awkward === undefined ? undefined : this.#subject.refuses[awkward];
    if (awkward !== undefined && this.#subject.differs?.includes(awkward)) return "refused";
    if (refusal !== undefined) {
      await this.#refused(refusal);
      return "refused";
    }
    for (const step of steps) {
      ++this.#step;
      if ("advance" in step) this.#subject.clock.advance(step.advance);
      else if ("reopen" in step) await this.#reopen();
      else if ("at_once" in step) await this.#calls(step.at_once);
      else await this.#calls([step]);
    }
    return "held";
  }

  async #reopen() {
    this.#client = (await this.#subject.reopen?.(this.#client)) ?? this.#client;
    this.#store = this.#subject.kv(this.#client);
  }

  /** @param {Call[]} calls All of which are made before the first is waited for. */
  async #calls(calls) {
    const outcomes = calls.map((call) => this.#make(call));
    for (const [i, outcome] of outcomes.entries()) this.#check(calls[i], await outcome);
  }

  /** @param {string} code */
  async #refused(code) {
    this.#step = 1;
    const [first] = this.#case.steps;
    const calls = "at_once" in first ? first.at_once : [/** @type {Call} */ (first)];
    const outcomes = await Promise.all(calls.map((call) => this.#make(call)));
    const refused = outcomes.filter((outcome) => "error" in outcome && outcome.error?.code === code);
    const taken = outcomes.flatMap((outcome) => ("error" in outcome ? [] : [outcome.result]));
    if (refused.length === 0 || refused.length + taken.length < calls.length) {
      const other = outcomes.find((outcome) => !refused.includes(outcome));
      throw this.#broken(calls[0], `a failure with ${code}, as the storage refuses "${this.#case.awkward}"`, other);
    }
    const keys = await this.#store.keys();
    if (sameElements(keys, taken)) return;
    throw this.#broken({ call: "keys" }, `${show(taken)} after a refusal`, { result: keys });
  }

  /**
   * Makes a call; what it returns never rejects.
   * @param {Call} call
   * @returns {Promise<Outcome>}
   */
  #make(call) {
    let store = this.#store;
    for (const derive of this.#filled(call.through ?? [])) {
      store = "prefix" in derive ? store.prefix(derive.prefix) : store.expires(derive.expires);
    }
    let made;
    try {
      made = call.call === "iterate" ? collect(store) : store[call.call](...this.#filled(call.args ?? []));
    } catch (error) {
      throw this.#broken(call, "a promise, whatever comes of it", { error });
    }
    if (typeof made?.then !== "function") throw this.#broken(call, "a promise", { result: made });
    return made.then(
      (/** @type {unknown} */ result) => ({ result }),
      (/** @type {unknown} */ error) => ({ error }),
    );
  }

  /**
   * @param {Call} call
   * @param {Outcome} outcome
   */
  #check(call, outcome) {
    if (call.fails !== undefined) {
      if ("error" in outcome && outcome.error?.code === call.fails) return;
      throw this.#broken(call, `a failure with ${call.fails}`, outcome);
    }
    if ("error" in outcome) throw this.#broken(call, "no failure", outcome);
    const { result } = outcome;
    if (call.call === "prune" && call.gives > 0 && this.#subject.dropsExpired) {
      if (result !== 0) throw this.#broken(call, "0, as the storage itself drops what expires", outcome);
      return;
    }
    if (call.as !== undefined) this.#kept.set(call.as, result);
    if ("gives" in call) {
      const expected = this.#filled(call.gives);
      if (!same(result, expected)) throw this.#broken(call, show(expected), outcome);
    }
    if (call.gives_any_order !== undefined) {
      const expected = this.#filled(call.gives_any_order);
      if (!sameElements(result, expected)) throw this.#broken(call, `${show(expected)} in any order`, outcome);
    }
    if (call.gives_match !== undefined) {
      const expected = new RegExp(`^(?:${call.gives_match})$`);
      if (typeof result !== "string" || !expected.test(result)) throw this.#broken(call, String(expected), outcome);
    }
  }

  /**
   * A copy in which every `$` and `repeat` is what it stands for. Always a copy: a store may keep what it is given.
   * @param {any} json
   * @returns {any}
   */
  #filled(json) {
    if (typeof json !== "object" || json === null) return json;
    if (Array.isArray(json)) return json.map((member) => this.#filled(member));
    if ("$" in json) return this.#recall(json.$);
    if ("repeat" in json) return json.repeat.repeat(json.times);
    return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, this.#filled(member)]));
  }

  /** @param {string} name */
  #recall(name) {
    if (!this.#kept.has(name)) throw new Error(`case "${this.#case.name}": nothing was kept as "${name}"`);
    return this.#kept.get(name);
  }

  /**
   * @param {Call} call
   * @param {string} expected
   * @param {Outcome} [outcome]
   */
  #broken(call, expected, outcome = { result: undefined }) {
    const where = `case "${this.#case.name}", step ${this.#step}, on ${this.#subject.name}`;
    const got =
      "error" in outcome
        ? `the error ${outcome.error?.code ?? "without a code"}: ${outcome.error}`
        : show(outcome.result);
    const cause = "error" in outcome ? outcome.error : undefined;
    return new Error(`${where}: ${describe(call)}\n  expected: ${expected}\n  got:      ${got}`, { cause });
  }
}

/**
 * @param {AsyncIterable<unknown>} store
 * @returns {Promise<unknown[]>}
 */
async function collect(store) {
  const pairs = [];
  for await (const pair of store) pairs.push(pair);
  return pairs;
}

/** @param {Call} call */
function describe({ call, args = [], through = [] }) {
  const derivation = through.map(
    (step) => `.${Object.entries(step).map(([name, value]) => `${name}(${show(value)})`)}`,
  );
  return `store${derivation.join("")}.${call}(${args.map(show).join(", ")})`;
}
