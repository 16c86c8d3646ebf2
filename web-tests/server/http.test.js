import { createServer } from "node:http";
import { after } from "node:test";
import kv from "polystore-wasm";
import { handler, listener } from "polystore-wasm/server";
import { http } from "../contract/clients/http.js";
import { testContract } from "../contract/suite.js";

/** What ends the servers that were started. @type {(() => void)[]} */
const ends = [];
after(() => ends.forEach((end) => end()));

/**
 * Starts a server of Node's.
 * @param {import("node:http").RequestListener} listen
 * @returns {Promise<string>} Its origin.
 */
async function serve(listen) {
  const server = createServer(listen);
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  ends.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${/** @type {import("node:net").AddressInfo} */ (server.address()).port}`;
}

const map = new Map();
const origin = await serve(listener(handler(kv(map), { path: "/store" })));
testContract(http(kv, "HTTP", { url: `${origin}/store`, map }));
