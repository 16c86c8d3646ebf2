// Text files and folders, for the clients File, Folder and Log.

import { isUtf8 } from "node:buffer";
import * as fs from "node:fs";
import { mkdir, open, readlink, realpath } from "node:fs/promises";
import { basename, dirname, isAbsolute, join } from "node:path";
import { promisify } from "node:util";
import { quotaError } from "../support/errors.js";

// Not node:fs/promises, which makes an object for each file: reading 1,000 files at once would take 50 % longer.
const openFile = promisify(fs.open);
const read = promisify(fs.read);

/** The number of calls that may have files open, at most two each. Node's thread pool is smaller. */
const MAX_RUNNING = 16;
let running = 0;
/** @type {(() => void)[]} */
const waiting = [];

/**
 * Runs an action that opens files, once a slot is free: the number of open files is limited.
 * @template Result
 * @param {() => Promise<Result>} action It must not wait for another `withSlot`.
 * @returns {Promise<Result>}
 */
export async function withSlot(action) {
  if (running < MAX_RUNNING) ++running;
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
 * Runs an action, and converts an error that means that the disk is full.
 * @template Result
 * @param {string} what What the action does, for the message.
 * @param {() => Promise<Result>} action
 * @returns {Promise<Result>}
 * @throws {import("../support/errors.js").PolystoreError} ERR_QUOTA if the disk is full, or a text is too long.
 */
export async function mapDiskFull(what, action) {
  try {
    return await action();
  } catch (error) {
    // A RangeError means that a string would be too long.
    throw isFull(error) || error instanceof RangeError ? quotaError(what, { cause: error }) : error;
  }
}

/**
 * Reads a text file. Calls that do not wait for the disk (fstat and close) are synchronous: the thread pool takes ten times as long.
 * @param {string} path
 * @returns {Promise<string | null>} Null if there is no such file, or if it is not a regular file in UTF-8.
 */
export async function readIfThere(path) {
  let file;
  try {
    file = await openFile(path, fs.constants.O_RDONLY | (fs.constants.O_NONBLOCK ?? 0)); // Without O_NONBLOCK, opening a pipe would wait for its writer.
  } catch (error) {
    if (["ENOENT", "ENXIO"].includes(codeOf(error))) return null; // ENXIO means a socket.
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
 * Removes the byte order mark that some editors put at the start of a text.
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
    if (bytesRead === 0) break; // The file was truncated meanwhile.
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

/**
 * Creates a folder and its parents, durably. If the path is a dangling symbolic link, creates the target of the link.
 * @param {string} link
 */
export async function makeFolder(link) {
  const path = await resolveLinks(link);
  const first = await mkdir(path, { recursive: true });
  if (first === undefined) return;
  for (let made = path; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/**
 * Syncs a folder, so that renames and removals in it survive a power failure. Does nothing if that is not possible: file systems of networks
 * and virtual machines often cannot sync a folder, and a user may have permission to write to a folder but not to read it.
 * @param {string} path
 */
export async function syncFolder(path) {
  if (process.platform === "win32") return; // Windows cannot open a folder.
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
 * True if an error means that a folder cannot be synced at all. EIO, for example, is a real failure.
 * @param {unknown} error
 */
export function isUnsyncable(error) {
  return ["EINVAL", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EBADF", "EACCES", "EPERM"].includes(codeOf(error));
}

/**
 * Resolves the symbolic links of a path, because the target has to be locked and replaced rather than the link. Neither the target nor its
 * folders need to exist.
 * @param {string} path Absolute.
 * @returns {Promise<string>}
 */
export async function resolveLinks(path) {
  try {
    return await realpath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
  if (dirname(path) === path) return path; // A drive of Windows that does not exist.
  const folder = await resolveLinks(dirname(path));
  const name = join(folder, basename(path));
  // EINVAL means that another program has just created a file there, which is not a link.
  const target = await readlink(name).catch((error) =>
    ["ENOENT", "EINVAL"].includes(codeOf(error)) ? null : Promise.reject(error),
  );
  if (target === null) return name;
  // Not join(), which removes "link/..".
  return resolveLinks(isAbsolute(target) ? target : `${folder}/${target}`);
}

/**
 * True if a system call failed because the disk is full.
 * @param {unknown} error
 */
export function isFull(error) {
  // EFBIG: the file is too large for the limit of the process (ulimit -f) or for the file system.
  return ["ENOSPC", "EDQUOT", "EFBIG"].includes(codeOf(error));
}

/**
 * True if an error means a missing permission, a read-only file system, or that the runtime forbids the call.
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
 * Returns the code of a system error.
 * @param {unknown} error
 */
export function codeOf(error) {
  return String(/** @type {NodeJS.ErrnoException} */ (error).code);
}
