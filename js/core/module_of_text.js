// WebAssembly as a text of printable ASCII, which any bundler and any page passes on unchanged, whatever their charsets. The bytes
// below BASE, which are most, are one character, and the others two; that keeps the byte pattern of the code, which base64
// destroys: brotli makes a quarter less of it.

/** A byte is `high * BASE + low`. `low` is the character FIRST + low; before it, where `high` is not 0, comes FIRST + BASE - 1 + high. */
export const BASE = 67;
export const FIRST = 36;

/**
 * Compiles what wasm/embed.mjs has made a text of.
 * @param {string} text
 */
export function moduleOfText(text) {
  const bytes = new Uint8Array(text.length);
  let size = 0;
  let high = 0;
  for (let i = 0; i < text.length; ++i) {
    const digit = text.charCodeAt(i) - FIRST;
    if (digit < BASE) {
      bytes[size++] = high * BASE + digit;
      high = 0;
    } else high = digit - BASE + 1;
  }
  return new WebAssembly.Module(bytes.subarray(0, size));
}
