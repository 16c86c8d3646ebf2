// Files of text that other processes read and write as well: one is replaced whole or not at all.

import { randomUUID } from "node:crypto";
import { open, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";

/**
 * @param {string} path
 * @returns {Promise<string | null>} Null where there is none.
 */
export async function readIfThere(path) {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if (isMissing(error)) return null;
    throw error;
  }
}

/**
 * Writes beside the file, syncs, and renames, so that a crash leaves the old text or the new one. The permissions of the old
 * file are kept.
 * @param {string} path
 * @param {string} text
 * @returns {Promise<import("node:fs/promises").FileHandle>} The new file, open.
 */
export async function replaceFile(path, text) {
  const folder = dirname(path);
  const temporary = join(folder, `.polystore-${randomUUID()}.tmp`);
  const file = await open(temporary, "wx+");
  try {
    const old = await stat(path).catch((error) => (isMissing(error) ? null : Promise.reject(error)));
    if (old) await file.chmod(old.mode & 0o7777);
    await file.writeFile(text);
    await file.sync();
    await rename(temporary, path);
    await syncFolder(folder);
    return file;
  } catch (error) {
    await file.close();
    await rm(temporary, { force: true });
    throw error;
  }
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

/** @param {unknown} error */
export function isMissing(error) {
  return /** @type {NodeJS.ErrnoException} */ (error).code === "ENOENT";
}
