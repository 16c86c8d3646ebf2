// A library that makes calls of the file system fail: see failing_disk.c.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {string} folder In which the library is built.
 * @returns {string} What a shell has to set, before the variables that say what fails.
 */
export function failingDisk(folder) {
  const library = join(folder, "failing_disk.so");
  const source = fileURLToPath(new URL("failing_disk.c", import.meta.url));
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source]);
  return `export LD_PRELOAD=${library}`;
}
