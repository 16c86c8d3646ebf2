/** @typedef {import("./access_handle.js").AccessHandle} AccessHandle */

/** A change of a file: bytes written at an offset, or a new size. @typedef {{ offset: number, bytes: Uint8Array<ArrayBuffer> } | { size: number }} Change */

/**
 * A copy of a file in memory, with the methods of a synchronous access handle. It reports every change to `onchange`.
 * @implements {AccessHandle}
 */
export class MemoryFile {
  #bytes;
  #size;
  /** @type {(change: Change) => void} */
  onchange = () => {};
  /** Saves the changes. @type {() => Promise<void> | void} */
  flush = () => {};

  /** @param {ArrayBuffer} bytes */
  constructor(bytes) {
    this.#bytes = new Uint8Array(bytes);
    this.#size = bytes.byteLength;
  }

  getSize() {
    return this.#size;
  }

  /**
   * @param {Uint8Array} target
   * @param {{ at: number }} options
   */
  read(target, { at }) {
    const found = this.#bytes.subarray(at, Math.min(at + target.length, this.#size));
    target.set(found);
    return found.length;
  }

  /**
   * @param {Uint8Array} bytes
   * @param {{ at: number }} options
   */
  write(bytes, { at }) {
    this.#reserve(at + bytes.length);
    this.#bytes.set(bytes, at);
    this.#size = Math.max(this.#size, at + bytes.length);
    this.onchange({ offset: at, bytes: new Uint8Array(bytes) }); // A copy, because the caller reuses its memory.
    return bytes.length;
  }

  /** @param {number} size */
  truncate(size) {
    this.#reserve(size);
    this.#bytes.fill(0, size, this.#size);
    this.#size = size;
    this.onchange({ size });
  }

  close() {}

  /** @param {number} size */
  #reserve(size) {
    if (size <= this.#bytes.length) return;
    const larger = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
    larger.set(this.#bytes);
    this.#bytes = larger;
  }
}
