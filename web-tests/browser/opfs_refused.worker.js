// Our worker, in a browser that refuses its private file system.
navigator.storage.getDirectory = () => Promise.reject(new DOMException("It is refused.", "SecurityError"));
importScripts("/dist/engine/opfs_worker.js");
