// Node's HTTP server has requests and responses of its own: between those and the standard ones.

/** @typedef {import("node:http").IncomingMessage} Incoming */
/** @typedef {import("node:http").ServerResponse} Outgoing */

/**
 * Makes a listener for node:http of a handler; see server.d.ts.
 * @param {import("./server.js").Handler} handle
 * @returns {(incoming: Incoming, outgoing: Outgoing) => Promise<void>}
 */
export function listener(handle) {
  return async (incoming, outgoing) => {
    try {
      const request = requestOf(incoming);
      await send(request === null ? new Response(null, { status: 400 }) : await handle(request), outgoing);
    } catch (error) {
      console.error(error); // Of the handler, or of the stream that it gave.
      if (outgoing.headersSent) outgoing.destroy();
      else outgoing.writeHead(500).end();
    }
    incoming.resume(); // What was not read is thrown away: only then does the client read the answer.
  };
}

/**
 * @param {Incoming} incoming
 * @returns {Request | null} Null if it is none that can be answered.
 */
function requestOf(incoming) {
  const { method = "GET", headers, url = "" } = incoming;
  const body = method === "GET" || method === "HEAD" ? null : bodyOf(incoming);
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
 * @returns {ReadableStream<Uint8Array>}
 */
function bodyOf(incoming) {
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

/**
 * @param {Response} response
 * @param {Outgoing} outgoing
 */
async function send(response, outgoing) {
  outgoing.statusCode = response.status;
  outgoing.setHeaders(response.headers);
  const reader = response.body?.getReader();
  // Who has gone before the answer was there does not close once more.
  const closed = outgoing.destroyed ? null : new Promise((resolve) => outgoing.once("close", resolve));
  for (;;) {
    const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
    if (done) break;
    if (outgoing.write(value)) continue;
    await Promise.race([closed, new Promise((resolve) => outgoing.once("drain", resolve))]);
    if (outgoing.destroyed) return void (await reader?.cancel());
  }
  outgoing.end();
}
