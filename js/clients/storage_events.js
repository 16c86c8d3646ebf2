// The changes that other pages make in localStorage. A page that watches it downloads this.

import { MAYBE, TOUCHED } from "../support/hint.js";

/**
 * @param {Storage} storage
 * @param {import("../core/client.js").WatchListener} listener
 * @returns {import("../core/client.js").Watch}
 */
export function watchStorage(storage, listener) {
  // The events of a sessionStorage concern the frames of this tab only, and a worker gets none.
  if (!isLocal(storage)) return { reach: "process", close() {} };
  const hear = (/** @type {StorageEvent} */ { storageArea, key, oldValue, newValue }) => {
    if (storageArea !== storage) return;
    if (key === null) listener.cleared("");
    else listener.changed(key, behindExpiry(oldValue) === behindExpiry(newValue) ? TOUCHED : MAYBE);
  };
  addEventListener("storage", hear);
  return { reach: "origin", close: () => removeEventListener("storage", hear) };
}

/**
 * Returns the text of a record behind its expiry.
 * @param {string | null} text
 */
const behindExpiry = (text) => text?.slice(text.indexOf(","));

/** @param {Storage} storage */
function isLocal(storage) {
  try {
    return storage === window.localStorage;
  } catch {
    return false; // There is no window, or it has no localStorage.
  }
}
