// Replacing a file as a whole or not at all, while other processes read and write it.

import * as fs from "node:fs";
import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { retryBlocked } from "./retry_blocked.js";
import { temporaryPath } from "./temporary_file.js";
import { codeOf, isForbidden, isMissing, makeFolder, resolveLinks, syncFolder } from "./text_file.js";

/**
 * Writes a temporary file, syncs it, and renames it, so that a crash leaves either the old text or the new one. The new text is durable
 * after the folder is synced too. The new file keeps the permissions of the old one, and its owner if this process may set it. If the
 * path is a symbolic link, its target is replaced.
 *
 * If this process may not write to the folder, or the file itself is a mount point, the file is written in place. A crash may then leave
 * parts of both texts.
 * @param {string} path
 * @param {string} text
 * @returns {Promise<fs.BigIntStats>} The stats of the new file.
 */
export async function replaceFile(path, text) {
  return /** @type {fs.BigIntStats} */ (await replaceFileIf(path, text, async () => true));
}

/**
 * The same, if a condition holds at the last moment.
 * @param {string} path
 * @param {string} text
 * @param {() => Promise<boolean>} condition
 * @returns {Promise<fs.BigIntStats | null>} The stats of the new file; null if the condition does not hold, and the file is unchanged.
 */
export async function replaceFileIf(path, text, condition) {
  const old = await lstat(path).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
  if (old?.isSymbolicLink()) {
    const target = await resolveLinks(path);
    await makeFolder(dirname(target));
    const stats = await replaceFileIf(target, text, condition);
    await syncFolder(dirname(target));
    return stats;
  }
  try {
    return await replaceWhole(path, text, old, condition);
  } catch (error) {
    if (!old?.isFile() || !isInPlaceOnly(error)) throw error;
    if (!(await condition())) return null;
    // If writing in place is forbidden too, the first error says more.
    return await writeInPlace(path, Buffer.from(text)).catch((second) =>
      Promise.reject(isForbidden(second) ? error : second),
    );
  }
}

/**
 * True if an error means that a file can only be written in place. EBUSY means that the file is a mount point.
 * @param {unknown} error
 */
export function isInPlaceOnly(error) {
  return process.platform !== "win32" && (isForbidden(error) || codeOf(error) === "EBUSY");
}

/**
 * @param {string} path
 * @param {string} text
 * @param {fs.Stats | null} old
 * @param {() => Promise<boolean>} condition
 */
async function replaceWhole(path, text, old, condition) {
  const temporary = await temporaryPath(dirname(path));
  const file = await open(temporary, "wx+");
  let stats;
  try {
    try {
      const made = fs.fstatSync(file.fd);
      // chown() before chmod(), because it clears bits of the mode. Only root may change the owner.
      if (old && (old.uid !== made.uid || old.gid !== made.gid)) await file.chown(old.uid, old.gid).catch(() => {});
      if (old && old.mode !== made.mode) await file.chmod(old.mode & 0o7777);
      await file.writeFile(text);
      await file.sync();
      stats = fs.fstatSync(file.fd, { bigint: true });
    } finally {
      await file.close(); // Windows cannot rename an open file.
    }
    if (!(await condition())) {
      await rm(temporary);
      return null;
    }
    await retryBlocked(() => rename(temporary, path));
    return stats;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * Writes a file in place. The part beyond the old length is written first: if the disk is full, the old text is then still there.
 * @param {string} path
 * @param {Buffer} bytes
 */
async function writeInPlace(path, bytes) {
  const file = await open(path, "r+");
  try {
    const { size } = await file.stat();
    try {
      await writeAt(file, bytes.subarray(size), size);
    } catch (error) {
      await file.truncate(size);
      throw error;
    }
    await writeAt(file, bytes.subarray(0, size), 0);
    await file.truncate(bytes.length);
    await file.sync();
    return fs.fstatSync(file.fd, { bigint: true });
  } finally {
    await file.close();
  }
}

/**
 * @param {import("node:fs/promises").FileHandle} file
 * @param {Buffer} bytes
 * @param {number} offset
 */
async function writeAt(file, bytes, offset) {
  for (let done = 0; done < bytes.length;) {
    done += (await file.write(bytes, done, bytes.length - done, offset + done)).bytesWritten;
  }
}
