import { sleep } from "../support/real_timers.js";
import { codeOf } from "./text_file.js";

/** The pauses between two attempts, in milliseconds: each is twice as long as the one before, half a second in all. */
const FIRST_PAUSE = 8;
const MAX_PAUSE = 256;

/**
 * Renames a file. On Windows, a program that has the file open, for example a virus scanner, may block that for some time; then it is
 * tried again.
 * @param {() => void | Promise<void>} rename
 */
export async function retryBlocked(rename) {
  for (let pause = FIRST_PAUSE; ; pause *= 2) {
    try {
      return await rename();
    } catch (error) {
      const isBlocked = process.platform === "win32" && ["EACCES", "EBUSY", "EPERM"].includes(codeOf(error));
      if (!isBlocked || pause > MAX_PAUSE) throw error;
      await sleep(pause);
    }
  }
}
