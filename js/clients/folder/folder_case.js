// Disks that ignore case, for example those of macOS and Windows. There, the files of "Ada" and "ada" need names that differ in more
// than case, which file_name.js makes. This module finds out whether a folder needs such names, and renames its existing files.
//
// After that, a marker file in the folder says so. The folder keeps those names even if it is copied to another disk.

import { constants, opendirSync } from "node:fs";
import { access, lstat, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isLong, isSame, keyOf, nameOf } from "./file_name.js";
import { decodeExpiry } from "../../support/record.js";
import { decodeFile, withKey } from "./folder_file.js";
import { Lock } from "../../disk/lock.js";
import { replaceFile } from "../../disk/replace_file.js";
import { retryBlocked } from "../../disk/retry_blocked.js";
import { temporaryPath } from "../../disk/temporary_file.js";
import { isMissing, readIfThere, syncFolder } from "../../disk/text_file.js";

const MARKER = ".polystore-ignores-case";
const MARKER_TEXT =
  "This folder was used on a disk that ignores case: in the names of its files, capitals are written %41 to %5A.\n";

/**
 * Finds out whether the files of a folder are named for a disk that ignores case.
 * @param {string} folder
 * @returns {Promise<boolean | undefined>} Undefined if the folder has no file that shows it.
 */
export async function findCase(folder) {
  if (await isThere(join(folder, MARKER))) return true;
  const name = anyName(folder);
  if (name === undefined) return undefined;
  const other = inOtherCase(name); // This name ends with .JSON, so no program creates it meanwhile.
  if (!(await isThere(join(folder, other)))) return false;
  if ((await readdir(folder)).includes(other)) return false; // Both names exist as separate files.
  await renameAll(folder);
  return true;
}

/**
 * Like findCase(), for a folder that may be written to: if it has no file that shows it, a temporary file is created.
 * @param {string} folder
 * @returns {Promise<boolean>}
 */
export async function settleCase(folder) {
  const found = await findCase(folder);
  if (found !== undefined) return found;
  const path = await temporaryPath(folder);
  await writeFile(path, "", { flag: "wx" });
  const ignored = await isThere(join(folder, inOtherCase(basename(path))));
  await rm(path, { force: true });
  if (ignored) await renameAll(folder);
  return ignored;
}

/**
 * Renames the files of a folder for a disk that ignores case, and creates the marker.
 * @param {string} folder
 */
async function renameAll(folder) {
  const mayWrite = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  // Without permission to write, there is nothing to do if no file has to be renamed. A process with permission creates the marker.
  if (!mayWrite && (await misnamed(folder)).length === 0) return;
  // One process at a time: another process that already uses the new names would read an old name as another key.
  const lock = await Lock.wait(join(folder, MARKER));
  try {
    if (await isThere(join(folder, MARKER))) return;
    for (const rename of await misnamed(folder)) {
      lock.check("Try again.");
      await rename();
    }
    lock.check("Try again.");
    await replaceFile(join(folder, MARKER), MARKER_TEXT);
    await syncFolder(folder);
  } finally {
    lock.release();
  }
}

/**
 * Returns the renames of the files that were named for a disk that distinguishes case, as polystore names all files.
 * @param {string} folder
 */
async function misnamed(folder) {
  const renames = [];
  for (const name of await readdir(folder)) {
    const key = keyOf(name);
    if (key === undefined || (!isLong(name) && isSame(name, nameOf(key, true)))) continue;
    const path = join(folder, name);
    const text = await readIfThere(path);
    const file = decodeFile(name, text, false, decodeExpiry);
    if (text === null || !file) continue; // Other code's file.
    const right = nameOf(file.id, true);
    if (isSame(name, right)) continue;
    renames.push(async () => {
      // Write the key into the file before renaming it: a long name is only valid with the key in the file; the old name ignores it.
      if (isLong(right) && !isLong(name)) await replaceFile(path, withKey(text, right, file.id));
      await retryBlocked(() => rename(path, join(folder, right)));
    });
  }
  return renames;
}

/**
 * Returns the name of one record's file in a folder. It is synchronous, because promises of node:fs for a directory wait for
 * process.nextTick(), which never runs if a test has replaced it.
 * @param {string} folder
 */
function anyName(folder) {
  let directory;
  try {
    directory = opendirSync(folder);
    for (let entry; (entry = directory.readSync());) if (entry.name.endsWith(".json")) return entry.name;
  } catch (error) {
    if (!isMissing(error)) throw error;
  } finally {
    directory?.closeSync();
  }
  return undefined;
}

/** @param {string} name */
function inOtherCase(name) {
  return name.replace(/[a-z]/gi, (letter) => (letter < "a" ? letter.toLowerCase() : letter.toUpperCase()));
}

/** @param {string} path */
async function isThere(path) {
  return (await lstat(path).catch((error) => (isMissing(error) ? null : Promise.reject(error)))) !== null;
}
