// The worker of a page that uses a log in the private file system. The browser gives the lock of the log to one worker at a time.
// That worker is the owner of the log: it serves its own page directly, and all other pages through channels. All of its state is
// in the log, so that the next owner can continue where it ended.

import { Host } from "./host.js";

const host = new Host(true, (status, transfer = []) => postMessage(status, { transfer }));

/** @param {MessageEvent<import("./protocol.d.ts").Control | import("./protocol.d.ts").Request>} event */
onmessage = ({ data }) => host.receive(data);
