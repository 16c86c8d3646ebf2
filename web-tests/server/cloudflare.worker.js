// A Worker that runs the contract, one test a request. web-tests/server/cloudflare.test.js asks it to.

import upstream from "polystore";
import kv from "polystore-wasm";
import { behavioursOf, runBehaviour } from "../contract/behaviours.js";
import cases from "../contract/cases.json" with { type: "json" };
import { portableSubjects } from "../contract/clients.js";
import { cloudflare, empty } from "../contract/clients/cloudflare.js";
import { runCase } from "../contract/runner.js";
import { checkOneWay } from "../interop/interop.js";

/** @typedef {{ name: string, run: () => Promise<unknown> }} Test */

/**
 * @param {any} namespace
 * @returns {Test[]}
 */
function testsOf(namespace) {
  const subjects = [cloudflare(kv, "Cloudflare KV", namespace), portableSubjects(kv)[0]];
  const interop = (/** @type {any} */ writer, /** @type {any} */ reader) => async () => {
    await empty(namespace);
    await checkOneWay(writer, reader, namespace);
  };
  return [
    ...subjects.flatMap((subject) => contractOf(subject)),
    { name: "polystore reads what we write", run: interop(kv, upstream) },
    { name: "we read what polystore writes", run: interop(upstream, kv) },
  ];
}

/**
 * @param {import("../contract/subject.js").Subject} subject
 * @returns {Test[]}
 */
function contractOf(subject) {
  const all = /** @type {import("../contract/check.js").Case[]} */ (/** @type {any} */ (cases));
  return [
    ...all.map((testCase) => ({
      name: `${subject.name}: ${testCase.name}`,
      run: async () => ((await runCase(testCase, subject)) === "refused" ? `refused: ${testCase.awkward}` : undefined),
    })),
    ...Object.entries(behavioursOf(subject)).map(([name, behaviour]) => ({
      name: `${subject.name}: ${name}`,
      run: () => runBehaviour(behaviour, subject),
    })),
  ];
}

export default {
  /**
   * `/` lists the names of the tests; `/<number>` runs one.
   * @param {Request} request
   * @param {{ KV: any }} env
   */
  async fetch(request, env) {
    const tests = testsOf(env.KV);
    const number = new URL(request.url).pathname.slice(1);
    if (number === "") return Response.json(tests.map(({ name }) => name));
    try {
      return Response.json({ note: await tests[Number(number)].run() });
    } catch (error) {
      return Response.json({ failure: String(/** @type {Error} */ (error).stack) });
    }
  },
};
