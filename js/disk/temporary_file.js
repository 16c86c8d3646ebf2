// Temporary files, which are written before they are renamed. A killed process leaves its temporary files; the next process that writes to
// the folder removes them. The C++ library uses the same names:
//
//     name    = ".polystore-" machine "-" pid "-" since "-" token ".tmp"
//     machine = the first 16 hexadecimal digits, in lower case, of the SHA-256 of the machine's name in a lock
//     since   = the start time of the process, as in a lock; "0" if it is not known
//     token   = 16 random hexadecimal digits in lower case

import { createHash, randomBytes } from "node:crypto";
import { readdir, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { Date } from "../support/real_timers.js";
import { isRunning, ourselves } from "./process_identity.js";

const NAME = /^\.polystore-([0-9a-f]{16})-(\d+)-(\d+)-[0-9a-f]{16}\.tmp$/;
/** Processes of other machines or containers cannot be checked, but no process takes a day to write a file. In milliseconds. */
const ABANDONED_AFTER = 24 * 3600 * 1000;

const machineHash = ourselves.then(({ machine }) => createHash("sha256").update(machine).digest("hex").slice(0, 16));

/**
 * Returns a path for a new file. It differs from every record's file, whose name ends with ".json".
 * @param {string} folder
 */
export async function temporaryPath(folder) {
  const { pid, since } = await ourselves;
  return join(folder, `.polystore-${await machineHash}-${pid}-${since ?? 0}-${randomBytes(8).toString("hex")}.tmp`);
}

/**
 * Removes the temporary files of processes that have certainly ended.
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
  const status = await stat(path).catch(() => null); // It may have been renamed by now.
  return status !== null && Date.now() - status.mtimeMs < ABANDONED_AFTER;
}
