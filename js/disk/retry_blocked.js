import { codeOf } from "./text_file.js";
import { retryIf } from "../support/retry.js";

/**
 * True if an error means that another program has a file open, for example a virus scanner. On Windows, that blocks renaming.
 * @param {unknown} error
 */
export const isBlocked = (error) =>
  process.platform === "win32" && ["EACCES", "EBUSY", "EPERM"].includes(codeOf(error));

/**
 * Renames a file. If that is blocked, it is tried again.
 * @param {() => void | Promise<void>} rename
 */
export const retryBlocked = (rename) => retryIf(isBlocked, rename);
