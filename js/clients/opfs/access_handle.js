import { PolystoreError } from "../../support/errors.js";

/**
 * A FileSystemSyncAccessHandle, which TypeScript's DOM library does not declare; or a replacement for one (see MemoryFile).
 * @typedef {object} AccessHandle
 * @property {() => number} getSize
 * @property {(bytes: Uint8Array, options: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void | Promise<void>} flush A real handle flushes synchronously; a replacement returns a promise.
 * @property {() => void} close
 */

/**
 * Writes all of the bytes at an offset.
 * @param {AccessHandle} handle
 * @param {number} offset
 * @param {Uint8Array} bytes
 * @throws {PolystoreError} ERR_QUOTA
 */
export function writeAll(handle, offset, bytes) {
  // When the quota is exhausted, a browser throws, or writes only a part.
  if (handle.write(bytes, { at: offset }) === bytes.length) return;
  throw new PolystoreError(
    "ERR_QUOTA",
    "The storage quota of this site is exhausted. What is stored is unchanged: prune(), or delete something, to make room.",
  );
}
