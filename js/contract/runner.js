// Runs the cases of cases.json and changes.json, on any platform. The C++ runner reads the same files.
//
//     case        = { "name": text, "awkward"?: property, "steps": [step, ...] }
//     step        = call / { "advance": milliseconds } / { "reopen": true } / { "at_once": [call, ...] }
//     call        = { "call": method, "args"?: [...], "through"?: [derivation, ...], expectation?, "as"?: name }
//     derivation  = { "prefix": p } / { "expires": e } / { "expires": e, "sliding": true }
//     expectation = "gives": value           the result is this; null where there is none
//                 / "gives_about": seconds   the result is this number, give or take 10 ms: a server has its own clock
//                 / "gives_part": object     the result has these members, and maybe others
//                 / "gives_any_order": [...] the result is an array of these, in any order
//                 / "gives_match": regex     the result is a text, all of which matches
//                 / "fails": code            the call rejects with an error of this code
//                 / "throws": text           the call rejects with the error that its function threw, which has this message
//
// A call is made on the store, or on the one derived from it by what `through` says, in its order. `iterate` is not a
// method: it collects the iteration in an array of [key, value]. `advance` moves the clock. `reopen` opens the storage
// anew. `at_once` makes its calls in one tick, waiting for none before the next, and then waits for all.
//
// Anywhere in `args`, `through` and expectations, an object may stand for a value:
//
//     { "$": name }                    the result that a call kept with `as`; with "member", that member of it
//     { "repeat": text, "times": n }   a long text
//     { "from_now": milliseconds }     a time, in milliseconds since the epoch
//     { "infinity": true }             the number that JSON cannot write
//     { "function": name, "with": v }  one of the functions of functions.js, for update()
//
// `awkward` names what a storage may refuse; check.js lists it all. Where the manifest of a subject does, with a code,
// the first step must fail with that code and leave nothing behind: afterwards keys() must give []. If the first step is
// an `at_once`, of which a storage may well take a part, then some calls must fail so, and keys() must give what the
// others gave. The rest of the case is not run.
//
// On a subject that drops what expires by itself, prune() must give 0 where a case says more. A call that the storage of a
// subject cannot make, as requirements.js says, must fail with ERR_UNSUPPORTED; the rest of the case is not run.

import { checkAwkward, checkCase } from "./check.js";
import { same, sameElements, show } from "./equal.js";
import { functionOf } from "./functions.js";
import { canMake } from "./requirements.js";
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
      else if (!(await this.#calls("at_once" in step ? step.at_once : [step]))) return "refused";
    }
    return "held";
  }

  async #reopen() {
    this.#client = (await this.#subject.reopen?.(this.#client)) ?? this.#client;
    this.#store = this.#subject.kv(this.#client);
  }

  /**
   * @param {Call[]} calls All of which are made before the first is waited for.
   * @returns {Promise<boolean>} False if the storage cannot make one of them, and has refused it.
   */
  async #calls(calls) {
    const outcomes = calls.map((call) => this.#make(call));
    let areMade = true;
    for (const [i, outcome] of outcomes.entries()) {
      if (canMake(this.#subject, calls[i])) {
        this.#check(calls[i], await outcome);
      } else {
        this.#checkUnsupported(calls[i], await outcome);
        areMade = false;
      }
    }
    return areMade;
  }

  /**
   * @param {Call} call One that the storage cannot make. It may also fail as the case says, because its arguments are wrong.
   * @param {Outcome} outcome
   */
  #checkUnsupported(call, outcome) {
    const code = "error" in outcome ? outcome.error?.code : undefined;
    if (code === undefined || (code !== "ERR_UNSUPPORTED" && code !== call.fails))
      throw this.#broken(call, "a failure with ERR_UNSUPPORTED", outcome);
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
      if ("prefix" in derive) store = store.prefix(derive.prefix);
      else store = store.expires(derive.expires, ...("sliding" in derive ? [{ sliding: derive.sliding }] : []));
    }
    const args = this.#filled(call.args ?? []);
    let made;
    try {
      made =
        call.call === "iterate" ? collect(args.length > 0 ? store.range(...args) : store) : store[call.call](...args);
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
    if (call.throws !== undefined) {
      if ("error" in outcome && outcome.error?.message === call.throws && !("code" in outcome.error)) return;
      throw this.#broken(call, `the error "${call.throws}" of the function`, outcome);
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
    if (call.gives_about !== undefined) {
      const isNear = Math.abs(result - call.gives_about) <= 0.01;
      if (typeof result !== "number" || !isNear) throw this.#broken(call, `about ${call.gives_about}`, outcome);
    }
    if (call.gives_part !== undefined) {
      const expected = this.#filled(call.gives_part);
      if (!hasMembers(result, expected))
        throw this.#broken(call, `an object with the members of ${show(expected)}`, outcome);
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
   * A copy in which every object that stands for a value is that value. Always a copy: a store may keep what it is given.
   * @param {any} json
   * @returns {any}
   */
  #filled(json) {
    if (typeof json !== "object" || json === null) return json;
    if (Array.isArray(json)) return json.map((member) => this.#filled(member));
    if ("$" in json) return "member" in json ? this.#recall(json.$)[json.member] : this.#recall(json.$);
    if ("repeat" in json) return json.repeat.repeat(json.times);
    if ("from_now" in json) return this.#subject.clock.now + json.from_now;
    if ("infinity" in json) return Infinity;
    if ("function" in json) return functionOf(json.function, this.#filled(json.with));
    return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, this.#filled(member)]));
  }

  /**
   * @param {string} name
   * @returns {any}
   */
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
 * @param {any} result
 * @param {Record<string, unknown>} members
 */
function hasMembers(result, members) {
  return Object.entries(members).every(
    ([name, member]) => Object.hasOwn(result ?? {}, name) && same(result[name], member),
  );
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
