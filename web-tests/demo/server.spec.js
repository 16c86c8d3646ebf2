// What the server serves, and what it does not.

import { once } from "node:events";
import { request } from "node:http";
import { expect, test } from "@playwright/test";
import { serve } from "./server.mjs";

/** @type {Awaited<ReturnType<typeof serve>>} */
let demo;
test.beforeAll(async () => {
  demo = await serve(0);
});
test.afterAll(() => demo.close());

/**
 * Asks for a path as it is: fetch() would tidy it up first.
 * @param {string} path
 * @param {string} [method]
 */
async function ask(path, method = "GET") {
  const asking = request(demo.url, { path, method }).end();
  const [response] = /** @type {[import("node:http").IncomingMessage]} */ (await once(asking, "response"));
  response.resume();
  return { status: response.statusCode, type: response.headers["content-type"], headers: response.headers };
}

test("every file comes with its type", async () => {
  for (const [path, type] of [
    ["/", "text/html; charset=utf-8"],
    ["/style.css", "text/css; charset=utf-8"],
    ["/app.js?again", "text/javascript; charset=utf-8"],
    ["/polystore/index.js", "text/javascript; charset=utf-8"],
    ["/polystore/clients/localforage.js", "text/javascript; charset=utf-8"],
    ["/localforage.js", "text/javascript; charset=utf-8"],
    ["/countries.json", "application/json; charset=utf-8"],
    ["/icon.svg", "image/svg+xml"],
  ]) {
    expect(await ask(path), path).toMatchObject({ status: 200, type });
  }
});

test("a page may run no script but ours, and evaluate nothing", async () => {
  const policy = (await ask("/")).headers["content-security-policy"];
  expect(policy).toContain("script-src 'self' 'wasm-unsafe-eval';");
  expect(policy).not.toContain("unsafe-inline");
});

test("nothing else is served", async () => {
  for (const path of [
    "/../server.mjs",
    "/..%2fserver.mjs",
    "/polystore/../../package.json",
    "/polystore/..%2f..%2fpackage.json",
    "//etc/passwd",
    "/.",
    "/polystore/",
    "/polystore/clients/",
    "/polystore/clients/../../package.json",
    "/clients/app.js",
    "/globals.d.ts",
    "/missing.js",
    "/toString",
    "*",
  ]) {
    expect(await ask(path), path).toMatchObject({ status: 404 });
  }
  expect(await ask("/", "POST")).toMatchObject({ status: 405 });
});
