import { createReadStream, statSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const TYPES = /** @type {Record<string, string>} */ ({
  ".css": "text/css",
  ".html": "text/html",
  ".js": "text/javascript",
  ".json": "application/json",
});

/** The policy of a careful site: no eval and no inline script; WebAssembly is allowed by name. */
export const STRICT_POLICY = "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'";
/** The same, of a site that has never heard of WebAssembly. */
export const NO_WASM_POLICY = "default-src 'self'; script-src 'self'";

const ISOLATION = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };

/**
 * Serves a folder, with a Content-Security-Policy, on a free port of this machine.
 * @param {{ root?: string, policy?: string, isolated?: boolean, charset?: string }} [options] The folder is this repository if
 *   none is given; `isolated` pages have a clock of 5 µs instead of 100 µs; `charset` is empty for a server that names none.
 *   A URL may ask for another policy: `?policy=…`.
 * @returns {Promise<{ origin: string, requests: string[], close: () => Promise<void> }>} `requests` grows with each.
 */
export async function serve({ root = ROOT, policy = STRICT_POLICY, isolated = false, charset = "utf-8" } = {}) {
  /** @type {string[]} */
  const requests = [];
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", "http://localhost");
    const path = decodeURIComponent(url.pathname);
    // Browsers ask for it unasked, and would report its absence.
    if (path === "/favicon.ico") return response.writeHead(204).end();
    requests.push(path);
    const file = join(root, normalize(path));
    if (!statSync(file, { throwIfNoEntry: false })?.isFile()) return response.writeHead(404).end();
    const text = charset && /\.(css|html|js)$/.test(file) ? `; charset=${charset}` : "";
    const type = (TYPES[extname(file)] ?? "application/octet-stream") + text;
    const wanted = url.searchParams.get("policy") ?? policy;
    response.writeHead(200, { "content-type": type, "content-security-policy": wanted, ...(isolated && ISOLATION) });
    createReadStream(file).pipe(response);
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  const close = () =>
    new Promise((/** @type {(value: void) => void} */ resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { origin: `http://127.0.0.1:${port}`, requests, close };
}
