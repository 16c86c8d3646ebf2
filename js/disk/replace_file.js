// Replacing a file whole or not at all, which other processes read and write as well.

import * as fs from "node:fs";
import { lstat, open, rename, rm } from "node:fs/promises";
import { dirname } from "node:path";
import { sleep } from "../support/real_timers.js";
import { temporaryPath } from "./temporary_file.js";
import { codeOf, isForbidden, isMissing, makeFolder, resolveLinks, syncFolder } from "./text_file.js";

/** On Windows, how long whoever looks at a file, such as a virus scanner, may keep it from being replaced: half a second. */
const FIRST_PAUSE = 8;
const LONGEST_PAUSE = 256;

/**
 * Writes beside the file, syncs, and renames, so that a crash leaves the old text or the new one; which of them, is sure once
 * the folder is synced too. The permissions of the old file are kept, and its owner where we may. Where the path is that of a
 * link, the file that it leads to is written.
 *
 * Where the folder may not be written to, or the file is mounted alone, the file itself is written: a crash may then leave parts of
 * both texts.
 * @param {string} path
 * @param {string} text
 * @returns {Promise<fs.BigIntStats>} Of the new file.
 */
export async function replaceFile(path, text) {
  const old = await lstat(path).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
  if (old?.isSymbolicLink()) {
    const target = await resolveLinks(path);
    await makeFolder(dirname(target));
    const stats = await replaceFile(target, text);
    await syncFolder(dirname(target));
    return stats;
  }
  try {
    return await replaceWhole(path, text, old);
  } catch (error) {
    if (!old?.isFile() || !isInPlaceOnly(error)) throw error;
    // EACCES: the file may not be written either. The first error says more.
    return await writeInPlace(path, Buffer.from(text)).catch((second) =>
      Promise.reject(isForbidden(second) ? error : second),
    );
  }
}

/**
 * Whether a failure says that a file cannot be replaced: EBUSY is that of one that is mounted alone.
 * @param {unknown} error
 */
function isInPlaceOnly(error) {
  return process.platform !== "win32" && (isForbidden(error) || codeOf(error) === "EBUSY");
}

/**
 * @param {string} path
 * @param {string} text
 * @param {fs.Stats | null} old
 */
async function replaceWhole(path, text, old) {
  const temporary = await temporaryPath(dirname(path));
  const file = await open(temporary, "wx+");
  let stats;
  try {
    try {
      const made = fs.fstatSync(file.fd);
      // Before the mode, for it clears bits of that. Only root may give a file away.
      if (old && (old.uid !== made.uid || old.gid !== made.gid)) await file.chown(old.uid, old.gid).catch(() => {});
      if (old && old.mode !== made.mode) await file.chmod(old.mode & 0o7777);
      await file.writeFile(text);
      await file.sync();
      stats = fs.fstatSync(file.fd, { bigint: true });
    } finally {
      await file.close(); // Windows renames nothing that is open.
    }
    await renameInTime(temporary, path);
    return stats;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
async function renameInTime(from, to) {
  for (let pause = FIRST_PAUSE; ; pause *= 2) {
    try {
      return await rename(from, to);
    } catch (error) {
      const isBlocked = process.platform === "win32" && ["EACCES", "EBUSY", "EPERM"].includes(codeOf(error));
      if (!isBlocked || pause > LONGEST_PAUSE) throw error;
      await sleep(pause);
    }
  }
}

/**
 * What is longer than the old text is written first: where there is no room for it, the old text is there still.
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
