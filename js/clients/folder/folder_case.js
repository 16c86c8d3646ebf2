// Disks that ignore case, as those of macOS and Windows do. There, "Ada" and "ada" need files whose names differ in more than
// that: file_name.js has such names. This finds out whether a folder needs them, and gives them to the files that it has.
//
// Once it has, a marker in the folder says so, and the folder keeps those names wherever it is copied.

import { constants, opendirSync } from "node:fs";
import { access, lstat, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { isLong, isSame, keyOf, nameOf } from "./file_name.js";
import { decodeExpiry } from "../../support/record.js";
import { decodeFile, withKey } from "./folder_file.js";
import { Lock } from "../../disk/lock.js";
import { replaceFile } from "../../disk/replace_file.js";
import { temporaryPath } from "../../disk/temporary_file.js";
import { isMissing, readIfThere, syncFolder } from "../../disk/text_file.js";

const MARKER = ".polystore-ignores-case";
const MARKER_TEXT =
  "This folder was used on a disk that ignores case: in the names of its files, capitals are written %41 to %5A.\n";

/**
 * Whether the files of a folder are named for a disk that ignores case.
 * @param {string} folder
 * @returns {Promise<boolean | undefined>} Undefined where nothing is there that tells.
 */
export async function findCase(folder) {
  if (await isThere(join(folder, MARKER))) return true;
  const name = anyName(folder);
  if (name === undefined) return undefined;
  const other = inOtherCase(name); // Ends with .JSON, so nobody makes it meanwhile.
  if (!(await isThere(join(folder, other)))) return false;
  if ((await readdir(folder)).includes(other)) return false; // A second file.
  await renameAll(folder);
  return true;
}

/**
 * The same of a folder that may be written to: where nothing tells, a file is made that does.
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
 * Gives the files of a folder the names that a disk which ignores case needs, and leaves the marker.
 * @param {string} folder
 */
async function renameAll(folder) {
  const mayWrite = await access(folder, constants.W_OK).then(
    () => true,
    () => false,
  );
  // Where nothing is to be renamed, whoever may write leaves the marker.
  if (!mayWrite && (await misnamed(folder)).length === 0) return;
  // One process at a time: to another that goes by the new names, an old one is that of another key.
  const lock = await Lock.wait(join(folder, MARKER));
  try {
    if (await isThere(join(folder, MARKER))) return;
    for (const rename of await misnamed(folder)) await rename();
    await replaceFile(join(folder, MARKER), MARKER_TEXT);
    await syncFolder(folder);
  } finally {
    lock.release();
  }
}

/**
 * What is to be done with those files of a folder that were named where case counts, as polystore names all.
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
    if (text === null || !file) continue; // Another's.
    const right = nameOf(file.id, true);
    if (isSame(name, right)) continue;
    renames.push(async () => {
      // First, for under a long name alone it would be nobody's; under its old one the key in it does not matter.
      if (isLong(right) && !isLong(name)) await replaceFile(path, withKey(text, right, file.id));
      await rename(path, join(folder, right));
    });
  }
  return renames;
}

/**
 * The name of any record's file in a folder. It is not asked for with promises, as those of a directory wait for
 * process.nextTick(), which stands still where a test has replaced it.
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
