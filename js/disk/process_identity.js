// The identity of a process, as a lock names its holder. The C++ library uses the same format.

import { randomUUID } from "node:crypto";
import { existsSync, readFileSync, readlinkSync } from "node:fs";
import { readFile, readlink } from "node:fs/promises";
import { hostname } from "node:os";

/** This process. A process id alone is ambiguous: it is reused after a restart, and on other machines and in containers. */
export const ourselves = (async () => ({
  machine: [
    hostName(),
    // Only on Linux; on other systems, the name alone has to suffice.
    (await readFile("/proc/sys/kernel/random/boot_id", "utf8").catch(() => "")).trim(),
    await readlink("/proc/self/ns/pid").catch(() => ""),
  ].join(" "),
  pid: process.pid,
  since: processState(process.pid)?.since ?? null,
  thread: thread(),
}))();

/** The name of the machine. If this process may not read it, a unique name takes its place, so that no process is taken for dead. */
function hostName() {
  try {
    return hostname();
  } catch {
    return `unnamed-${randomUUID()}`; // Deno without --allow-sys.
  }
}

/** The id of this thread, because a worker may end while its process goes on. */
function thread() {
  try {
    return Number(readlinkSync("/proc/thread-self").split("/").pop());
  } catch {
    return null; // Linux only.
  }
}

/**
 * Reads whether a process is a zombie, and its start time, because process ids are reused.
 * @param {number} pid
 */
function processState(pid) {
  let status;
  try {
    status = readFileSync(`/proc/${pid}/stat`, "utf8"); // Synchronous: /proc is in memory, and a promise takes ten times as long.
  } catch {
    return null; // Linux only.
  }
  const fields = status.slice(status.lastIndexOf(")") + 2).split(" ");
  return { ended: fields[0] === "Z" || fields[0] === "X", since: fields[19] };
}

/**
 * Finds out whether the process that a lock names is running.
 * @param {string} text The text of a lock: `ourselves` of its holder, as JSON.
 * @returns {Promise<boolean | undefined>} Undefined if this cannot be determined.
 */
export async function isAlive(text) {
  const { machine, pid, since, thread = null } = parseIdentity(text);
  if (machine !== (await ourselves).machine) return undefined;
  return isRunning(pid, since, thread);
}

/**
 * Like isAlive(), for a process of this machine and this container.
 * @param {number} pid
 * @param {string | null} since Its start time by the system's clock; null if it is not known.
 * @param {number | null} thread Its thread; null if it is not known.
 * @returns {boolean | undefined} Undefined if this cannot be determined.
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
 * Describes the process that a lock names, for a message.
 * @param {string} text Of a lock.
 */
export function showHolder(text) {
  const { machine = "another machine", pid = "unknown" } = parseIdentity(text);
  return `process ${pid} of ${machine.split(" ")[0]}`;
}

/** @param {string} text The text of a lock. @returns {any} */
function parseIdentity(text) {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}
