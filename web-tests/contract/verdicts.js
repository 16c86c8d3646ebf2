import { readFileSync } from "node:fs";
import { canMake } from "../../js/contract/requirements.js";

/** @typedef {import("../../js/contract/check.js").Case} Case */

/** @type {Case[]} */
const cases = ["cases", "changes"].flatMap((name) =>
  JSON.parse(readFileSync(new URL(`../../js/contract/${name}.json`, import.meta.url), "utf8")),
);
const caseNamed = new Map(cases.map((testCase) => [testCase.name, testCase]));

/**
 * Returns the verdict that a case or a behaviour must have: a storage may refuse only what its subject says that it cannot do.
 * @param {import("../../js/contract/subject.js").Subject} subject A subject that says everything of itself, and can list.
 * @param {string} name
 * @returns {"held" | "refused"}
 */
export function verdictOf(subject, name) {
  const testCase = caseNamed.get(name);
  if (testCase === undefined) return "held";
  const { awkward = "", steps } = testCase;
  const calls = steps.flatMap((step) => ("at_once" in step ? step.at_once : "call" in step ? [step] : []));
  const told = /** @type {import("../../js/contract/traits.js").ToldSubject} */ (subject);
  const isRefused = awkward in subject.refuses || subject.differs?.includes(awkward);
  return isRefused || calls.some((call) => !canMake(told, call)) ? "refused" : "held";
}
