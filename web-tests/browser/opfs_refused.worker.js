// Our worker, in a browser that refuses its private file system.
navigator.storage.getDirectory = () => Promise.reject(new DOMException("It is refused.", "SecurityError"));
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/clients/opfs/worker.js");
