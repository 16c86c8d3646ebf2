const PRIME = 0x01000193;

/**
 * Returns a number that is nearly always another one for another value: two hashes of 26 bits of its JSON (FNV-1a, from both ends).
 * @param {unknown} value
 */
export function fingerprintOf(value) {
  const text = JSON.stringify(value) ?? "";
  let forward = 0x811c9dc5;
  let backward = text.length;
  for (let i = 0; i < text.length; ++i) {
    forward = Math.imul(forward ^ text.charCodeAt(i), PRIME);
    backward = Math.imul(backward ^ text.charCodeAt(text.length - 1 - i), PRIME);
  }
  return (forward >>> 6) * 2 ** 26 + (backward >>> 6);
}
