// The worker of a page that uses a log in the private file system. The browser gives the lock of the log to one of the
// workers at a time: that one is its owner, and serves its own page and, through channels, all others. It keeps no state
// but what is in the log, so any other can go on where it ended.

import { Host } from "./host.js";

const host = new Host(true, (report, transfer = []) => postMessage(report, { transfer }));

/** @param {MessageEvent<import("./protocol.d.ts").Order | import("./protocol.d.ts").Request>} event */
onmessage = ({ data }) => host.hear(data);
