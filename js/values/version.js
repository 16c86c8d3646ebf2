import { sha256 } from "@noble/hashes/sha2.js";

/**
 * Returns the version of a value: the SHA-256 of its JSON as 44 characters of base64. Equal values have the same version, and a different
 * value has another. The browser's own hash, crypto.subtle, is asynchronous, and only secure pages have it.
 * @param {any} value
 * @returns {string}
 */
export function versionOf(value) {
  return btoa(String.fromCharCode(...sha256(new TextEncoder().encode(JSON.stringify(value)))));
}
