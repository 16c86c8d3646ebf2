// How a lock names the process that holds it. The C++ library reads and writes the same.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** What distinguishes the processes that a number may mean: the machine since it was started, and the container. */
export const ourselves = (async () => ({
  machine: [
    hostName(),
    // Linux only; elsewhere the name has to do.
    (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim(),
    await readlink("/proc/self/ns/pid").catch(() => ""),
  ].join(" "),
  pid: process.pid,
  since: processState(process.pid)?.since ?? null,
  thread: thread(),
}))();

/** The name of the machine. Where this process may not know it, its place has a name that no other process has: nobody is then taken for dead. */
function hostName() {
  try {
    return hostname();
  } catch {
    return `unnamed-${randomUUID()}`; // Deno without --allow-sys.
  }
}

/** The number of this thread: a worker may end, and its process go on. */
function thread() {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").pop());
  } catch {
    return null; // Linux only.
  }
}

/**
 * Whether a process has ended that its parent has not looked at, and since when it runs, because numbers are given again.
 * @param {number} pid
 */
function processState(pid) {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/stat`, "utf8"); // It is in memory: a promise of it takes ten times as long.
  } catch {
    return null; // Linux only.
  }
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return { ended: fields[0] === "Z" || fields[0] === "X", since: fields[19] };
}

/**
 * Whether the process runs that a lock names.
 * @param {string} text Of a lock: what `ourselves` was there, as JSON.
 * @returns {Promise<boolean | undefined>} Undefined where nobody can know.
 */
export async function isAlive(text) {
  const { machine, pid, since, thread = null } = parseIdentity(text);
  if (machine !== (await ourselves).machine) return undefined;
  return isRunning(pid, since, thread);
}

/**
 * The same of a process of this machine and this container.
 * @param {number} pid
 * @param {string | null} since When it began, by the system's clock; null if that is not known.
 * @param {number | null} thread Null if that is not known.
 * @returns {boolean | undefined} Undefined where nobody can know.
 */
export function isRunning(pid, since, thread) {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return false;
  }
  const state = processState(pid);
  if (state === null || since === null) return undefined;
  return !state.ended && state.since === since && (thread === null || existsSync(`/proc/${pid}/task/${thread}`));
}

/**
 * The process that a lock names, as a message says it.
 * @param {string} text Of a lock.
 */
export function showHolder(text) {
  const { machine = "another machine", pid = "unknown" } = parseIdentity(text);
  return `process ${pid} of ${machine.split(" ")[0]}`;
}

/** @param {string} text @returns {any} */
function parseIdentity(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
