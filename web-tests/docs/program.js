// Runs an example of a document as a program.

import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { promisify } from "node:util";

/**
 * @param {string} path The file to write. Its folder, where the packages are found, becomes the current one.
 * @param {string} code
 * @param {Record<string, string | undefined>} [env] Additional environment variables.
 * @returns {Promise<string[]>} The lines that it printed. Objects are printed as JSON, as the comments have them.
 */
export async function linesOf(path, code, env) {
  const log = `
      const { log } = console;
      const text = (value) => (typeof value === "string" ? value : JSON.stringify(value));
      console.log = (...values) => log(values.map(text).join(" "));\n`;
  writeFileSync(path, code.replace(/\n\n/, `\n${log}`));
  const { stdout } = await promisify(execFile)("node", [path], { cwd: dirname(path), env: { ...process.env, ...env } });
  return stdout.trim().split("\n");
}
