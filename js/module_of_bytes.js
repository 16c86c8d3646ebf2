/**
 * Compiles what wasm/embed.mjs has made a text of.
 * @param {string} bytes One character (U+0000 to U+00FF) a byte.
 */
export function moduleOfBytes(bytes) {
  return new WebAssembly.Module(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
}
