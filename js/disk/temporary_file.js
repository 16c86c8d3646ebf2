// Files that are written before they get their name. A process that is killed leaves its own; they are removed by the next one
// that writes into that folder. The C++ library names them alike:
//
//     name    = ".polystore-" machine "-" pid "-" since "-" token ".tmp"
//     machine = the first 16 hexadecimal digits, in small letters, of the SHA-256 of what a lock calls the machine
//     since   = when the process began, as a lock has it; "0" where that is not known
//     token   = 16 random hexadecimal digits in small letters

import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Date } from "../support/real_timers.js";
import { isRunning, ourselves } from "./process_identity.js";

const NAME = /^\.polystore-([0-9a-f]{16})-(\d+)-(\d+)-[0-9a-f]{16}\.tmp$/;
/** Of another machine or container nothing can be known; but no process takes a day to write one file. In milliseconds. */
const DEAD = 24 * 3600 * 1000;

const machineHash = ourselves.then(({ machine }) => createHash("sha256").update(machine).digest("hex").slice(0, 16));

/**
 * A path for a new file, which is no record's: those end with ".json".
 * @param {string} folder
 */
export async function temporaryPath(folder) {
  const { pid, since } = await ourselves;
  return join(folder, `.polystore-${await machineHash}-${pid}-${since ?? 0}-${randomBytes(8).toString("hex")}.tmp`);
}

/**
 * Removes the temporary files of processes that are certainly gone.
 * @param {string} folder
 */
export async function removeAbandoned(folder) {
  for (const name of await readdir(folder)) {
    const [, machine, pid, since] = NAME.exec(name) ?? [];
    if (machine === undefined) continue;
    const path = join(folder, name);
    const isOurs = machine === (await machineHash) && since !== "0";
    const runs = isOurs ? isRunning(Number(pid), since, null) : undefined;
    if (!(runs ?? (await isRecent(path)))) await rm(path, { force: true });
  }
}

/** @param {string} path */
async function isRecent(path) {
  const status = await stat(path).catch(() => null); // It may have got its name by now.
  return status !== null && Date.now() - status.mtimeMs < DEAD;
}
