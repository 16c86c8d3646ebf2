import { randomUUID } from "node:crypto";
import { link, readFile, rename, rm, writeFile } from "node:fs/promises";
import { setTimeout as sleep } from "node:timers/promises";
import { PolystoreError } from "../errors.js";
import { isMissing, readIfThere } from "./text_file.js";

/** How long to wait for another process before giving up, and between two looks, in milliseconds. */
const PATIENCE = 10_000;
const PAUSE = 4;

/**
 * Does something while no other process that asks for the same lock does. Node has no flock(2): the lock is a file that
 * says which process holds it, so that one left by a process that is gone can be taken over.
 * @template Result
 * @param {string} path Of the lock.
 * @param {() => Promise<Result>} action
 * @returns {Promise<Result>}
 * @throws {PolystoreError} ERR_CLIENT when another process does not let go of it.
 */
export async function withLock(path, action) {
  await acquire(path);
  try {
    return await action();
  } finally {
    await rm(path);
  }
}

/** @param {string} path */
async function acquire(path) {
  // Linked into place, so that nobody sees it without its text.
  const ours = `${path}-${randomUUID()}`;
  await writeFile(ours, JSON.stringify(await describe(process.pid)), { flag: "wx" });
  try {
    for (
      const deadline = performance.now() + PATIENCE;
      !(await linked(ours, path));
      await sleep(PAUSE * Math.random())
    ) {
      const holder = await readIfThere(path);
      if (holder === null) continue;
      if (!(await isAlive(holder))) await remove(path, holder);
      else if (performance.now() > deadline) throw heldError(path, holder);
    }
  } finally {
    await rm(ours, { force: true });
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
async function linked(from, to) {
  try {
    await link(from, to);
    return true;
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Removes a lock whose holder is gone, unless it was replaced meanwhile by one that is alive.
 * @param {string} path
 * @param {string} holder
 */
async function remove(path, holder) {
  const aside = `${path}-${randomUUID()}`;
  try {
    await rename(path, aside);
  } catch (error) {
    if (isMissing(error)) return; // Another did it.
    throw error;
  }
  if ((await readIfThere(aside)) !== holder) await linked(aside, path);
  await rm(aside, { force: true });
}

/**
 * A process: its number, and since when it runs, because numbers are given again.
 * @param {number} pid
 */
async function describe(pid) {
  const status = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""); // Linux only; elsewhere the number has to do.
  return { pid, since: status.slice(status.lastIndexOf(")")).split(" ")[20] ?? null };
}

/** @param {string} holder */
async function isAlive(holder) {
  /** @type {{ pid: number, since: string | null }} */
  const { pid, since } = JSON.parse(holder);
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ESRCH") return false;
  }
  return since === null || (await describe(pid)).since === since;
}

/**
 * @param {string} path
 * @param {string} holder
 */
function heldError(path, holder) {
  const message = `${path} has been held for ${PATIENCE / 1000} s by the process ${JSON.parse(holder).pid}. Nothing was written: end that process, or try again.`;
  return new PolystoreError("ERR_CLIENT", message);
}
