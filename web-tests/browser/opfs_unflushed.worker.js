// Our worker, on a disk that keeps nothing of what is written from the first request on.
let isWorn = false;
addEventListener("message", ({ data }) => (isWorn ||= "kind" in data));
const prototype = /** @type {any} */ (self).FileSystemSyncAccessHandle.prototype;
const { flush } = prototype;
prototype.flush = function () {
  if (isWorn) throw new DOMException("The disk is worn.", "InvalidStateError");
  flush.call(this);
};
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/clients/opfs/worker.js");
