import { Cloudflare } from "../clients/cloudflare.js";
import { isCloudflare } from "../support/has.js";
import { sourcePerRequest } from "./source_per_request.js";

/** Examples of clients, for the error of an argument that kv() cannot wrap. */
export const examples = "a namespace of Cloudflare KV, the URL of a server";

/** The clients that exist in Cloudflare Workers only. @type {import("./known_clients.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "CLOUDFLARE",
    recognizes: isCloudflare,
    open: (namespace) => new Cloudflare(namespace),
    makeSource: (sources, namespace) => sourcePerRequest(sources, namespace, new Cloudflare(namespace)),
  },
];
