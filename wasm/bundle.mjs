// Builds dist/, what the package ships: js/ and the core in one module that any browser and any bundler takes as it is,
// and a chunk for each client that is loaded on demand.
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

await build({
  entryPoints: ["js/index.js"],
  outdir: "dist",
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "utf8", // the core's bytes stay one character each; a module is UTF-8 by definition
  chunkNames: "[name]-[hash]",
  legalComments: "none",
  plugins: [minifyGlue],
});

// Beside the module, where whoever imports it by its path finds it too.
await cp("js/index.d.ts", "dist/index.d.ts");
