// Our worker, whose browser has not noticed yet that the one before it has let go of the files.
const { createSyncAccessHandle } = /** @type {any} */ (FileSystemFileHandle.prototype);
Object.assign(FileSystemFileHandle.prototype, {
  createSyncAccessHandle() {
    Object.assign(FileSystemFileHandle.prototype, { createSyncAccessHandle });
    return Promise.reject(new DOMException("Somebody has it.", "NoModificationAllowedError"));
  },
});
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/engine/opfs_worker.js");
