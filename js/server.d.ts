import type { Store } from "./index.js";

/** What a handler needs of a store. */
export type HandledStore = Pick<Store, "get" | "set" | "has" | "del" | "all" | "clear" | "prune" | "prefix"> &
  AsyncIterable<[key: string, value: any]>;

// Also for whoever compiles without them.
type Web<Name extends string> = typeof globalThis extends Record<Name, { prototype: infer Type }> ? Type : any;

/** Answers a request. It never rejects. */
export type Handler = (request: Web<"Request">) => Promise<Web<"Response">>;

export interface HandlerOptions {
  /**
   * What every request must have as `Authorization: Bearer <token>`. The client takes it from its URL:
   * `kv("https://:token@example.com")`. Without this option, whoever reaches the server reads and writes the store.
   */
  token?: string;
  /** The most bytes that the JSON of a value may have: 1 MiB without this option. More is refused without being kept. */
  maxBody?: number;
  /**
   * Where the store is, if not at the root: `"/api/store"` for `kv("https://example.com/api/store")`. Requests for anything else,
   * a key with an unencoded `/` too, are answered 404, and our client says so in an `ERR_CLIENT`.
   */
  path?: string;
  /**
   * Whose pages may use the store if they come from another origin: `"https://example.com"`, or `"*"` for all. Changes that
   * other pages ask for are refused (403); programs that are no browsers, such as our client in Node and curl, need no permission.
   */
  origin?: string;
  /**
   * The names of the server, which it needs where there is no `token`: `"example.com"`, several of them, or `"*"` for any.
   * Requests for other names are refused (403), for a page can make its own name lead to your server (DNS rebinding).
   * IP addresses, `localhost` and names without a dot are always taken.
   */
  host?: string | string[];
}

/**
 * Serves a store over HTTP, for `kv("https://…")`, for polystore, and for whatever speaks HTTP:
 *
 * | request | answer |
 * |---|---|
 * | `GET /:key` | the value as JSON, or 404 |
 * | `HEAD /:key` | 200 or 404 |
 * | `PUT /:key?expires=60`, the value as JSON | 204; without `expires`, the default of the store counts |
 * | `DELETE /:key` | 204 |
 * | `GET /?prefix=p` | an object of all values whose keys begin so, without the prefix; with `Accept: application/x-ndjson`, a line `[key, value]` for each, and a last line `{}` |
 * | `DELETE /?prefix=p` | 204; all of those are deleted |
 * | `POST /?prune&prefix=p` | how many of those had expired, and were removed |
 * | `POST /?batch`, at most 100 calls: `["get", key]`, `["has", key]`, `["del", key]`, `["set", key, value, seconds or null]` | `{ result }` or `{ code, message }` for each |
 *
 * `:key` is percent-encoded; the keys `""`, `"."` and `".."`, which a path cannot say, need a batch. Errors are
 * `{ code, message }`. Without a token, JSON is taken with `Content-Type: application/json` only (415). A reader that takes nothing of an answer
 * for 30 seconds is cut off. What the client is not to know of a failure goes to `console.error`.
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
 * @param store What is outside its prefix can be neither read, nor listed, nor deleted.
 * @throws `ERR_CLIENT` for what is no store, `ERR_OPTIONS`.
 */
export function handler(store: HandledStore, options?: HandlerOptions): Handler;

/**
 * Makes of a handler what `createServer()` of `node:http` takes. Bun, Deno and Workers take the handler as it is.
 *
 * In Express: `app.use("/api/store", listener(handler(store)))`, without the option `path`, for Express takes it off, and before
 * `app.use(express.json())`, which refuses values that are neither objects nor arrays. In Fastify:
 *
 * ```js
 * const listen = listener(handler(store, { path: "/api/store" }));
 * app.all("/api/store/*", (request, reply) => {
 *   reply.hijack();
 *   request.raw.body = request.body; // Fastify has read it.
 *   return listen(request.raw, reply.raw);
 * });
 * ```
 */
export function listener(handle: Handler): (incoming: any, outgoing: any) => Promise<void>;
