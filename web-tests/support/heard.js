import { take } from "../../js/contract/behaviours/watch.js";
import { inTime } from "../../js/contract/subject.js";

/**
 * Fetches the next changes of a watcher, and keeps the process alive meanwhile: a watcher does not.
 * @param {AsyncIterator<any>} changes
 * @param {number} [count]
 */
export const heard = (changes, count = 1) =>
  inTime(take(changes, count), `a watcher, which has to hear ${count} changes,`);
