import { PATIENCE } from "./protocol.js";

// Converts the requests and responses of Node's HTTP server to standard ones and back.

/** A request whose body other code, such as express.json(), may have parsed. @typedef {import("node:http").IncomingMessage & { body?: unknown }} Incoming */
/** @typedef {import("node:http").ServerResponse} Outgoing */

/** The number of bytes of an answer that are written before its reader has to take them. */
const SLICE = 64 * 1024;

const BODY_IS_GONE =
  "The body of the request was read before listener() was called, and is not in request.body. Call listener() before any code that reads bodies, or put the parsed body into request.body; with Fastify: request.raw.body = request.body.";

/**
 * Makes a listener for node:http from a handler; server.d.ts documents it.
 * @param {import("../server.js").Handler} handle
 * @returns {(incoming: Incoming, outgoing: Outgoing) => Promise<void>}
 */
export function listener(handle) {
  return async (incoming, outgoing) => {
    try {
      const body = bodyOf(incoming);
      if (body === undefined) return await refuseLostBody(outgoing);
      const request = requestOf(incoming, body);
      await send(request === null ? new Response(null, { status: 400 }) : await handle(request), outgoing);
    } catch (error) {
      console.error(error); // The handler failed, or the stream of its answer.
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    }
    incoming.resume(); // Discard the rest of the body: until it is sent, the client does not read the answer.
  };
}

/**
 * @param {Incoming} incoming
 * @param {BodyInit | null} body
 * @returns {Request | null} Null if the request is not valid.
 */
function requestOf({ method = "GET", headers, url = "" }, body) {
  const texts = Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
  try {
    return new Request(
      url.startsWith("/") ? `http://localhost${url}` : url,
      /** @type {RequestInit} */ ({ method, headers: texts, body, duplex: "half" }),
    );
  } catch {
    return null;
  }
}

/**
 * @param {Incoming} incoming
 * @returns {BodyInit | null | undefined} Undefined if other code has read the body, so that it is lost.
 */
function bodyOf(incoming) {
  const { method, body, headers, readableDidRead } = incoming;
  if (method === "GET" || method === "HEAD") return null;
  if (!readableDidRead) return streamOf(incoming);
  if (body === undefined)
    return Number(headers["content-length"] ?? 0) > 0 || headers["transfer-encoding"] ? undefined : null;
  return body instanceof Uint8Array ? /** @type {BodyInit} */ (body) : JSON.stringify(body);
}

/**
 * @param {Incoming} incoming
 * @returns {ReadableStream<Uint8Array>}
 */
function streamOf(incoming) {
  const chunks = incoming.iterator({ destroyOnReturn: false });
  /** @type {UnderlyingDefaultSource<Uint8Array>} */
  const source = {
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return?.();
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

/** @param {Outgoing} outgoing */
async function refuseLostBody(outgoing) {
  console.error(new Error(BODY_IS_GONE));
  await send(Response.json({ code: "ERR_CLIENT", message: BODY_IS_GONE }, { status: 500 }), outgoing);
}

/**
 * @param {Response} response
 * @param {Outgoing} outgoing
 */
async function send(response, outgoing) {
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  const reader = response.body?.getReader();
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    for (let start = 0; start < value.length && !outgoing.destroyed; start += SLICE) {
      if (!outgoing.write(value.subarray(start, start + SLICE))) await taken(outgoing, "drain");
    }
    if (outgoing.destroyed) return void (await reader?.cancel().catch(() => {})); // The stream may have failed too, which no longer matters.
  }
  outgoing.end();
  await taken(outgoing, "finish");
}

/**
 * Waits until the reader has taken the written bytes, and disconnects it if that takes too long.
 * @param {Outgoing} outgoing
 * @param {"drain" | "finish"} event
 */
async function taken(outgoing, event) {
  if (outgoing.destroyed || outgoing.writableFinished) return;
  await new Promise((resolve) => {
    const timer = setTimeout(() => outgoing.destroy(), PATIENCE);
    const onTaken = () => {
      clearTimeout(timer);
      for (const name of [event, "close"]) outgoing.off(name, onTaken);
      resolve(undefined);
    };
    for (const name of [event, "close"]) outgoing.on(name, onTaken);
  });
}
