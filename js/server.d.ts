import type { Store } from "./index.js";

/** The part of a store that a handler uses. */
export type HandledStore = Pick<
  Store,
  "get" | "set" | "has" | "del" | "ttl" | "entry" | "batch" | "all" | "range" | "clear" | "prune" | "prefix"
>;

// The types of Web APIs become `any` if a program compiles without them.
type Web<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : any;

/** Answers a request. It never rejects. */
export type Handler = (request: Web<"Request">) => Promise<Web<"Response">>;

export interface HandlerOptions {
  /**
   * The token that every request must send as `Authorization: Bearer <token>`. The client takes it from its URL:
   * `kv("https://:token@example.com")`. Without this option, everyone who reaches the server can read and write the store.
   */
  token?: string;
  /** The maximum size of a request body in **bytes**; the default is 1 MiB. A larger body is refused (413) without being buffered. */
  maxBody?: number;
  /**
   * The path of the store; the default is `"/"`. For example, `"/api/store"` serves `kv("https://example.com/api/store")`. A request
   * for any other path is answered 404, also for a key with an unencoded `/`. The client then rejects with `ERR_CLIENT`.
   */
  path?: string;
  /**
   * The foreign origin whose pages may use the store: `"https://example.com"`, or `"*"` for all. Changes from pages of other origins
   * are refused (403). Programs other than browsers, such as this package in Node, or curl, need no permission.
   */
  origin?: string;
  /**
   * The host names of the server, required without `token`: `"example.com"`, an array of names, or `"*"` for any. Requests for
   * other names are refused (403), because a page can make its own name lead to your server (DNS rebinding).
   * IP addresses, `localhost` and names without a dot are always accepted.
   */
  host?: string | string[];
}

/**
 * Serves a store over HTTP, for `kv("https://…")`, for polystore, and for any other HTTP client:
 *
 * | request | answer |
 * |---|---|
 * | `GET /:key` | the value as JSON, or 404 |
 * | `HEAD /:key` | 200 or 404 |
 * | `PUT /:key?expires=60` with the value as JSON | 204; `expires` is in seconds, and defaults to the store's |
 * | `DELETE /:key` | 204 |
 * | these three with `If-Match` or `If-None-Match` | `GET` gives the `ETag`, or 304; a change is made atomically, or refused with 412 |
 * | `GET /?prefix=p` | an object of all values whose keys begin with `p`, which its keys lack; with `Accept: application/x-ndjson`, a line `[key, value]` for each, and a last line `{}` |
 * | the same with `gt`, `gte`, `lt`, `lte`, `reverse` and `limit` | the entries in this range, in order; the bounds lack `p`, too |
 * | `DELETE /?prefix=p` | 204; all records whose keys begin with `p` are deleted |
 * | `POST /?prune&prefix=p` | the number of expired records that were removed |
 * | `POST /?batch`, at most 100 calls: `["get", key]`, `["has", key]`, `["del", key]`, `["set", key, value, seconds or null]` | `{ result }` or `{ code, message }` for each; the client's atomic methods are calls, too |
 *
 * `:key` is percent-encoded. A path cannot express the keys `""`, `"."` and `".."`, so they need a batch. Errors are
 * `{ code, message }`. Without a token, a body must have `Content-Type: application/json` (otherwise 415). A reader that takes nothing
 * of an answer for 30 seconds is disconnected. Errors that may contain paths or addresses go to `console.error`, not to the client.
 *
 * ```js
 * import { createServer } from "node:http";
 * import kv from "polystore-wasm";
 * import { handler, listener } from "polystore-wasm/server";
 *
 * const handle = handler(kv("file:///var/data/").prefix("public:"), { token: process.env.TOKEN });
 * createServer(listener(handle)).listen(3000); // Bun.serve({ fetch: handle }), Deno.serve(handle)
 * ```
 *
 * @param store The store. Records outside its prefix can be neither read, nor listed, nor deleted.
 * @param options The token, limits and names of the server.
 * @returns The handler: a function that takes a `Request` and resolves with its `Response`.
 * @throws `ERR_CLIENT` if `store` is not a store; `ERR_OPTIONS`.
 */
export function handler(store: HandledStore, options?: HandlerOptions): Handler;

/**
 * Makes a listener for `createServer()` of `node:http` from a handler. Bun, Deno and Workers accept the handler itself.
 *
 * In Express: `app.use("/api/store", listener(handler(store)))`. It needs no option `path`, because Express removes the path. Put it
 * before `app.use(express.json())`, which refuses values that are neither objects nor arrays. In Fastify:
 *
 * ```js
 * const listen = listener(handler(store, { path: "/api/store" }));
 * app.all("/api/store/*", (request, reply) => {
 *   reply.hijack();
 *   request.raw.body = request.body; // Fastify has read the body already.
 *   return listen(request.raw, reply.raw);
 * });
 * ```
 *
 * @param handle The result of {@link handler}.
 * @returns The listener. Its promise resolves when the answer is sent or the connection is closed; it never rejects.
 */
export function listener(handle: Handler): (incoming: any, outgoing: any) => Promise<void>;
