// Runs the whole contract over a subject, in Node.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { allCasesOf } from "./all_cases.js";
import { verdictOf } from "./verdicts.js";

/** @param {import("../../js/contract/subject.js").Subject} subject */
export function testContract(subject) {
  describe(subject.name, () => {
    for (const { name, run } of allCasesOf(subject)) {
      test(name, async () => assert.equal(await run(), verdictOf(subject, name)));
    }
  });
}
