// Libraries that make calls of the file system fail, or kill the program at one: see failing_disk.c and killing_disk.c.

import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * @param {string} folder In which the library is built.
 * @param {"failing_disk" | "killing_disk"} [name]
 * @returns {string} What a shell has to set, before the variables that say what fails.
 */
export function failingDisk(folder, name = "failing_disk") {
  const library = join(folder, `${name}.so`);
  const source = fileURLToPath(new URL(`${name}.c`, import.meta.url));
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, source]);
  return `export LD_PRELOAD=${library}`;
}
