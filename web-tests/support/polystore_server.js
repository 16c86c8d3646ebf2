import upstream from "polystore";

/**
 * A server as polystore 0.27 wants it, over polystore itself, which knows nothing of what we add to the protocol.
 * @param {string[]} requests Grows with each.
 * @returns {import("node:http").RequestListener}
 */
export function polystoreServer(requests) {
  const store = upstream(new Map());
  return async (request, response) => {
    requests.push(`${request.method} ${request.url}`);
    const { pathname, searchParams } = new URL(`http://localhost${request.url}`);
    const key = decodeURIComponent(pathname.slice(1));
    const reply = (/** @type {unknown} */ json) => {
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify(json));
    };
    if (request.method === "GET" && key === "")
      return reply(await store.prefix(searchParams.get("prefix") ?? "").all());
    if (request.method === "GET" && (await store.has(key))) return reply(await store.get(key));
    if (request.method === "PUT" && key !== "") {
      let body = "";
      for await (const chunk of request.setEncoding("utf8")) body += chunk;
      const expires = searchParams.get("expires");
      return reply(await store.set(key, JSON.parse(body), { expires: expires === null ? null : Number(expires) }));
    }
    if (request.method === "DELETE" && key !== "") return reply(await store.del(key));
    response.writeHead(404).end();
  };
}
