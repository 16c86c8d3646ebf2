// Our worker, whose answers to the first page that sets a key "unanswered" are lost from then on; the channel "lost" gets them.
const lost = new BroadcastChannel("lost");
/** @type {number | undefined} */
let session;

self.BroadcastChannel = class extends BroadcastChannel {
  /** @param {string} name */
  constructor(name) {
    super(name);
    this.addEventListener("message", ({ data }) => {
      if (data.kind === "write" && data.items[0] === "unanswered") session ??= data.session;
    });
  }

  /** @param {any} message */
  postMessage(message) {
    if (this.name.endsWith(`:${session}`)) lost.postMessage(message);
    else super.postMessage(message);
  }
};
// @ts-expect-error The program of a page is checked with the types of pages.
importScripts("/dist/clients/opfs/worker.js");
