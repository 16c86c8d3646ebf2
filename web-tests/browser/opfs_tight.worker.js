// Our worker, in a browser that has room for 50 KB more.
navigator.storage.estimate = async () => ({ quota: 50_000, usage: 0 });
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/engine/opfs_worker.js");
