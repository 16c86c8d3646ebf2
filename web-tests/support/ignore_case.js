// A folder that programs take for one on a disk that ignores case.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {string} folder In which the library is built that does it.
 * @param {string} disk The folder that is to be such a disk.
 * @returns {NodeJS.ProcessEnv} The environment of a program for which it is.
 */
export function ignoringCase(folder, disk) {
  const library = join(folder, "ignore_case.so");
  const source = fileURLToPath(new URL("ignore_case.c", import.meta.url));
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source]);
  // A program with AddressSanitizer wants to be the first to replace functions, which it need not be here.
  return { ...process.env, LD_PRELOAD: library, IGNORE_CASE_IN: disk, ASAN_OPTIONS: "verify_asan_link_order=0" };
}
