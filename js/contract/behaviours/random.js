// Long runs of random calls, against a model that is as simple as can be. A failure says the seed and what was done.

import { same, sameElements, show } from "../equal.js";
import { Model } from "../model.js";

/** @typedef {import("./behaviour.js").Scene} Scene */
/** A call: on the sub-store with a prefix, with arguments, and what the model says that it gives. */
/** @typedef {{ prefix: string, method: string, args: any[], expected: unknown }} Call */

const PREFIXES = ["", "", "a", "a:", "A:"];
const KEYS = ["k", "K", "a:k", "a:", "b", "__proto__", "%"];
const VALUES = [0, "", false, "text", [1, null], { a: { b: "c" } }, { expires: 1, value: 2 }];
const SECONDS = [1, "2s", 3, "5 seconds"];

/**
 * Random numbers that a seed decides (mulberry32).
 * @param {number} seed
 */
function randomizer(seed) {
  const next = () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** @template Element @param {Element[]} list */
  return (list) => list[Math.floor(next() * list.length)];
}

class RandomRun {
  #scene;
  #pick;
  #model;
  /** @type {string[]} */
  #log = [];

  /**
   * @param {Scene} scene
   * @param {number} seed
   */
  constructor(scene, seed) {
    this.#scene = scene;
    this.#pick = randomizer(seed);
    this.#model = new Model(() => scene.subject.clock.now);
    this.#log.push(`seed ${seed}`);
  }

  /**
   * Makes as many calls at once as the sizes say, one batch after the other.
   * @param {number} batches
   * @param {number[]} sizes
   */
  async run(batches, sizes) {
    for (let i = 0; i < batches; ++i) {
      const size = this.#pick(sizes);
      await this.#batch(Array.from({ length: size }, (_, j) => this.#call(size === 1, j === size - 1)));
      if (this.#pick([true, false, false])) this.#advance(this.#pick([1000, 2000, 3000]));
    }
    await this.#batch([this.#expect("", "entries")]);
  }

  /** @param {Call[]} calls */
  async #batch(calls) {
    const promises = calls.map(({ prefix, method, args }) => this.#scene.store.prefix(prefix)[method](...args));
    this.#log.push(calls.map(({ prefix, method, args }) => `${show(prefix)}.${method}(${args.map(show)})`).join(" & "));
    const results = await Promise.all(promises);
    for (const [i, { method, expected }] of calls.entries()) {
      const equal = Array.isArray(expected) ? sameElements : same;
      if (equal(results[i], expected)) continue;
      const log = this.#log.slice(0, 1).concat(this.#log.slice(-12)).join("\n  ");
      throw new Error(`${method}() should give ${show(expected)}, and gives ${show(results[i])}, after\n  ${log}`);
    }
  }

  /**
   * @param {boolean} alone Nothing else happens at the time, so what is left of expired records is certain.
   * @param {boolean} last Nothing is written after it at the time, so what it lists is certain.
   */
  #call(alone, last) {
    const prefix = this.#pick(PREFIXES);
    const methods = ["get", "get", "set", "set", "set", "has", "del"];
    if (last) methods.push("keys", "values", "entries", "all");
    if (this.#pick([true, false, false, false])) methods.push("clear");
    if (alone) methods.push("prune");
    return this.#expect(prefix, this.#pick(methods));
  }

  /**
   * Decides a call, and lets the model take it.
   * @param {string} prefix
   * @param {string} method
   * @returns {Call}
   */
  #expect(prefix, method) {
    const [model, pick] = [this.#model, this.#pick];
    const key = pick(KEYS);
    const call = (/** @type {any[]} */ args, /** @type {unknown} */ expected) => ({ prefix, method, args, expected });
    switch (method) {
      case "get":
        return call([key], model.get(prefix + key));
      case "has":
        return call([key], model.get(prefix + key) !== null);
      case "del":
        model.set(prefix + key, null, 0);
        return call([key], key);
      case "set": {
        const value = pick([...VALUES, null]);
        const expires = pick([undefined, undefined, ...SECONDS, 0]);
        model.set(prefix + key, value, expires === undefined ? Infinity : parseInt(String(expires)));
        return call(expires === undefined ? [key, value] : [key, value, { expires }], key);
      }
      case "keys":
        return call(
          [],
          model.entries(prefix).map(([name]) => name),
        );
      case "values":
        return call(
          [],
          model.entries(prefix).map(([, value]) => value),
        );
      case "entries":
        return call([], model.entries(prefix));
      case "all":
        return call([], Object.fromEntries(model.entries(prefix)));
      case "clear":
        model.clear(prefix);
        return call([], undefined);
    }
    const pruned = model.prune(prefix);
    return call([], this.#scene.subject.dropsExpired ? 0 : pruned);
  }

  /** @param {number} ms */
  #advance(ms) {
    this.#scene.advance(ms);
    this.#log.push(`advance ${ms}`);
  }
}

/** @type {import("./behaviour.js").Behaviours} */
export const random = {
  "random: 500 calls one after the other do what a model does": async (scene) => {
    await new RandomRun(scene, 1).run(500, [1]);
  },

  "random: 200 batches of calls at once do what a model does": async (scene) => {
    await new RandomRun(scene, 2).run(200, [1, 2, 3, 5, 8]);
  },
};
