// Runs the whole contract over a subject, in Node.

import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { behavioursOf, runBehaviour } from "./behaviours.js";
import { runCase } from "./runner.js";

/** @type {import("./check.js").Case[]} */
const cases = JSON.parse(readFileSync(new URL("cases.json", import.meta.url), "utf8"));

/** @param {import("./subject.js").Subject} subject */
export function testContract(subject) {
  describe(subject.name, () => {
    for (const testCase of cases) {
      test(testCase.name, async (t) => {
        const outcome = await runCase(testCase, subject);
        if (outcome === "refused") t.diagnostic(`refused: ${testCase.awkward}`);
      });
    }
    for (const [name, behaviour] of Object.entries(behavioursOf(subject))) {
      test(name, () => runBehaviour(behaviour, subject));
    }
  });
}
