import { PolystoreError } from "../../support/errors.js";

/**
 * A synchronous access handle, which TypeScript's library of the DOM does not have; or what stands in for one.
 * @typedef {object} AccessHandle
 * @property {() => number} getSize
 * @property {(bytes: Uint8Array, options: { at: number }) => number} read
 * @property {(bytes: Uint8Array, options: { at: number }) => number} write
 * @property {(size: number) => void} truncate
 * @property {() => void | Promise<void>} flush What stands in for a handle saves by itself meanwhile.
 * @property {() => void} close
 */

/**
 * @param {AccessHandle} handle
 * @param {number} offset
 * @param {Uint8Array} bytes
 * @throws {PolystoreError} ERR_QUOTA
 */
export function writeAll(handle, offset, bytes) {
  // A browser at its limit throws, or writes a part.
  if (handle.write(bytes, { at: offset }) === bytes.length) return;
  throw new PolystoreError("ERR_QUOTA", "The browser has no room for more.");
}
