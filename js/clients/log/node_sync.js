// How a log is synced in Node. Its permission model refuses fsync() and fdatasync() for the number of a file, and only a FileHandle,
// which answers later, can be synced. There, the system syncs the bytes of each write, and we the folder with each flush.

import * as fs from "node:fs";
import { open } from "node:fs/promises";
import { promisify } from "node:util";
import { isMissing, isUnsyncable } from "../../disk/text_file.js";

export const IS_RESTRICTED = "permission" in process && process.permission !== undefined;
const fdatasync = promisify(fs.fdatasync);

/** What a log's files are to be opened with besides. */
export const WRITE_THROUGH = IS_RESTRICTED ? fs.constants.O_DSYNC : 0;

/** @param {number} file */
export function syncFile(file) {
  if (!IS_RESTRICTED) fs.fdatasyncSync(file);
}

/** So that a name in it outlasts a power failure, where the file system can sync a folder. @param {string} path */
export function syncFolder(path) {
  if (IS_RESTRICTED || process.platform === "win32") return; // Windows opens no folder.
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

/** Syncs what an earlier process has written, and may not have synced, where the engine cannot. @param {string} log Its path. */
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
