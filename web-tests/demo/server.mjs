// Serves the page and what it is made of, to this machine only.

import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { createRequire } from "node:module";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { countriesFile } from "./countries.mjs";

const HOST = "127.0.0.1";
const PAGE_FOLDER = fileURLToPath(new URL("page/", import.meta.url));
const LIBRARY_FOLDER = fileURLToPath(new URL("../../dist/", import.meta.url));

/** Files that lie elsewhere. @type {Record<string, string>} */
const FILES = {
  "/": `${PAGE_FOLDER}index.html`,
  "/localforage.js": createRequire(import.meta.url).resolve("localforage/dist/localforage.min.js"),
  "/countries.json": countriesFile,
};

/** What is not here is not served. @type {Record<string, string>} */
const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json; charset=utf-8",
  ".svg": "image/svg+xml",
};

const HEADERS = {
  // As strict as a page can be that runs WebAssembly: nothing inline, nothing evaluated, nothing from elsewhere.
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; " +
    "connect-src 'self'; base-uri 'none'; form-action 'none'",
  // An isolated page has a clock that ticks every 5 µs instead of every 100: what the page times takes some 50.
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Embedder-Policy": "require-corp",
  "X-Content-Type-Options": "nosniff",
  "Cache-Control": "no-store",
};

/**
 * @param {number} port 0 for any that is free.
 * @returns {Promise<{ url: string, close: () => Promise<void> }>} Rejects if the port is taken.
 */
export async function serve(port) {
  const server = createServer((request, response) => {
    answer(request).then(
      ({ status, headers, body }) => response.writeHead(status, { ...HEADERS, ...headers }).end(body),
      (error) => response.destroy(error),
    );
  });
  server.listen(port, HOST);
  await once(server, "listening");
  const address = /** @type {import("node:net").AddressInfo} */ (server.address());
  return {
    url: `http://${HOST}:${address.port}/`,
    async close() {
      server.close();
      server.closeAllConnections(); // A browser keeps its own open for minutes.
      await once(server, "close");
    },
  };
}

/**
 * @param {import("node:http").IncomingMessage} request
 * @returns {Promise<{ status: number, headers: Record<string, string>, body?: Buffer | string }>}
 */
async function answer({ method, url = "/" }) {
  if (method !== "GET" && method !== "HEAD") {
    return { status: 405, headers: { Allow: "GET, HEAD" } };
  }
  const file = fileFor(url.split("?", 1)[0]);
  const type = TYPES[extname(file ?? "")];
  const body = file && type ? await readFile(file).catch(() => undefined) : undefined;
  if (body === undefined) {
    return { status: 404, headers: { "Content-Type": "text/plain; charset=utf-8" }, body: "There is nothing here.\n" };
  }
  return { status: 200, headers: { "Content-Type": type }, body };
}

/**
 * @param {string} path
 * @returns {string | undefined}
 */
function fileFor(path) {
  if (Object.hasOwn(FILES, path)) return FILES[path];
  // A name without a slash, a percent sign or a leading dot leads to no other folder. The library has folders of its own, for
  // the files that are loaded on demand.
  const match = /^\/(polystore\/(?:clients\/(?:\w+\/)?)?)?(\w[\w.-]*)$/.exec(path);
  if (!match) return undefined;
  const [, library, name] = match;
  return library ? LIBRARY_FOLDER + library.slice("polystore/".length) + name : PAGE_FOLDER + name;
}
