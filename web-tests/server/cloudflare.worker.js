// A Worker that runs the contract, one test a request. web-tests/server/cloudflare.test.js asks it to.

import upstream from "polystore";
import kv from "polystore-wasm";
import { allCasesOf } from "../contract/all_cases.js";
import { portableSubjects } from "../contract/clients.js";
import { cloudflare, empty } from "../contract/clients/cloudflare.js";
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
    ...subjects.flatMap((subject) =>
      allCasesOf(subject).map(({ name, run }) => ({ name: `${subject.name}: ${name}`, run })),
    ),
    { name: "polystore reads what we write", run: interop(kv, upstream) },
    { name: "we read what polystore writes", run: interop(upstream, kv) },
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
      const verdict = await tests[Number(number)].run();
      return Response.json({ note: verdict === "refused" ? verdict : undefined });
    } catch (error) {
      return Response.json({ failure: String(/** @type {Error} */ (error).stack) });
    }
  },
};
