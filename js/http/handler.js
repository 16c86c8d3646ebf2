import { PolystoreError, PolystoreTypeError, show } from "../support/errors.js";
import { END, JSON_TYPE, LINES_TYPE, MOST_CALLS, PATIENCE } from "./protocol.js";

/** @typedef {import("../support/errors.js").Code} Code */
/** @typedef {import("../server.js").HandlerOptions} Options */
/** @typedef {import("../server.js").Handler} Handler */
/** @typedef {import("../server.js").HandledStore} Store */
/** @typedef {{ request: Request, store: Store, query: URLSearchParams, maxBody: number, isOpen: boolean }} Call */

const DEFAULT_MAX_BODY = 1024 * 1024;
/** About how many characters of a listing are in memory at a time. */
const CHUNK = 32 * 1024;
/** What can change the store. */
const CHANGES = ["PUT", "DELETE", "POST"];
/** The host names that nobody can make lead elsewhere: those without a dot, IP addresses, and what is always this machine. */
const FIXED_HOST = /^([^.]+|[\d.]+|\[.*\]|.*\.localhost)$/;
/** What other errors mean is not for the client to know: they may have paths and addresses in them. */
const STATUS = /** @type {Partial<Record<Code, number>>} */ ({
  ERR_EXPIRES: 400,
  ERR_KEY: 400,
  ERR_VALUE: 400,
  ERR_QUOTA: 507,
});

const NOT_HERE =
  'There is no store at this path. The path in the URL of kv() has to be that of handler(): its option "path", or else "/".';

const encoder = new TextEncoder();

/** The requests for one key. @type {Record<string, (call: Call, key: string) => Promise<Response>>} */
const OF_KEY = {
  async GET({ store }, key) {
    const value = await store.get(key);
    return json(value, value === null ? { status: 404 } : {}); // The null tells our 404 from those of other servers.
  },
  async HEAD({ store }, key) {
    return nothing((await store.has(key)) ? 200 : 404);
  },
  async PUT(call, key) {
    const expires = call.query.get("expires");
    await call.store.set(key, await readJson(call), expires === null ? undefined : { expires });
    return nothing(204);
  },
  async DELETE({ store }, key) {
    await store.del(key);
    return nothing(204);
  },
};

/** The requests for all keys. @type {Record<string, (call: Call) => Promise<Response>>} */
const OF_ALL = {
  async GET(call) {
    const store = inPrefix(call);
    return wantsLines(call)
      ? new Response(linesOf(store), { headers: { "content-type": LINES_TYPE } })
      : json(await store.all());
  },
  async HEAD(call) {
    return new Response(null, { headers: { "content-type": wantsLines(call) ? LINES_TYPE : JSON_TYPE } });
  },
  async DELETE(call) {
    // polystore asks for this when it means the key "." or "..".
    if (!call.query.has("prefix")) return refuse(400, "ERR_KEY", "To delete everything, ask for DELETE /?prefix=.");
    await inPrefix(call).clear();
    return nothing(204);
  },
  async POST(call) {
    if (call.query.has("batch")) return json(await makeAll(call.store, await readJson(call)));
    if (call.query.has("prune")) return json(await inPrefix(call).prune());
    return refuse(400, "ERR_UNSUPPORTED", "What can be posted is /?batch and /?prune.");
  },
};

/** The calls of a batch. @type {Record<string, (store: Store, key: any, value: unknown, expires: any) => Promise<unknown>>} */
const CALLS = {
  get: (store, key) => store.get(key),
  has: (store, key) => store.has(key),
  del: (store, key) => store.del(key),
  set: (store, key, value, expires) => store.set(key, value, (expires ?? null) === null ? undefined : { expires }),
};

/**
 * Serves a store over HTTP; see server.d.ts.
 * @param {Store} store
 * @param {Options} [options]
 * @returns {Handler}
 */
export function handler(store, options = {}) {
  const { token, maxBody = DEFAULT_MAX_BODY, path = "/", origin, host } = checked(store, options);
  const base = path.replace(/\/$/, "");

  /** @param {Request} request */
  async function answer(request) {
    if (token !== undefined && !isAuthorized(request, token)) {
      const headers = { "www-authenticate": "Bearer" };
      return refuse(401, "ERR_CLIENT", "The token is missing, or it is another one.", headers);
    }
    const distrust = (token === undefined && distrustOfHost(request, host)) || distrustOfPage(request, origin);
    if (distrust) return refuse(403, "ERR_CLIENT", distrust);
    try {
      const { pathname, search, searchParams: query } = new URL(request.url);
      const rest = pathname.slice(base.length);
      // The "/" of a key is a %2F: else the keys of a store that the client thinks at a path of its own would be other ones here.
      if (!pathname.startsWith(base) || !/^(\/[^/]*)?$/.test(rest)) return refuse(404, "ERR_CLIENT", NOT_HERE);
      decode(search); // URLSearchParams would put up with anything.
      const key = decode(rest.slice(1));
      const methods = key === "" ? OF_ALL : OF_KEY;
      if (!Object.hasOwn(methods, request.method)) return notAllowed(Object.keys(methods));
      return await methods[request.method]({ request, store, query, maxBody, isOpen: token === undefined }, key);
    } catch (error) {
      if (error instanceof TooLarge)
        return refuse(413, "ERR_QUOTA", `More than the ${maxBody} bytes that are taken here.`);
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
    throw new PolystoreTypeError("ERR_CLIENT", `handler() serves a store, like kv(new Map()), and not ${show(store)}.`);
  }
  const given = /** @type {Options} */ (Object(options));
  const expected = {
    // A token that is missing must not open the door.
    token: { fits: isToken, says: "a text of visible characters of ASCII" },
    maxBody: { fits: (/** @type {unknown} */ most) => typeof most === "number" && most > 0, says: "a number of bytes" },
    path: { fits: (/** @type {unknown} */ path) => /^\//.test(String(path)), says: 'a text like "/api/store"' },
    origin: {
      fits: (/** @type {unknown} */ origin) => typeof origin === "string",
      says: 'a text like "https://example.com", or "*"',
    },
    host: {
      fits: (/** @type {unknown} */ host) => [host].flat().every((name) => typeof name === "string"),
      says: 'a text like "example.com", a list of such, or "*"',
    },
  };
  for (const [name, value] of Object.entries(given)) {
    if (!Object.hasOwn(expected, name)) {
      const message = `There is no option ${show(name)} of handler(): there are ${Object.keys(expected).map(show).join(", ")}.`;
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
 * Takes as long wherever the first difference is.
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
 * Says why a request is refused that may come from a page whose own host name was made to lead to this server (DNS rebinding):
 * to the browser, such a page has the server's origin.
 * @param {Request} request
 * @param {Options["host"]} expected
 */
function distrustOfHost(request, expected = []) {
  const host = hostOf(request);
  const { hostname } = parse(`http://${host}`);
  if (FIXED_HOST.test(hostname) || [expected].flat().some((name) => ["*", host, hostname].includes(name))) return "";
  return `The request is for the host ${show(host)}, which any page might have made lead to this server, and handler() has no token. Give it the option token, or { host: ${show(hostname)} } if the server has this name.`;
}

/**
 * Says why a request is refused that would change something, and comes from a page that may not. No page can keep its browser
 * from saying so, and no other program says it.
 * @param {Request} request
 * @param {string | undefined} allowed
 */
function distrustOfPage(request, allowed) {
  const { method, headers } = request;
  const origin = headers.get("origin");
  const site = headers.get("sec-fetch-site");
  if (!CHANGES.includes(method) || allowed === "*" || (origin !== null && origin === allowed)) return "";
  // A browser says "site" over HTTPS and to this machine only. A proxy may have changed the host.
  const isOwn =
    site === null ? origin === null || parse(origin).host === hostOf(request) : ["same-origin", "none"].includes(site);
  if (isOwn) return "";
  return `A page of ${origin ?? "another origin"} may not change what is stored here. If it is to, give handler() its origin: { origin: "https://…" }.`;
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
    return { host: "", hostname: "" }; // An origin may be "null".
  }
}

/**
 * @param {string} text
 * @throws {PolystoreError} ERR_KEY where it is not UTF-8: read all the same, two such keys would be one.
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
  return store.prefix(query.getAll("prefix").at(-1));
}

/** @param {Call} call */
function wantsLines({ request }) {
  return (request.headers.get("accept") ?? "").includes(LINES_TYPE);
}

/** What a body is that is longer than it may be. */
class TooLarge extends Error {}
/** What a body is that does not say that it is JSON: a browser lets any page send such a one anywhere. */
class NotJson extends Error {}

/**
 * @param {Call} call
 * @returns {Promise<any>}
 * @throws {PolystoreError} ERR_VALUE
 */
async function readJson({ request, maxBody, isOpen }) {
  const type = request.headers.get("content-type");
  // No browser sends a body without a type, unless it says which origin it comes from.
  if (isOpen && type !== null && !/^application\/json *(;|$)/i.test(type)) {
    throw new NotJson(`The body is ${show(type)}. Send JSON, with the header Content-Type: ${JSON_TYPE}.`);
  }
  try {
    return JSON.parse(await readText(request, maxBody));
  } catch (error) {
    if (error instanceof TooLarge) throw error;
    throw new PolystoreError("ERR_VALUE", "The body is not JSON in UTF-8.");
  }
}

/**
 * Reads a body as far as it may go.
 * @param {Request} request
 * @param {number} most In bytes.
 */
async function readText(request, most) {
  if (Number(request.headers.get("content-length")) > most) throw new TooLarge();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const reader = request.body?.getReader();
  let length = 0;
  let text = "";
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    length += value?.byteLength ?? 0;
    if (length > most) {
      await reader?.cancel();
      throw new TooLarge();
    }
    text += decoder.decode(value, { stream: !done });
    if (done) return text;
  }
}

/**
 * Makes the calls of a batch, all in one tick: so the store makes them in their order, and together where it can.
 * @param {Store} store
 * @param {unknown} calls
 * @returns {Promise<object[]>}
 */
async function makeAll(store, calls) {
  if (!Array.isArray(calls) || calls.length > MOST_CALLS || !calls.every(isCall)) {
    throw new PolystoreError("ERR_VALUE", `A batch is an array of ${MOST_CALLS} calls at most, like ["get", "key"].`);
  }
  const make = async (/** @type {any[]} */ [name, ...args]) => ({
    result: await CALLS[name](store, args[0], args[1], args[2]),
  });
  return Promise.all(calls.map((call) => make(call).catch(refusalOf)));
}

/** @param {unknown} call */
function isCall(call) {
  return Array.isArray(call) && Object.hasOwn(CALLS, call[0]) && typeof call[1] === "string";
}

/**
 * All entries of a store, of which some are in memory at a time: the reader sets the pace.
 * @param {Store} store
 * @returns {ReadableStream<Uint8Array>}
 */
function linesOf(store) {
  const entries = store[Symbol.asyncIterator]();
  let isOpen = true;
  /** @type {any} */
  let timer;
  /** @type {UnderlyingDefaultSource<Uint8Array>} */
  const source = {
    async pull(controller) {
      clearTimeout(timer);
      await fill(controller);
      if (!isOpen) return;
      // As long as it is open, an iteration holds a page of records, and whatever its store keeps for it.
      timer = setTimeout(() => {
        controller.error(new Error(`The listing was cut off: its reader took nothing for ${PATIENCE / 1000} s.`));
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
        text += `${done ? END : JSON.stringify(value)}\n`;
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
 * What the client is told of an error.
 * @param {unknown} error
 * @returns {{ code: Code, message: string }}
 */
function refusalOf(error) {
  if (error instanceof PolystoreError && error.code in STATUS) return { code: error.code, message: error.message };
  console.error(error); // For whoever runs the server, who would not learn of it otherwise.
  return { code: "ERR_CLIENT", message: "The store of the server failed." };
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

/** @param {number} status */
function nothing(status) {
  return new Response(null, { status, headers: { "cache-control": "no-store" } });
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
  return refuse(405, "ERR_UNSUPPORTED", `What can be asked for here is ${allow}.`, { allow });
}

/** @param {string} origin */
function crossOrigin(origin) {
  return {
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, HEAD, PUT, DELETE, POST",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-max-age": "7200", // The most that Chromium heeds.
    vary: "origin",
  };
}
