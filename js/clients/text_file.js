// Files of text that other processes read and write as well: one is replaced whole or not at all.

import { isUtf8 } from "node:buffer";
import { randomUUID } from "node:crypto";
import * as fs from "node:fs";
import { mkdir, open, realpath, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { quotaError } from "../errors.js";

// Of these, node:fs/promises makes an object a file: reading 1,000 files at once takes half as long again.
const openFile = promisify(fs.open);
const read = promisify(fs.read);

/** How many calls may have files open at once, two at most each; the pool of threads that serves them is smaller. */
const AT_ONCE = 16;
let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/**
 * Does something that opens files, when few enough others do.
 * @template Result
 * @param {() => Promise<Result>} action Which must not wait for another `inTurn`.
 * @returns {Promise<Result>}
 */
export async function inTurn(action) {
  if (running < AT_ONCE) ++running;
  else await new Promise((resolve) => waiting.push(() => resolve(undefined)));
  try {
    return await action();
  } finally {
    const next = waiting.shift();
    if (next) next();
    else --running;
  }
}

/**
 * Does something that needs room on the disk.
 * @template Result
 * @param {string} what
 * @param {() => Promise<Result>} action
 * @returns {Promise<Result>}
 * @throws {import("../errors.js").PolystoreError} ERR_QUOTA where there is none.
 */
export async function withRoom(what, action) {
  try {
    return await action();
  } catch (error) {
    // A RangeError: no text is so long.
    throw isFull(error) || error instanceof RangeError ? quotaError(what, { cause: error }) : error;
  }
}

/**
 * What waits for no disk, a look at an open file and closing it, is done at once: the pool of threads takes ten times as long.
 * @param {string} path
 * @returns {Promise<string | null>} Null where there is none; nor is a folder, a device or what is no UTF-8 a text.
 */
export async function readIfThere(path) {
  let file;
  try {
    file = await openFile(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0)); // A pipe would wait for its writer.
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code === "ENOENT" || code === "ENXIO") return null; // ENXIO: a socket.
    throw error;
  }
  try {
    const status = fs.fstatSync(file);
    if (!status.isFile()) return null;
    const bytes = await readWhole(file, status.size);
    return isUtf8(bytes) ? bytes.toString() : null;
  } finally {
    fs.closeSync(file);
  }
}

/**
 * @param {number} file
 * @param {number} size
 */
async function readWhole(file, size) {
  const bytes = Buffer.allocUnsafe(size);
  let length = 0;
  while (length < size) {
    const { bytesRead } = await read(file, bytes, length, size - length, null);
    if (bytesRead === 0) break; // It was cut short meanwhile.
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/**
 * Writes beside the file, syncs, and renames, so that a crash leaves the old text or the new one; which of them, is sure once
 * the folder is synced too. The permissions of the old file are kept, and its owner where we may.
 * @param {string} path
 * @param {string} text
 * @returns {Promise<import("node:fs/promises").FileHandle>} The new file, open.
 */
export async function replaceFile(path, text) {
  const temporary = join(dirname(path), `.polystore-${randomUUID()}.tmp`);
  const file = await open(temporary, "wx+");
  try {
    const old = await stat(path).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
    const made = fs.fstatSync(file.fd);
    // Before the mode, for it clears bits of that. Only root may give a file away.
    if (old && (old.uid !== made.uid || old.gid !== made.gid)) await file.chown(old.uid, old.gid).catch(() => {});
    if (old && old.mode !== made.mode) await file.chmod(old.mode & 0o7777);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
    return file;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
}

/** Makes a folder, and those that it lies in, for good. @param {string} path */
export async function makeFolder(path) {
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Makes what was renamed or removed in a folder last. @param {string} path */
export async function syncFolder(path) {
  if (process.platform === "win32") return; // Where a folder cannot be opened.
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/**
 * The file that a path leads to through links: what is to be replaced, and locked, is that and not a link.
 * @param {string} path
 */
export function resolveLinks(path) {
  return realpath(path).catch((error) => (isMissing(error) ? path : Promise.reject(error)));
}

/**
 * Whether a call of the system failed for want of room.
 * @param {unknown} error
 */
export function isFull(error) {
  // EFBIG: the process may not write files of this size (ulimit -f), or the file system holds none.
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(String(/** @type {NodeJS.ErrnoException} */ (error).code));
}

/** @param {unknown} error */
export function isMissing(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT";
}
