import { closeSync, openSync, readFileSync, rmSync, statSync, writeSync } from "node:fs";
import { utimes } from "node:fs/promises";
import { createHash, randomUUID } from "node:crypto";
import { PolystoreError } from "../errors.js";
import { clearInterval, Date, performance, setInterval, sleep } from "../real_timers.js";
import { isAlive, ourselves, showHolder } from "./process_identity.js";

/** How long to wait for one holder, and for a sign of life of it; between two of ours, and between two looks; in milliseconds. */
const PATIENCE = 20_000;
const SILENCE = 10_000;
const BEAT = 2_000;
const PAUSE = 4;

/**
 * A lock as somebody found it.
 * @typedef {object} Found
 * @property {string} text Unique to it, but for one whose text is not there yet.
 * @property {bigint} inode
 * @property {bigint} renewed
 */

/**
 * Does something while no other process that asks for the same lock does. Node has no flock(2): the lock is a file that
 * says which process holds it, and whose date the holder renews.
 *
 * A lock is taken over at once when its holder is known to be gone: a process of this machine and this container. Of any
 * other holder nothing can be known but the date: it is taken over when that has not changed for 10 s, by our own clock.
 * @template Result
 * @param {string} path Of the lock.
 * @param {() => Promise<Result>} action
 * @returns {Promise<Result>}
 * @throws {PolystoreError} ERR_CLIENT when another process does not let go of it.
 */
export async function withLock(path, action) {
  const text = JSON.stringify({ ...(await ourselves), token: randomUUID() });
  await acquire(path, text);
  const beat = setInterval(() => {
    const now = new Date();
    utimes(path, now, now).catch(() => {}); // Taken away with its folder: the action will see to that.
  }, BEAT);
  try {
    return await action();
  } finally {
    clearInterval(beat);
    if (look(path)?.text === text) rmSync(path, { force: true });
  }
}

/**
 * @param {string} path
 * @param {string} text
 */
async function acquire(path, text) {
  /** @type {Found | null} */
  let last = null;
  let heldSince = 0;
  let quietSince = 0;
  for (; !tryCreate(path, text); await sleep(PAUSE * Math.random())) {
    const found = look(path);
    if (found === null) continue;
    const now = performance.now();
    if (last?.text !== found.text || last.inode !== found.inode) heldSince = quietSince = now;
    else if (last.renewed !== found.renewed) quietSince = now;
    last = found;
    const alive = await isAlive(found.text);
    if (alive === false || (alive === undefined && now - quietSince > SILENCE)) await remove(path, found);
    else if (now - heldSince > PATIENCE) throw heldError(path, found.text);
  }
}

/**
 * Made and written without a pause: a process that is killed in between leaves a lock that says nothing.
 * @param {string} path
 * @param {string} text
 */
function tryCreate(path, text) {
  let file;
  try {
    file = openSync(path, "wx");
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "EEXIST") return false;
    throw error;
  }
  try {
    writeSync(file, text);
    return true;
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  } finally {
    closeSync(file);
  }
}

/**
 * @param {string} path
 * @returns {Found | null}
 */
function look(path) {
  try {
    const { ino, mtimeNs } = statSync(path, { bigint: true });
    return { text: readFileSync(path, "utf8"), inode: ino, renewed: mtimeNs };
  } catch (error) {
    if (/** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT") return null;
    throw error;
  }
}

/**
 * Removes a lock whose holder is gone. Many may have found it, and another may hold a new one by the time that the last of them
 * acts: so only who holds the lock on this very lock removes it, and only if it is still there.
 * @param {string} path
 * @param {Found} stale
 */
function remove(path, stale) {
  const name = createHash("sha256").update(`${stale.inode} ${stale.text}`).digest("hex").slice(0, 16);
  // Of the same length for the lock on the lock on a lock.
  const base = path.replace(/\.lock(-[0-9a-f]{16})?$/, ".lock");
  return withLock(`${base}-${name}`, async () => {
    const found = look(path);
    if (found?.text === stale.text && found.inode === stale.inode && found.renewed === stale.renewed) rmSync(path);
  });
}

/**
 * @param {string} path
 * @param {string} text
 */
function heldError(path, text) {
  const message = `${path} has been held for ${PATIENCE / 1000} s by the ${showHolder(text)}. Nothing was written: end that process, or try again.`;
  return new PolystoreError("ERR_CLIENT", message);
}
