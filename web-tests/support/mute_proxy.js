import { connect, createServer } from "node:net";

/**
 * Starts a proxy before a server, which keeps back the answers when a test says so, and whose connections the test cuts.
 * @param {number} port The port of the server.
 */
export async function startMuteProxy(port) {
  /** @type {Set<import("node:net").Socket>} */
  const sockets = new Set();
  let isMute = false;
  const proxy = createServer((client) => {
    const upstream = connect(port, "127.0.0.1");
    client.pipe(upstream);
    upstream.on("data", (data) => isMute || client.write(data));
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {}).on("close", () => [client, upstream].forEach((each) => each.destroy()));
    }
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (proxy.address());
  const cut = () => {
    isMute = false;
    for (const socket of sockets) socket.destroy();
  };
  const close = () => {
    cut();
    proxy.close();
  };
  return { port: address.port, mute: () => (isMute = true), cut, close };
}
