// Files of text and their folders, as the clients File, Folder and Log need them.

import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { mkdir, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { quotaError } from "../support/errors.js";

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
 * @throws {import("../support/errors.js").PolystoreError} ERR_QUOTA where there is none.
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
    if (["ENOENT", "ENXIO"].includes(codeOf(error))) return null; // ENXIO: a socket.
    throw error;
  }
  try {
    const status = fs.fstatSync(file);
    if (!status.isFile()) return null;
    const bytes = await readWhole(file, status.size);
    return isUtf8(bytes) ? withoutMark(bytes.toString()) : null;
  } finally {
    fs.closeSync(file);
  }
}

/**
 * A text without the byte order mark that some editors put before it.
 * @param {string} text
 */
export function withoutMark(text) {
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
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
 * Makes a folder, and those that it lies in, for good; where its path is that of a link which leads nowhere yet, the one that it
 * leads to.
 * @param {string} link
 */
export async function makeFolder(link) {
  const path = await resolveLinks(link);
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/**
 * Makes what was renamed or removed in a folder last, where the file system can: those of networks and of virtual machines often
 * cannot sync a folder, nor can a user who may write to a folder and not read it.
 * @param {string} path
 */
export async function syncFolder(path) {
  if (process.platform === "win32") return; // Where a folder cannot be opened.
  try {
    const folder = await open(path, "r");
    try {
      await folder.sync();
    } finally {
      await folder.close();
    }
  } catch (error) {
    if (!isUnsyncable(error)) throw error;
  }
}

/**
 * Whether a folder could not be synced because that is not to be had there; EIO, say, is a failure.
 * @param {unknown} error
 */
export function isUnsyncable(error) {
  return ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF", "EACCES", "EPERM"].includes(codeOf(error));
}

/**
 * The file that a path leads to through links, now: what is to be replaced, and locked, is that and not a link. It need not be
 * there, nor the folders that it lies in.
 * @param {string} path Absolute.
 * @returns {Promise<string>}
 */
export async function resolveLinks(path) {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (dirname(path) === path) return path; // A disk of Windows that is not there.
  const folder = await resolveLinks(dirname(path));
  const name = join(folder, basename(path));
  // EINVAL: what is there is not a link; somebody has just made it.
  const target = await readlink(name).catch((error) =>
    ["ENOENT", "EINVAL"].includes(codeOf(error)) ? null : Promise.reject(error),
  );
  if (target === null) return name;
  // Not join(), which takes "link/.." for nothing.
  return resolveLinks(isAbsolute(target) ? target : `${folder}/${target}`);
}

/**
 * Whether a call of the system failed for want of room.
 * @param {unknown} error
 */
export function isFull(error) {
  // EFBIG: the process may not write files of this size (ulimit -f), or the file system holds none.
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(error));
}

/**
 * Whether the user may not do what was tried, or nobody may on this disk, or the runtime forbids it.
 * @param {unknown} error
 */
export function isForbidden(error) {
  const isDenied = ["EACCES", "EPERM", "EROFS", "ERR_ACCESS_DENIED"].includes(codeOf(error));
  return isDenied || /** @type {Error} */ (error).name === "NotCapable"; // Deno's.
}

/** @param {unknown} error */
export function isMissing(error) {
  return codeOf(error) === "ENOENT";
}

/**
 * What the system calls an error.
 * @param {unknown} error
 */
export function codeOf(error) {
  return String(/** @type {NodeJS.ErrnoException} */ (error).code);
}
