import { createServer } from "node:http";
import { after } from "node:test";

/**
 * Serves on a free port until the tests of the file have ended.
 * @param {import("node:http").RequestListener} listen
 * @param {number} [port]
 * @returns {Promise<{ origin: string, port: number, connections: () => number, close: () => Promise<void> }>}
 */
export async function serveHttp(listen, port = 0) {
  const server = createServer(listen);
  let connections = 0;
  server.on("connection", () => ++connections);
  await new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () =>
    new Promise((/** @type {(value: void) => void} */ resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  after(close);
  return { origin: `http://127.0.0.1:${address.port}`, port: address.port, connections: () => connections, close };
}
