// The tarball in the edge runtime of Next.js and Vercel, which has neither a document nor a compiler.

import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "@playwright/test";
import { build } from "esbuild";
import { test } from "./stranger.js";
import { installTools } from "./tools.js";

/** @type {NodeJS.Require} */
let tools;
test.beforeAll(() => {
  test.setTimeout(600_000); // The first time, it downloads some 200 MB.
  tools = installTools();
});

/**
 * A module of WebAssembly is compiled by the platform, and the bundler gives it to who imports it with that query.
 * @param {string[]} modules Gathers their paths; the program finds them under these in the global variable `compiled`.
 */
const compiledByPlatform = (modules) => ({
  name: "compiled-by-platform",
  /** @param {import("esbuild").PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /\.wasm\?module$/ }, ({ path, resolveDir }) => {
      return { path: join(resolveDir, path.replace("?module", "")), namespace: "compiled" };
    });
    build.onLoad({ filter: /./, namespace: "compiled" }, ({ path }) => {
      modules.push(path);
      return { contents: `export default compiled[${JSON.stringify(path)}];` };
    });
  },
});

test("the edge runtime runs it", async ({ folder }) => {
  const program = `
    import kv, { PolystoreError } from "polystore-wasm";
    addEventListener("fetch", (event) => event.respondWith(answer()));
    async function answer() {
      const store = kv(new Map()).prefix("visits:");
      await store.set("a", [1], { expires: "2 hours" });
      const remote = kv("http://localhost:1"); // A port that fetch() itself refuses.
      const errors = [];
      for (const call of [() => store.set("b", new Date()), () => kv("opfs:a").get("a"), () => remote.get("a")])
        errors.push(await Promise.resolve().then(call).catch((error) => error));
      const codes = errors.map((error) => error instanceof PolystoreError && error.code);
      return Response.json([await store.get("a"), await store.keys(), codes, typeof document, typeof EdgeRuntime]);
    }`;
  await writeFile(join(folder, "edge.js"), program);
  /** @type {string[]} */
  const modules = [];
  const { outputFiles } = await build({
    entryPoints: [join(folder, "edge.js")],
    bundle: true,
    format: "iife",
    conditions: ["edge-light", "worker", "browser"],
    plugins: [compiledByPlatform(modules)],
    write: false,
  });
  const { EdgeVM } = tools("@edge-runtime/vm");
  const compile = async (/** @type {string} */ path) => [path, new WebAssembly.Module(await readFile(path))];
  const compiled = Object.fromEntries(await Promise.all(modules.map(compile)));
  const runtime = new EdgeVM({
    codeGeneration: { strings: false, wasm: false },
    extend: (/** @type {object} */ context) => Object.assign(context, { compiled }),
  });
  expect(() => runtime.evaluate("new WebAssembly.Module(new Uint8Array([0, 97, 115, 109, 1, 0, 0, 0]))")).toThrow();
  runtime.evaluate(outputFiles[0].text);
  const response = await runtime.dispatchFetch("http://edge/");
  const codes = ["ERR_VALUE", "ERR_CLIENT", "ERR_CLIENT"];
  expect(await response.json()).toEqual([[1], ["a"], codes, "undefined", "string"]);
});
