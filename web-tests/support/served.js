// Serves a program of a test, and visits it as a browser does.

import { createServer } from "node:http";

/**
 * Serves requests as long as something runs.
 * @param {import("node:http").RequestListener} listener
 * @param {(url: string) => Promise<void>} run
 */
export async function served(listener, run) {
  const server = createServer(listener);
  await new Promise((resolve) => server.listen(0, () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  try {
    await run(`http://localhost:${port}/`);
  } finally {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
}

/**
 * Asks twice with the cookie that the first answer gave, and says what the answers were.
 * @param {(headers: Record<string, string>) => Response | Promise<Response>} ask
 */
export async function twice(ask) {
  const first = await ask({});
  const cookie = first.headers.getSetCookie().map((text) => text.split(";")[0]);
  const second = await ask({ cookie: cookie.join("; ") });
  return [await first.text(), await second.text()];
}
