// npm run lint: checks types and formats, and with --tidy runs clang-tidy. Writes a JUnit report if a path is given.
import { execFileSync } from "node:child_process";
import { existsSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { install } from "./install.mjs";
import { run, succeeds } from "./run.mjs";

/** The files of the repository with one of these endings. @param {string[]} endings */
export function sources(...endings) {
  const args = ["ls-files", "--cached", "--others", "--exclude-standard", ...endings.map((ending) => `*.${ending}`)];
  const files = execFileSync("git", args, { encoding: "utf8" }).split("\n");
  return files.filter((file) => file !== "" && existsSync(file));
}

/** @returns {[name: string, passes: () => boolean][]} */
function checks() {
  const cpp = sources("cpp", "hpp");
  return [
    ["types of JavaScript", () => succeeds("npx", ["tsc", "--project", "tsconfig.json"])],
    ["types without a page's", () => succeeds("npx", ["tsc", "--project", "web-tests/types/tsconfig.json"])],
    ["format of JavaScript and prose", () => succeeds("npx", ["prettier", "--check", "--log-level=warn", "."])],
    ["format of C++", () => succeeds("clang-format", ["--dry-run", "-Werror", ...cpp])],
  ];
}

/** @returns {[name: string, passes: () => boolean]} */
function tidy() {
  // clang-tidy compiles with the flags of the debug build, which only needs to be configured.
  if (!existsSync("build/debug/compile_commands.json")) run("cmake", ["--preset", "debug"]);
  const files = sources("cpp").filter((file) => file.startsWith("src/"));
  return ["clang-tidy", () => succeeds("clang-tidy", ["-p", "build/debug", "--quiet", ...files])];
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  install("lint", "wasm", "native");
  const [option] = process.argv.slice(2);
  // The tests take their types from dist/.
  if (!existsSync("dist/index.d.ts")) run("node", [".tools/build.mjs"]);
  const list = option === "--tidy" ? [...checks(), tidy()] : checks();
  const results = list.map(([name, passes]) => ({ name, ok: passes() }));
  for (const { name, ok } of results) console.log(`${ok ? "ok" : "FAILED"}: ${name}`);
  if (option?.endsWith(".xml")) {
    const cases = results.map(({ name, ok }) => `<testcase name="${name}">${ok ? "" : "<failure/>"}</testcase>`);
    writeFileSync(option, `<testsuite name="lint">${cases.join("")}</testsuite>\n`);
  }
  process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;
}
