// Our worker, whose browser refuses it a file once: with the error that the query names.
const { createSyncAccessHandle } = /** @type {any} */ (FileSystemFileHandle.prototype);
Object.assign(FileSystemFileHandle.prototype, {
  createSyncAccessHandle() {
    Object.assign(FileSystemFileHandle.prototype, { createSyncAccessHandle });
    return Promise.reject(new DOMException("Not now.", location.search.slice(1)));
  },
});
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/clients/opfs/worker.js");
