import { after } from "node:test";
import { connect, createServer } from "node:net";

/**
 * Starts a proxy before a server that loses requests with a commit: it ends their connections.
 * @param {number} port The port of the server.
 */
export async function startCuttingProxy(port) {
  const proxy = {
    url: /** @type {`http://127.0.0.1:${number}`} */ ("http://127.0.0.1:0"),
    port,
    /** How many requests are lost before the server gets them whole. */
    requests: 0,
    /** How many answers are lost. */
    answers: 0,
    /** Called when an answer is lost. */
    onLost: () => {},
  };
  const server = createServer((client) => {
    const upstream = connect(proxy.port, "127.0.0.1");
    let asked = "";
    const end = () => {
      client.destroy();
      upstream.destroy();
    };
    client.on("data", (data) => {
      asked += data;
      if (!asked.includes('["commit"') || proxy.requests === 0) return upstream.write(data);
      --proxy.requests;
      return end();
    });
    upstream.on("data", (data) => {
      const isLost = asked.includes('["commit"') && proxy.answers > 0;
      asked = "";
      if (!isLost) return client.write(data);
      --proxy.answers;
      proxy.onLost();
      return end();
    });
    for (const socket of [client, upstream]) socket.on("error", end).on("close", end);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  proxy.url = `http://127.0.0.1:${address.port}`;
  after(() => server.close());
  return proxy;
}
