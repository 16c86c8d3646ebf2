/** Up to this length, a loop over the characters is faster than TextDecoder and TextEncoder. */
export const SHORT = 64;

/** Decodes UTF-8, with a fast path for short ASCII texts. */
export class TextReader {
  #decoder = new TextDecoder("utf-8", { ignoreBOM: true });

  /**
   * @param {Uint8Array<ArrayBuffer>} bytes
   * @param {number} start
   * @param {number} length
   */
  read(bytes, start, length) {
    const end = start + length;
    if (length <= SHORT) {
      let text = "";
      let i = start;
      for (; i < end && bytes[i] < 128; ++i) text += String.fromCharCode(bytes[i]);
      if (i === end) return text;
    }
    return this.#decoder.decode(bytes.subarray(start, end));
  }
}
