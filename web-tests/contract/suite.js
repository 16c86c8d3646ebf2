// Runs the whole contract over a subject, in Node.

import { describe, test } from "node:test";
import { allCasesOf } from "./all_cases.js";

/** @param {import("../../js/contract/subject.js").Subject} subject */
export function testContract(subject) {
  describe(subject.name, () => {
    for (const { name, run } of allCasesOf(subject)) {
      test(name, async (t) => {
        const verdict = await run();
        if (verdict !== "held") t.diagnostic(verdict);
      });
    }
  });
}
