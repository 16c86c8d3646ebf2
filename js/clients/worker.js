import { Cloudflare } from "./cloudflare.js";
import { isCloudflare } from "./has.js";
import { presentRequest } from "./turns.js";

/** What only a Worker of Cloudflare can wrap, beyond the clients that all can. @type {import("./index.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "CLOUDFLARE",
    recognizes: isCloudflare,
    open: (namespace) => new Cloudflare(namespace),
    request: presentRequest,
  },
];
