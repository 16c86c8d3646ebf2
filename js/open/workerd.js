import { Cloudflare } from "../clients/cloudflare.js";
import { isCloudflare } from "../support/has.js";
import { sourcePerRequest } from "./source_per_request.js";

/** What the error of what cannot be wrapped names here. */
export const examples = "a namespace of Cloudflare KV, the URL of a server";

/** What only a Worker of Cloudflare can wrap, beyond the clients that all can. @type {import("./known_clients.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "CLOUDFLARE",
    recognizes: isCloudflare,
    open: (namespace) => new Cloudflare(namespace),
    makeSource: (sources, namespace) => sourcePerRequest(sources, namespace, new Cloudflare(namespace)),
  },
];
