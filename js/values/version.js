import { sha256 } from "@noble/hashes/sha2.js";

/** The versions of objects that are stored by identity. @type {WeakMap<object, string>} */
const ofObjects = new WeakMap();
let count = 0;

/**
 * Returns the version of a value: a hash of its JSON, so that equal values have the same version, and a different value has another.
 * @param {any} value
 * @param {boolean} [isIdentity] True if the store keeps objects as they are. An object is then only the same version as itself.
 * @returns {string}
 */
export function versionOf(value, isIdentity = false) {
  if (!isIdentity) return hash(JSON.stringify(value));
  if (typeof value !== "object" && typeof value !== "function") return hash(`${typeof value} ${String(value)}`);
  const version = ofObjects.get(value) ?? `object-${++count}`;
  ofObjects.set(value, version);
  return version;
}

/**
 * Returns the SHA-256 of a text as 44 characters of base64. The browser's own, crypto.subtle, is asynchronous, and only secure pages have it.
 * @param {string} text
 */
function hash(text) {
  return btoa(String.fromCharCode(...sha256(new TextEncoder().encode(text))));
}
