// A mute worker, in a browser that has room for 2 MB.
navigator.storage.estimate = async () => ({ quota: 2_000_000, usage: 0 });
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/web-tests/browser/opfs_mute.worker.js");
