import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join, resolve } from "node:path";

const SOURCE = "web-tests/package/tools";
const FOLDER = resolve("build/package-tools");

/**
 * Installs the bundlers and test runners of tools/package.json, once for each lock file, outside of the repository's own packages.
 * @returns {NodeJS.Require} What requires them.
 */
export function installTools() {
  const lock = join(SOURCE, "package-lock.json");
  // npm writes the hidden lock file last, so that it says whether the install ended.
  const installed = join(FOLDER, "node_modules/.package-lock.json");
  const copied = join(FOLDER, "package-lock.json");
  const isCurrent = existsSync(installed) && readFileSync(copied, "utf8") === readFileSync(lock, "utf8");
  if (!isCurrent) {
    mkdirSync(FOLDER, { recursive: true });
    for (const name of ["package.json", "package-lock.json"]) cpSync(join(SOURCE, name), join(FOLDER, name));
    execFileSync("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: FOLDER, stdio: "ignore" });
  }
  return createRequire(copied);
}
