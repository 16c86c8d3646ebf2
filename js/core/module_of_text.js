// WebAssembly as printable ASCII text, which every bundler and every page passes on unchanged, whatever the character set. A
// byte below BASE, as most are, is one character; any other is two. Unlike base64, that keeps the byte pattern of the code: the
// text is 25 % smaller after brotli.

/** A byte is `high * BASE + low`. It is written as the character FIRST + low. If `high` is not 0, FIRST + BASE - 1 + high comes first. */
export const BASE = 67;
export const FIRST = 36;

/**
 * Compiles the module in a text that wasm/embed.mjs has written.
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
