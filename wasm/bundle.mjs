// Builds dist/, what the package ships: js/ and the core in one module that any browser and any bundler takes as it is,
// and a chunk for each client that is loaded on demand. The same again for servers, whose clients no page should carry.
import { cp, readFile, rm } from "node:fs/promises";
import { build } from "esbuild";
import { minify } from "terser";

await rm("dist", { recursive: true, force: true });

/** Emscripten's glue comes unminified: terser with `toplevel` halves it, which esbuild's minifier cannot. */
const minifyGlue = {
  name: "minify-glue",
  /** @param {import("esbuild").PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /core\.mjs$/ }, async ({ path }) => {
      const options = { module: true, toplevel: true, compress: { passes: 3 } };
      return { contents: (await minify(await readFile(path, "utf8"), options)).code };
    });
  },
};

/**
 * @param {string} outdir
 * @param {string} condition Of package.json, by which it is chosen; it chooses our own parts too.
 */
async function bundle(outdir, condition) {
  await build({
    entryPoints: ["js/index.js"],
    outdir,
    conditions: [condition],
    bundle: true,
    splitting: true,
    format: "esm",
    target: "es2022",
    minify: true,
    charset: "ascii", // 0.1 KB more, and a page that bundles us as a classic script needs no <meta charset>
    lineLimit: 300, // Node prints the line of an uncaught error, which must not be all of them
    chunkNames: "[name]-[hash]",
    external: ["node:*"],
    legalComments: "none",
    plugins: [minifyGlue],
  });
}

await bundle("dist", "browser");
await bundle("dist/server", "node");

// Beside the module, where whoever imports it by its path finds it too.
await cp("js/index.d.ts", "dist/index.d.ts");
