// Our worker, in a browser that has room for as many bytes as the query says. Chromium's own estimate does not tell of a quota that a test sets.
navigator.storage.estimate = async () => ({ quota: Number(location.search.slice(1)), usage: 0 });
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/clients/opfs/worker.js");
