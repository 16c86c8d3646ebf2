import { spawnSync } from "node:child_process";

/**
 * Runs a command in the foreground, and ends this process if it fails.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 */
export function run(command, args, options) {
  if (!succeeds(command, args, options)) {
    console.error(`\nFailed: ${command} ${args.join(" ")}`);
    process.exit(1);
  }
}

/**
 * Runs a command in the foreground.
 * @param {string} command
 * @param {string[]} args
 * @param {import("node:child_process").SpawnSyncOptions} [options]
 * @returns {boolean} True if it succeeded.
 */
export function succeeds(command, args, options) {
  const { status, error } = spawnSync(command, args, { stdio: "inherit", ...options });
  if (error) console.error(error.message);
  return status === 0;
}

/** Prints a heading for the next step. @param {string} text */
export function heading(text) {
  console.log(`\n\x1b[1m── ${text}\x1b[0m`);
}
