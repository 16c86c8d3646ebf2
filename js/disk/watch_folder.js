import { statSync, watch } from "node:fs";
import { basename, resolve } from "node:path";
import { clearInterval, pause, setInterval } from "../support/real_timers.js";
import { isMissing } from "./text_file.js";

/** How often a folder that does not exist is looked for, in milliseconds. */
const RETRY = 100;
/** Linux keeps 16,384 events for a process that does not fetch them, and drops the others. From this number at once, some may be lost. */
const MANY = 1000;

/**
 * Watches the files of a folder, also one that does not exist yet, or is removed and made again. It keeps no process alive.
 * @param {string} folder
 * @param {(name: string | null) => void} tell Is called with the name of a file that may have changed, or null if any may have.
 * @returns {() => void} Ends it.
 * @throws {Error} If the folder cannot be watched.
 */
export function watchFolder(folder, tell) {
  const path = resolve(folder); // Without a slash at the end, behind which an event of the folder itself would have no name.
  /** @type {import("node:fs").FSWatcher | undefined} */
  let watcher;
  /** The folder that is watched: its path may lead to another one later. */
  let identity = "";
  /** @type {any} */
  let timer;
  /** The number of events since the process last had time. */
  let events = 0;

  const begin = () => {
    identity = identityOf(path);
    watcher = watch(path, { persistent: false }, hear);
    watcher.on("error", beginAgain);
  };
  /** @param {string} _type @param {string | null} name */
  const hear = (_type, name) => {
    // An event of the folder itself has its own name.
    if ((name === null || name === basename(path)) && identityOf(path) !== identity) return beginAgain();
    tell(name);
    if (++events === 1)
      pause().then(() => {
        if (events >= MANY && watcher) tell(null);
        events = 0;
      });
  };
  const beginAgain = () => {
    watcher?.close();
    watcher = undefined;
    lookForIt();
    tell(null);
  };
  const lookForIt = () => {
    timer ??= setInterval(() => {
      try {
        begin();
      } catch {
        return; // It is not there yet, or may not be watched yet.
      }
      stopLooking();
      tell(null);
    }, RETRY).unref();
  };
  const stopLooking = () => {
    clearInterval(timer);
    timer = undefined;
  };

  try {
    begin();
  } catch (error) {
    if (!isMissing(error)) throw error;
    lookForIt();
  }
  return () => {
    stopLooking();
    watcher?.close();
    watcher = undefined;
  };
}

/**
 * Returns a text that is another one for each folder; empty if there is none.
 * @param {string} path
 */
function identityOf(path) {
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stats ? `${stats.dev},${stats.ino}` : "";
}
