import { execFile } from "node:child_process";
import { promisify } from "node:util";

/**
 * Runs a program of JavaScript with `kv`, in a process of its own, after a command of the shell.
 * @param {string} shell
 * @param {string} program
 * @param {string[]} args
 * @returns {Promise<any>} What it prints, which is JSON.
 */
export async function runApart(shell, program, ...args) {
  const text = `import kv from "polystore-wasm"; const [...args] = process.argv.slice(1); ${program}`;
  const command = `${shell} && exec "$0" --input-type=module -e "$@"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", command, process.execPath, text, ...args]);
  return JSON.parse(stdout);
}
