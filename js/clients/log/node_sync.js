// Syncing a log in Node. Node's permission model refuses fsync() and fdatasync() for a file descriptor; only a FileHandle can be synced,
// asynchronously. Under that model, the log is opened with O_DSYNC, so that each write is synced, and each flush syncs the folder.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { isMissing, isUnsyncable } from "../../disk/text_file.js";

export const IS_RESTRICTED = "permission" in process && process.permission !== undefined;
const fdatasync = promisify(fs.fdatasync);

/** An additional flag for opening a log's files. */
export const WRITE_THROUGH = IS_RESTRICTED ? fs.constants.O_DSYNC : 0;

/** @param {number} file */
export function syncFile(file) {
  if (!IS_RESTRICTED) fs.fdatasyncSync(file);
}

/** Syncs a folder, if the file system can, so that the names in it survive a power failure. @param {string} path */
export function syncFolder(path) {
  if (IS_RESTRICTED || process.platform === "win32") return; // Windows cannot open a folder.
  try {
    const folder = fs.openSync(path, "r");
    try {
      fs.fsyncSync(folder);
    } finally {
      fs.closeSync(folder);
    }
  } catch (error) {
    if (!isUnsyncable(error)) throw error;
  }
}

/** @param {number} file */
export async function syncFileLater(file) {
  if (!IS_RESTRICTED) await fdatasync(file);
}

/** @param {string} path */
export async function syncFolderLater(path) {
  if (process.platform === "win32") return;
  await syncPath(path).catch((error) => (isUnsyncable(error) ? undefined : Promise.reject(error)));
}

/** Syncs the writes of an earlier process, if the engine cannot do that itself. @param {string} log The path of the log. */
export async function syncEarlier(log) {
  if (IS_RESTRICTED) await syncPath(log).catch((error) => (isMissing(error) ? undefined : Promise.reject(error)));
}

/** @param {string} path */
async function syncPath(path) {
  const handle = await open(path);
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
