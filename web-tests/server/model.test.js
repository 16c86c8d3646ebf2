// Any calls, in any order, do what they do to a model; and what was closed is there when it is opened again. A failure
// says the fewest calls that show it, and the seed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { setImmediate as turn } from "node:timers/promises";
import { test } from "node:test";
import fc from "fast-check";
import kv from "polystore-wasm";
import { subject } from "../contract/clients.js";
import { file, folder } from "../contract/clients/files.js";
import { log } from "../contract/clients/log.js";
import { sameElements, same, show } from "../../js/contract/equal.js";
import { Model } from "../../js/contract/model.js";
import { withClock } from "../../js/contract/subject.js";
import { filesFor } from "../support/files.js";

/** @typedef {import("../../js/contract/subject.js").Subject} Subject */

/**
 * A call on the sub-store of a prefix, and of a default expiry.
 * @typedef {{ method: string, prefix: string, key: string, value: unknown, expires?: number, byDefault: boolean }} Call
 */
/**
 * What can be done: calls in one tick; a key that is overwritten, so that a log is compacted; and so on.
 * @typedef {{ calls: Call[] } | { overwrite: string, times: number } | { advance: number } | { reopen: true }} Step
 */

/** Of what is overwritten: twenty are more than a log keeps of what is no longer so. */
const LARGE = 60_000;

/** So that a failure shows them as one writes them. */
const plain = { noNullPrototype: true };

/** Few, so that calls meet: of other scripts, with a prefix, and what an object has. */
const keys = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom("", "a", "a:b", "a:bc", "b", "ключ", "🔑", "\0", "\uffff", "__proto__") },
  { weight: 1, arbitrary: fc.string({ unit: "grapheme", maxLength: 8 }) },
);
const prefixes = fc.constantFrom("", "", "a", "a:", "🔑", "none");
const values = fc.oneof(
  { weight: 4, arbitrary: fc.jsonValue({ maxDepth: 1 }) },
  { weight: 1, arbitrary: fc.constantFrom(null, { expires: 1, value: 2 }, "🔑".repeat(100)) },
);
/** @type {fc.Arbitrary<Call>} */
const oneOfManyCalls = fc.record(
  {
    method: fc.constantFrom("set", "set", "set", "get", "has", "del", "add"),
    prefix: prefixes,
    key: keys,
    value: values,
    expires: fc.constantFrom(-1, 0, 1, 2, 3600),
    byDefault: fc.boolean(),
  },
  { requiredKeys: ["method", "prefix", "key", "value", "byDefault"], ...plain },
);
/** Of a whole sub-store: what they give is only certain where nothing else is written at the time. @type {fc.Arbitrary<Call>} */
const callAlone = fc.record(
  {
    method: fc.constantFrom("keys", "values", "entries", "all", "iterate", "clear", "prune", "prune"),
    prefix: prefixes,
    key: fc.constant(""),
    value: fc.constant(null),
    byDefault: fc.constant(false),
  },
  plain,
);
/** @type {fc.Arbitrary<Step[]>} */
const steps = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ calls: fc.array(oneOfManyCalls, { minLength: 1, maxLength: 5 }) }, plain) },
    { weight: 3, arbitrary: fc.record({ calls: fc.tuple(callAlone) }, plain) },
    { weight: 1, arbitrary: fc.record({ overwrite: keys, times: fc.integer({ min: 1, max: 40 }) }, plain) },
    { weight: 1, arbitrary: fc.record({ advance: fc.constantFrom(500, 1000, 2000, 3_600_000) }, plain) },
    { weight: 1, arbitrary: fc.record({ reopen: fc.constant(/** @type {true} */ (true)) }, plain) },
  ),
  { maxLength: 60, size: "max" },
);

/** A store, and a model of it that does the same. */
class Pair {
  #subject;
  #client;
  #store;
  #model;

  /**
   * @param {Subject} subject
   * @param {any} client
   */
  constructor(subject, client) {
    this.#subject = subject;
    this.#client = client;
    this.#store = subject.kv(client);
    this.#model = new Model(() => subject.clock.now);
  }

  /** @param {Step} step */
  async take(step) {
    if ("advance" in step) this.#subject.clock.advance(step.advance);
    else if ("reopen" in step) await this.#reopen();
    else if ("overwrite" in step) await this.#overwrite(step.overwrite, step.times);
    else await this.#make(step.calls);
  }

  /** Compares all there is, closes, and compares again. */
  async end() {
    const all = { method: "entries", prefix: "", key: "", value: null, byDefault: false };
    await this.#make([all]);
    await this.#reopen();
    await this.#make([all]);
    await this.#store.close();
  }

  async #reopen() {
    await this.#store.close();
    this.#store = this.#subject.kv(this.#client);
  }

  /**
   * @param {string} key
   * @param {number} times
   */
  async #overwrite(key, times) {
    if (this.#subject.type !== "LOG") return;
    for (let i = 0; i < times; ++i) await this.#store.set(key, `${i}`.padEnd(LARGE));
    this.#model.set(key, `${times - 1}`.padEnd(LARGE), Infinity);
    await turn(); // Others go on, such as compaction, which may be half done then.
  }

  /** @param {Call[]} calls */
  async #make(calls) {
    const results = await Promise.all(calls.map((call) => this.#call(call)));
    for (const [i, call] of calls.entries()) {
      if (call.method === "add") {
        this.#set(call, results[i]);
        continue;
      }
      const expected = this.#expected(call);
      const equal = Array.isArray(expected) ? sameElements : same;
      assert.ok(equal(results[i], expected), `${show(call)} should give ${show(expected)}: ${show(results[i])}`);
    }
  }

  /** @param {Call} call @returns {Promise<any>} */
  async #call({ method, prefix, key, value, expires, byDefault }) {
    const store = byDefault && expires !== undefined ? this.#store.expires(expires) : this.#store;
    const part = store.prefix(prefix);
    const options = byDefault || expires === undefined ? [] : [{ expires }];
    if (method === "iterate") return collect(part);
    if (method === "set") return part.set(key, value, ...options);
    if (method === "add") return part.add(value, ...options);
    return ["get", "has", "del"].includes(method) ? part[method](key) : part[method]();
  }

  /** What the model says, which does the same. @param {Call} call */
  #expected(call) {
    const { method, prefix, key } = call;
    const entries = () => this.#model.entries(prefix);
    switch (method) {
      case "set":
        this.#set(call, key);
        return key;
      case "get":
        return this.#model.get(prefix + key);
      case "has":
        return this.#model.get(prefix + key) !== null;
      case "del":
        this.#model.set(prefix + key, null, 0);
        return key;
      case "keys":
        return entries().map(([name]) => name);
      case "values":
        return entries().map(([, value]) => value);
      case "entries":
      case "iterate":
        return entries();
      case "all":
        return Object.fromEntries(entries());
      case "clear":
        return this.#model.clear(prefix);
    }
    return this.#model.prune(prefix);
  }

  /** @param {Call} call @param {string} key */
  #set({ prefix, value, expires }, key) {
    this.#model.set(prefix + key, JSON.parse(JSON.stringify(value)), expires ?? Infinity);
  }
}

/** @param {AsyncIterable<[string, unknown]>} store */
async function collect(store) {
  const entries = [];
  for await (const entry of store) entries.push(entry);
  return entries;
}

/** How many logs the file had before this one. @param {string} url */
const generationOf = (url) => readFileSync(new URL(url)).readBigUInt64LE(12);

/** How long it is tried to say with fewer calls what fails, in milliseconds. */
const SHRINKING = 20_000;

const { root } = filesFor("model");

/** What is tested, and how often: files are synced at every call. @type {[Subject, runs: number][]} */
const subjects = [
  [log(kv, root, "relaxed"), 25],
  [log(kv, root, "strict"), 25],
  [file(kv, root), 5],
  [folder(kv, root), 5],
  [subject(kv, { name: "memory", type: "MEMORY", open: () => new Map() }), 25],
];

for (const [tested, numRuns] of subjects) {
  test(`${tested.name}: any calls do what they do to a model`, async () => {
    let [compacted, end] = [0, Infinity];
    const play = async (/** @type {Step[]} */ all) => {
      const client = tested.open();
      const pair = new Pair(tested, client);
      for (const step of all) await pair.take(step);
      await pair.end();
      if (tested.type === "LOG" && generationOf(client) > 1) ++compacted;
    };
    const property = fc.asyncProperty(steps, async (all) => {
      if (performance.now() > end) return;
      await withClock(tested, () => play(all)).catch((error) => {
        end = Math.min(end, performance.now() + SHRINKING);
        throw error;
      });
    });
    await fc.assert(property, { numRuns });
    if (tested.type === "LOG") assert.ok(compacted > 0, "no log was compacted");
  });
}
