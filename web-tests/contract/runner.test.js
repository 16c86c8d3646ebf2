// The runner itself: what it must refuse, and that a broken promise breaks a case.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { checkCase } from "../../js/contract/check.js";
import { same, sameElements } from "../../js/contract/equal.js";
import { runCase } from "../../js/contract/runner.js";
import { makeClock } from "../../js/contract/subject.js";

/** @type {import("../../js/contract/check.js").Case[]} */
const cases = JSON.parse(readFileSync(new URL("../../js/contract/cases.json", import.meta.url), "utf8"));

describe("the table of cases", () => {
  test("every case follows the grammar", () => cases.forEach(checkCase));

  test("no name is there twice", () => {
    const names = cases.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name, i) => names.indexOf(name) !== i),
      [],
    );
  });
});

describe("checkCase", () => {
  const get = { call: "get", args: ["a"], gives: null };
  /** @type {[string, any][]} */
  const wrong = [
    ["a case without a name", { steps: [get] }],
    ["a case without steps", { name: "a", steps: [] }],
    ["an unknown field of a case", { name: "a", steps: [get], skip: true }],
    ["an unknown field of a step", { name: "a", steps: [{ ...get, givse: 1 }] }],
    ["an unknown kind of step", { name: "a", steps: [get, { wait: 1 }] }],
    ["two kinds of step in one", { name: "a", steps: [{ ...get, advance: 1 }] }],
    ["an unknown method", { name: "a", steps: [{ call: "constructor", gives: 1 }] }],
    ["an argument too few", { name: "a", steps: [{ call: "get", gives: null }] }],
    ["an argument too many", { name: "a", steps: [{ call: "keys", args: ["a"], gives: [] }] }],
    ["an unknown option", { name: "a", steps: [{ call: "set", args: ["a", 1, { ttl: 1 }], gives: "a" }] }],
    ["an unknown derivation", { name: "a", steps: [{ ...get, through: [{ suffix: "a" }] }] }],
    ["two expectations of one call", { name: "a", steps: [{ ...get, fails: "ERR_KEY" }] }],
    ["no expectation in all the case", { name: "a", steps: [{ call: "clear" }, { advance: 5 }] }],
    ["an unknown awkward property", { name: "a", awkward: "long kay", steps: [get] }],
    ["a case that cannot be refused", { name: "a", awkward: "long key", steps: [{ reopen: true }, get] }],
  ];
  for (const [what, testCase] of wrong) {
    test(`refuses ${what}`, () => assert.throws(() => checkCase(testCase)));
  }
});

describe("runCase", () => {
  /**
   * A library that answers every call with the same, or fails every call.
   * @param {unknown} result
   */
  const answering = (result) => {
    const answer = async () => {
      if (result instanceof Error) throw result;
      return result;
    };
    const store = { get: answer, keys: answer, prune: answer, set: answer, prefix: () => store };
    return { kv: () => store, name: "a fake", type: "FAKE", open: () => ({}), clock: makeClock(), refuses: {} };
  };
  const error = Object.assign(new Error("no"), { code: "ERR_NO" });
  /** @type {[string, any, any, boolean][]} */
  const table = [
    ["gives what is given", { call: "get", args: ["a"], gives: { a: [1] } }, { a: [1] }, true],
    ["does not give something else", { call: "get", args: ["a"], gives: { a: [1] } }, { a: [1, 2] }, false],
    ["does not give undefined for null", { call: "get", args: ["a"], gives: null }, undefined, false],
    ["gives any order", { call: "keys", gives_any_order: ["a", "b", "a"] }, ["b", "a", "a"], true],
    ["gives any order, but each as often", { call: "keys", gives_any_order: ["a", "b", "a"] }, ["b", "a", "b"], false],
    ["gives any order, but no more", { call: "keys", gives_any_order: ["a"] }, ["a", "b"], false],
    ["matches", { call: "get", args: ["a"], gives_match: "[ab]{2}" }, "ab", true],
    ["matches entirely", { call: "get", args: ["a"], gives_match: "[ab]{2}" }, "abc", false],
    ["matches texts only", { call: "get", args: ["a"], gives_match: ".*" }, null, false],
    ["fails with the code", { call: "get", args: ["a"], fails: "ERR_NO" }, error, true],
    ["does not fail with another code", { call: "get", args: ["a"], fails: "ERR_YES" }, error, false],
    ["does not succeed where it should fail", { call: "get", args: ["a"], fails: "ERR_NO" }, 1, false],
    ["does not fail where it should give", { call: "get", args: ["a"], gives: null }, error, false],
    ["compares long texts", { call: "get", args: ["a"], gives: { repeat: "ab", times: 2 } }, "abab", true],
  ];
  for (const [what, step, result, good] of table) {
    test(what, async () => {
      const run = runCase({ name: "x", steps: [step] }, answering(result));
      if (good) await run;
      else await assert.rejects(run, /case "x", step 1, on a fake/);
    });
  }

  test("gives the real clock back, also after a failure", async () => {
    const now = Date.now;
    await assert.rejects(runCase({ name: "x", steps: [{ call: "get", args: ["a"], gives: 1 }] }, answering(2)));
    assert.equal(Date.now, now);
  });

  test("takes a call that throws for broken, and one that gives no promise", async () => {
    /** @type {any} */
    const subject = answering(1);
    const steps = [{ call: "get", args: ["a"], fails: "ERR_NO" }];
    const throwing = () => {
      throw error;
    };
    await assert.rejects(runCase({ name: "x", steps }, { ...subject, kv: () => ({ get: throwing }) }), /a promise/);
    await assert.rejects(runCase({ name: "x", steps }, { ...subject, kv: () => ({ get: () => 1 }) }), /a promise/);
  });

  test("demands of a refusing storage that it refuses, and keeps nothing", async () => {
    const testCase = { name: "x", awkward: "long key", steps: [{ call: "set", args: ["a", 1], gives: "a" }] };
    const subject = { ...answering(1), refuses: { "long key": "ERR_NO" } };
    const storeThat = (/** @type {() => Promise<unknown>} */ set, /** @type {string[]} */ left) => ({
      set,
      keys: async () => left,
    });
    const refuses = () => Promise.reject(error);
    assert.equal(await runCase(testCase, { ...subject, kv: () => storeThat(refuses, []) }), "refused");
    await assert.rejects(runCase(testCase, { ...subject, kv: () => storeThat(refuses, ["a"]) }), /after a refusal/);
    await assert.rejects(
      runCase(testCase, { ...subject, kv: () => storeThat(async () => "a", ["a"]) }),
      /a failure with ERR_NO/,
    );
  });
});

test("runCase refuses an unknown property in a manifest", async () => {
  const steps = [{ call: "get", args: ["a"], gives: null }];
  const store = { get: async () => null };
  const subject = { kv: () => store, name: "a fake", type: "FAKE", open: () => ({}), clock: makeClock() };
  await runCase({ name: "x", steps }, { ...subject, refuses: {} });
  await assert.rejects(runCase({ name: "x", steps }, { ...subject, refuses: { "long kay": "ERR_KEY" } }), /long kay/);
});

describe("same", () => {
  test("knows a field named __proto__", () => {
    assert.ok(same(JSON.parse('{"__proto__":{"a":1}}'), JSON.parse('{"__proto__":{"a":1}}')));
    assert.ok(!same(JSON.parse('{"__proto__":{"a":1}}'), {}));
    assert.ok(!same({}, JSON.parse('{"__proto__":null}')));
  });

  test("heeds the order of arrays and not of fields", () => {
    assert.ok(same({ a: 1, b: 2 }, { b: 2, a: 1 }));
    assert.ok(!same([1, 2], [2, 1]));
    assert.ok(sameElements([{ a: 1 }, 2], [2, { a: 1 }]));
  });

  test("tells types apart", () => {
    for (const [left, right] of [
      [1, "1"],
      [0, false],
      [null, undefined],
      [[], {}],
      [{}, null],
      ["", 0],
      [{ a: undefined }, {}],
    ]) {
      assert.ok(!same(left, right), `${JSON.stringify(left)} and ${JSON.stringify(right)}`);
    }
  });
});
