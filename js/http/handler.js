import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";
import { Commits, isCommit } from "./commits.js";
import { fails, isConditional, tagOf } from "./conditions.js";
import { COMMITS, END, JSON_TYPE, LINES_TYPE, MAX_CALLS, PATIENCE } from "./protocol.js";

/** @typedef {import("../support/errors.js").Code} Code */
/** @typedef {import("../server.js").HandlerOptions} Options */
/** @typedef {import("../server.js").Handler} Handler */
/** @typedef {import("../server.js").HandledStore} Store */
/** @typedef {{ request: Request, store: Store, commits: Commits, query: URLSearchParams, maxBody: number, isOpen: boolean }} Call */

const DEFAULT_MAX_BODY = 1024 * 1024;
/** The approximate number of characters of a listing that are in memory at a time. */
const CHUNK = 32 * 1024;
/** The methods that can change the store. */
const CHANGES = ["PUT", "DELETE", "POST"];
/** Hosts that a foreign page cannot point at this server: names without a dot, IP addresses, and names of this machine. */
const FIXED_HOST = /^([^.]+|[\d.]+|\[.*\]|.*\.localhost)$/;
/** The status of the errors that the client is told. Other errors may contain paths and addresses, so it is not told of them. */
const STATUS = /** @type {Partial<Record<Code, number>>} */ ({
  ERR_CONFLICT: 409,
  ERR_EXPIRES: 400,
  ERR_KEY: 400,
  ERR_OPTIONS: 400,
  ERR_UNSUPPORTED: 501,
  ERR_VALUE: 400,
  ERR_QUOTA: 507,
});

const NOT_HERE =
  'There is no store at this path. The URL of kv() must have the path of handler(): its option "path", or "/" by default.';

const encoder = new TextEncoder();

/** The methods for one key. @type {Record<string, (call: Call, key: string) => Promise<Response>>} */
const OF_KEY = {
  async GET({ store, request: { headers } }, key) {
    const value = await store.get(key);
    if (value === null) return json(value, { status: 404 }); // The body null distinguishes this 404 from a proxy's.
    if (isOfOurClient(headers)) return json(value);
    const tag = /** @type {string} */ (tagOf(value));
    if (headers.has("if-match") && fails(headers, tag)) return notAsExpected(key);
    return fails(headers, tag) ? nothing(304, { etag: tag }) : json(value, { headers: { etag: tag } });
  },
  async HEAD(call, key) {
    const { status, headers } = await OF_KEY.GET(call, key);
    return new Response(null, { status, headers });
  },
  async PUT(call, key) {
    const expires = call.query.get("expires");
    const value = await readJson(call);
    const options = expires === null ? undefined : { expires };
    if (isConditional(call.request.headers)) return writeIf(call, key, ["set", key, value, options]);
    await call.store.set(key, value, options);
    return nothing(204);
  },
  async DELETE(call, key) {
    if (isConditional(call.request.headers)) return writeIf(call, key, ["del", key]);
    await call.store.del(key);
    return nothing(204);
  },
};

/** The methods for all keys. @type {Record<string, (call: Call) => Promise<Response>>} */
const OF_ALL = {
  async GET(call) {
    const store = inPrefix(call);
    const range = rangeOf(call);
    return wantsLines(call)
      ? new Response(linesOf(store, range, call.query.has("keys")), { headers: { "content-type": LINES_TYPE } })
      : json(await store.all(range));
  },
  async HEAD(call) {
    return new Response(null, {
      headers: { "content-type": wantsLines(call) ? `${LINES_TYPE};${COMMITS}` : JSON_TYPE },
    });
  },
  async DELETE(call) {
    // Without a prefix, polystore's client means the key "." or "..".
    if (!call.query.has("prefix"))
      return refuse(400, "ERR_KEY", "Send DELETE /?prefix= (an empty prefix) to delete everything.");
    await inPrefix(call).clear(rangeOf(call));
    return nothing(204);
  },
  async POST(call) {
    if (call.query.has("batch")) return json(await makeAll(call, await readJson(call)));
    if (call.query.has("prune")) return json(await inPrefix(call).prune());
    return refuse(400, "ERR_UNSUPPORTED", "This path accepts only POST /?batch and POST /?prune.");
  },
};

/** The calls of a batch. @type {Record<string, (call: Call, ...args: any[]) => Promise<unknown>>} */
const CALLS = {
  get: ({ store }, key) => store.get(key),
  has: ({ store }, key) => store.has(key),
  del: ({ store }, key) => store.del(key),
  set: ({ store }, key, value, expires) => store.set(key, value, (expires ?? null) === null ? undefined : { expires }),
  async ttl({ store }, key) {
    const ttl = await store.ttl(key);
    return ttl === null ? null : { ttl: ttl === Infinity ? null : ttl };
  },
  async entry({ store }, key) {
    const entry = await store.entry(key);
    if (entry === null) return null;
    const { value, expires, version } = entry;
    return { value, ttl: expires === null ? null : (expires - Date.now()) / 1000, version };
  },
  commit: ({ commits }, token, isRetry, checks, writes) => commits.make(token, isRetry, checks, writes),
};

/**
 * Serves a store over HTTP; server.d.ts documents it.
 * @param {Store} store
 * @param {Options} [options]
 * @returns {Handler}
 */
export function handler(store, options = {}) {
  const { token, maxBody = DEFAULT_MAX_BODY, path = "/", origin, host } = checked(store, options);
  const base = path.replace(/\/$/, "");
  const commits = new Commits(store);

  /** @param {Request} request */
  async function answer(request) {
    if (token !== undefined && !isAuthorized(request, token)) {
      const headers = { "www-authenticate": "Bearer" };
      return refuse(401, "ERR_CLIENT", "The bearer token is missing or wrong.", headers);
    }
    const distrust = (token === undefined && distrustOfHost(request, host)) || distrustOfPage(request, origin);
    if (distrust) return refuse(403, "ERR_CLIENT", distrust);
    try {
      const { pathname, search, searchParams: query } = new URL(request.url);
      const rest = pathname.slice(base.length);
      // A "/" in a key must be %2F. Otherwise a client with a wrong path in its URL would read and write other keys.
      if (!pathname.startsWith(base) || !/^(\/[^/]*)?$/.test(rest)) return refuse(404, "ERR_CLIENT", NOT_HERE);
      decode(search); // URLSearchParams accepts invalid UTF-8.
      const key = decode(rest.slice(1));
      const methods = key === "" ? OF_ALL : OF_KEY;
      if (!Object.hasOwn(methods, request.method)) return notAllowed(Object.keys(methods));
      return await methods[request.method](
        { request, store, commits, query, maxBody, isOpen: token === undefined },
        key,
      );
    } catch (error) {
      if (error instanceof TooLarge)
        return refuse(
          413,
          "ERR_QUOTA",
          `The body exceeds the limit of ${maxBody} bytes (option maxBody of handler()).`,
        );
      if (error instanceof NotJson) return refuse(415, "ERR_VALUE", error.message);
      const { code, message } = refusalOf(error);
      return refuse(STATUS[code] ?? 500, code, message);
    }
  }

  if (origin === undefined) return answer;
  return async (request) => {
    const response = request.method === "OPTIONS" ? nothing(204) : await answer(request);
    for (const [name, value] of Object.entries(crossOrigin(origin))) response.headers.set(name, value);
    return response;
  };
}

/**
 * @param {unknown} store
 * @param {unknown} options
 * @returns {Options}
 * @throws {PolystoreTypeError} ERR_CLIENT or ERR_OPTIONS.
 */
function checked(store, options) {
  if (typeof (/** @type {any} */ (store)?.prefix) !== "function") {
    throw new PolystoreTypeError(
      "ERR_CLIENT",
      `handler() cannot serve ${show(store)}. Pass a store, such as kv(new Map()).`,
    );
  }
  const given = /** @type {Options} */ (Object(options));
  const expected = {
    // An undefined token, for example a missing environment variable, must not mean that none is required.
    token: { fits: isToken, says: "a string of visible ASCII characters" },
    maxBody: {
      fits: (/** @type {unknown} */ max) => typeof max === "number" && max > 0,
      says: "a positive number of bytes",
    },
    path: { fits: (/** @type {unknown} */ path) => /^\//.test(String(path)), says: 'a string such as "/api/store"' },
    origin: {
      fits: (/** @type {unknown} */ origin) => typeof origin === "string",
      says: 'a string such as "https://example.com", or "*"',
    },
    host: {
      fits: (/** @type {unknown} */ host) => [host].flat().every((name) => typeof name === "string"),
      says: 'a string such as "example.com", an array of such strings, or "*"',
    },
  };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(expected, name)) {
      const message = `handler() has no option ${show(name)}. The options are ${Object.keys(expected).map(show).join(", ")}.`;
      throw new PolystoreTypeError("ERR_OPTIONS", message);
    }
    const { fits, says } = expected[/** @type {keyof typeof expected} */ (name)];
    if (!fits(value))
      throw new PolystoreTypeError("ERR_OPTIONS", `The option ${show(name)} of handler() must be ${says}.`);
  }
  return given;
}

/** @param {unknown} token */
function isToken(token) {
  return typeof token === "string" && /^[!-~]+$/.test(token);
}

/**
 * Compares the tokens in a time that does not depend on the place of the first difference.
 * @param {Request} request
 * @param {string} token
 */
function isAuthorized(request, token) {
  const [, given = ""] = /^Bearer +(.*)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
  let difference = given.length ^ token.length;
  for (let i = 0; i < given.length; ++i) difference |= given.charCodeAt(i) ^ token.charCodeAt(i % token.length);
  return difference === 0;
}

/**
 * Refuses a request that may come from a page whose own host name leads to this server (DNS rebinding). For the browser, such a page has
 * the origin of the server. Returns the reason, or "" if the request is accepted.
 * @param {Request} request
 * @param {Options["host"]} expected
 */
function distrustOfHost(request, expected = []) {
  const host = hostOf(request);
  const { hostname } = parse(`http://${host}`);
  if (FIXED_HOST.test(hostname) || [expected].flat().some((name) => ["*", host, hostname].includes(name))) return "";
  return `The request is for the host ${show(host)}. Any page could make that name lead to this server, and handler() has no token. Pass the option token, or { host: ${show(hostname)} } if this server has that name.`;
}

/**
 * Refuses a request that would change the store and comes from a page of a foreign origin. Returns the reason, or "" if the request is
 * accepted. Browsers send the origin, and pages cannot prevent that; other programs do not send it.
 * @param {Request} request
 * @param {string | undefined} allowed
 */
function distrustOfPage(request, allowed) {
  const { method, headers } = request;
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (!CHANGES.includes(method) || allowed === "*" || (origin !== null && origin === allowed)) return "";
  // Browsers send sec-fetch-site only over HTTPS and to this machine. It is preferred, because a proxy may change the host.
  const isOwn =
    site === null ? origin === null || parse(origin).host === hostOf(request) : ["same-origin", "none"].includes(site);
  if (isOwn) return "";
  return `A page of ${origin ?? "another origin"} may not change this store. To allow it, pass its origin to handler(): { origin: "https://…" }.`;
}

/** @param {Request} request */
function hostOf({ headers, url }) {
  return headers.get("host") ?? parse(url).host;
}

/**
 * @param {string} url
 * @returns {{ host: string, hostname: string }}
 */
function parse(url) {
  try {
    return new URL(url);
  } catch {
    return { host: "", hostname: "" }; // An origin may be the text "null".
  }
}

/**
 * @param {string} text
 * @throws {PolystoreError} ERR_KEY if the text is not percent-encoded UTF-8. Replacing invalid bytes would turn two such keys into one.
 */
function decode(text) {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new PolystoreError("ERR_KEY", "The URL has a key that is not percent-encoded UTF-8.");
  }
}

/** @param {Call} call */
function inPrefix({ store, query }) {
  return store.prefix(query.getAll("prefix").at(-1) ?? "");
}

/** @param {Call} call */
function wantsLines({ request }) {
  return (request.headers.get("accept") ?? "").includes(LINES_TYPE);
}

/**
 * Returns the bounds of a listing. The store checks them.
 * @param {Call} call
 * @returns {import("../index.js").Range | undefined}
 */
function rangeOf({ query }) {
  /** @type {Record<string, unknown>} */
  const range = {};
  for (const name of ["gt", "gte", "lt", "lte"]) if (query.has(name)) range[name] = query.getAll(name).at(-1);
  if (query.has("reverse")) range.reverse = true;
  const limit = query.getAll("limit").at(-1);
  if (limit !== undefined) range.limit = /^\d+$/.test(limit) ? Number(limit) : limit;
  return Object.keys(range).length > 0 ? range : undefined;
}

/**
 * Tells whether a request comes from this package's client, which does not use ETags.
 * @param {Headers} headers
 */
function isOfOurClient(headers) {
  return headers.get("accept") === JSON_TYPE && headers.get("cache-control") === "no-cache";
}

/**
 * Makes a change if the value is as the headers If-Match and If-None-Match demand.
 * @param {Call} call
 * @param {string} key
 * @param {import("../index.js").Write} write
 */
async function writeIf({ store, request: { headers } }, key, write) {
  for (;;) {
    const entry = await store.entry(key);
    if (fails(headers, tagOf(entry && entry.value))) return notAsExpected(key);
    // If another writer comes in between, the conditions have to be checked again. Then that writer has succeeded, so this ends.
    if (await store.batch([["check", key, entry && entry.version], write])) break;
  }
  const tag = write[0] === "set" ? tagOf(write[2]) : null;
  return nothing(204, tag === null ? {} : { etag: tag });
}

/** @param {string} key */
function notAsExpected(key) {
  const message = `The value at ${show(key)} is not as If-Match or If-None-Match demands. Nothing was changed; read it again.`;
  return refuse(412, "ERR_CONFLICT", message);
}

/** The error of a body that exceeds the limit. */
class TooLarge extends Error {}
/** The error of a body with another type than JSON. Browsers let any page send such a body to any server. */
class NotJson extends Error {}

/**
 * @param {Call} call
 * @returns {Promise<any>}
 * @throws {PolystoreError} ERR_VALUE
 */
async function readJson({ request, maxBody, isOpen }) {
  const type = request.headers.get("content-type");
  // If a browser sends a body without a type, it sends the page's origin as well, which is checked above.
  if (isOpen && type !== null && !/^application\/json *(;|$)/i.test(type)) {
    throw new NotJson(`The type of the body is ${show(type)}. Send JSON with the header Content-Type: ${JSON_TYPE}.`);
  }
  try {
    return JSON.parse(await readText(request, maxBody));
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new PolystoreError("ERR_VALUE", "The body is not valid JSON in UTF-8.");
  }
}

/**
 * Reads a body up to the limit.
 * @param {Request} request
 * @param {number} maxBody In bytes.
 * @throws {TooLarge}
 */
async function readText(request, maxBody) {
  if (Number(request.headers.get("content-length")) > maxBody) throw new TooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = request.body?.getReader();
  let length = 0;
  let text = "";
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    length += value?.byteLength ?? 0;
    if (length > maxBody) {
      await reader?.cancel();
      throw new TooLarge();
    }
    text += decoder.decode(value, { stream: !done });
    if (done) return text;
  }
}

/**
 * Makes the calls of a batch in one tick, so that the store carries them out in their order, and together if it can.
 * @param {Call} call The request of the batch.
 * @param {unknown} calls
 * @returns {Promise<object[]>}
 */
async function makeAll(call, calls) {
  if (!Array.isArray(calls) || calls.length > MAX_CALLS || !calls.every(isCall)) {
    throw new PolystoreError(
      "ERR_VALUE",
      `A batch must be an array of at most ${MAX_CALLS} calls such as ["get", "key"].`,
    );
  }
  const make = async (/** @type {any[]} */ [name, ...args]) => ({ result: await CALLS[name](call, ...args) });
  return Promise.all(calls.map((call) => make(call).catch(refusalOf)));
}

/** @param {unknown} call */
function isCall(call) {
  if (!Array.isArray(call) || !Object.hasOwn(CALLS, call[0])) return false;
  return call[0] === "commit" ? isCommit(call) : typeof call[1] === "string";
}

/**
 * Streams the entries of a store as lines. Only a part of them is in memory at a time, because the reader sets the pace.
 * @param {Store} store
 * @param {import("../index.js").Range | undefined} range
 * @param {boolean} lacksValues True if the reader wants the keys only.
 * @returns {ReadableStream<Uint8Array>}
 */
function linesOf(store, range, lacksValues) {
  const entries = store.range(range)[Symbol.asyncIterator]();
  let isOpen = true;
  /** @type {any} */
  let timer;
  /** @type {UnderlyingDefaultSource<Uint8Array>} */
  const source = {
    async pull(controller) {
      clearTimeout(timer);
      await fill(controller);
      if (!isOpen) return;
      // An open iteration holds a page of records, and its store may keep more data for it. So a reader that stops is disconnected.
      timer = setTimeout(() => {
        controller.error(
          new Error(`The listing was aborted, because its reader took nothing for ${PATIENCE / 1000} s.`),
        );
        entries.return?.();
      }, PATIENCE);
      timer.unref?.();
    },
    async cancel() {
      isOpen = false;
      clearTimeout(timer);
      await entries.return?.();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  async function fill(controller) {
    let text = "";
    try {
      while (text.length < CHUNK) {
        const { done, value } = await entries.next();
        text += `${done ? END : JSON.stringify(lacksValues ? [value[0], true] : value)}\n`;
        if (!done) continue;
        controller.enqueue(encoder.encode(text));
        return close(controller);
      }
      controller.enqueue(encoder.encode(text));
    } catch (error) {
      controller.enqueue(encoder.encode(`${text}${JSON.stringify(refusalOf(error))}\n`));
      close(controller);
    }
  }

  /** @param {ReadableStreamDefaultController<Uint8Array>} controller */
  function close(controller) {
    isOpen = false;
    controller.close();
  }
}

/**
 * Returns what the client is told about an error.
 * @param {unknown} error
 * @returns {{ code: Code, message: string }}
 */
function refusalOf(error) {
  if (error instanceof PolystoreError && error.code in STATUS) return { code: error.code, message: error.message };
  console.error(error); // The client is not told of this error, so the operator has to find it in the log.
  return { code: "ERR_CLIENT", message: "The store of the server failed; the server's log has the error." };
}

/**
 * @param {unknown} value
 * @param {ResponseInit} [init]
 */
function json(value, { status = 200, headers = {} } = {}) {
  const body = encoder.encode(JSON.stringify(value));
  const facts = { "content-type": JSON_TYPE, "content-length": String(body.length), "cache-control": "no-store" };
  return new Response(body, { status, headers: { ...facts, ...headers } });
}

/**
 * @param {number} status
 * @param {Record<string, string>} [headers]
 */
function nothing(status, headers) {
  return new Response(null, { status, headers: { "cache-control": "no-store", ...headers } });
}

/**
 * @param {number} status
 * @param {Code} code
 * @param {string} message
 * @param {Record<string, string>} [headers]
 */
function refuse(status, code, message, headers) {
  return json({ code, message }, { status, headers });
}

/** @param {string[]} methods */
function notAllowed(methods) {
  const allow = methods.join(", ");
  return refuse(405, "ERR_UNSUPPORTED", `This path accepts only ${allow}.`, { allow });
}

/** @param {string} origin */
function crossOrigin(origin) {
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, HEAD, PUT, DELETE, POST",
    "access-control-allow-headers": "authorization, content-type, if-match, if-none-match",
    "access-control-expose-headers": "etag",
    "access-control-max-age": "7200", // The maximum that Chromium accepts, in seconds.
    vary: "origin",
  };
}
