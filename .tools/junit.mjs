// Reads the JUnit reports of the test runners, and prints what failed and the counts.
import { existsSync, readFileSync } from "node:fs";
import { heading } from "./run.mjs";

/** A stage that ran, and its JUnit report. @typedef {{ name: string, ok: boolean, report: string, seconds: number }} Stage */

/** The longest text of a failure that is printed again at the end; the whole one stands further up. */
const LINES = 40;

/**
 * Prints each failure and the counts, and sets the exit code of this process.
 * @param {Stage[]} stages
 */
export function conclude(stages) {
  const results = stages.map((stage) => ({ ...stage, ...countsOf(stage) }));
  for (const { name, failures } of results) {
    if (failures.length === 0) continue;
    heading(`Failed: ${name}`);
    for (const text of failures) console.log(`${text}\n`);
  }
  heading("All tests");
  for (const { name, passed, failures, seconds } of results) {
    console.log(`${name}: ${passed} passed, ${failures.length} failed, in ${Math.round(seconds)} s`);
  }
  const passed = results.reduce((sum, result) => sum + result.passed, 0);
  const failed = results.reduce((sum, result) => sum + result.failures.length, 0);
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 && stages.length > 0 ? 0 : 1;
}

/**
 * @param {Stage} stage
 * @returns {{ passed: number, failures: string[] }} The failures are texts, each with the name of its test.
 */
function countsOf({ ok, report }) {
  const text = existsSync(report) ? readFileSync(report, "utf8") : "";
  const cases = [...text.matchAll(/<testcase((?:\s+[\w-]+="[^"]*")*)\s*(?:\/>|>([\s\S]*?)<\/testcase>)/g)];
  const failures = [];
  for (const [, attributes, content = ""] of cases) {
    if (/<(failure|error)[\s/>]/.test(content)) failures.push(`${nameOf(attributes)}\n${textOf(content)}`);
  }
  const passed = cases.length - failures.length;
  // A stage also failed if it ran no test, or if it failed outside of its tests.
  if (failures.length === 0 && (!ok || passed === 0))
    failures.push("This stage failed outside of its tests, or ran none.");
  return { passed, failures };
}

/** Node escapes a quotation mark twice. @param {string} attributes */
const nameOf = (attributes) => plain(plain(/\bname="([^"]*)"/.exec(attributes)?.[1] ?? "A test without a name"));

/** @param {string} content What is inside the element of a test case. */
function textOf(content) {
  const lines = plain(content.replace(/<!\[CDATA\[|\]\]>/g, "").replace(/<[^>]*>/g, ""))
    .split("\n")
    .filter((line) => line.trim() !== "");
  const rest = lines.length - LINES;
  if (rest > 0) lines.splice(LINES, rest, `(${rest} lines more further up)`);
  return lines.map((line) => `  ${line}`).join("\n");
}

/** Replaces the entities of XML by their characters. @param {string} text */
function plain(text) {
  const characters = /** @type {Record<string, string>} */ ({ lt: "<", gt: ">", quot: '"', apos: "'", amp: "&" });
  return text
    .replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))
    .replace(/&#x([\da-f]+);/gi, (_, code) => String.fromCodePoint(Number.parseInt(code, 16)))
    .replace(/&(lt|gt|quot|apos|amp);/g, (_, name) => characters[name]);
}
