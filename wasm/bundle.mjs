// Builds dist/, what the package ships: js/ and the core in one module that any browser and any bundler takes as it is,
// and a chunk for each client that is loaded on demand. The same again for servers, whose clients no page should carry.
import { existsSync } from "node:fs";
import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { minify } from "terser";

await rm("dist", { recursive: true, force: true });

/** The engine's glue, by Emscripten, comes unminified: terser with `toplevel` halves it, which esbuild's minifier cannot. */
const minifyGlue = {
  name: "minify-glue",
  /** @param {import("esbuild").PluginBuild} build */
  setup(build) {
    build.onLoad({ filter: /engine\.mjs$/ }, async ({ path }) => {
      const options = { module: true, toplevel: true, compress: { passes: 3 } };
      return { contents: (await minify(await readFile(path, "utf8"), options)).code };
    });
  },
};

/** The chunks of a server share this module, so that it is evaluated with the first of them, and not with each. */
const EARLY = /\/real_timers\.js$/;

/**
 * What is loaded on demand, or early, stays a file of its own, which is found by its path from the module that loads it.
 * @param {string} entry The source of that module.
 * @param {Set<string>} onDemand Gathers the sources of those files.
 * @param {string} condition The platform's.
 * @param {string} extension Of the files that are made.
 */
const splitAtDynamicImports = (entry, onDemand, condition, extension) => ({
  name: "split-at-dynamic-imports",
  /** @param {import("esbuild").PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const isEarly = condition === "node" && kind === "import-statement" && EARLY.test(path);
      if (kind !== "dynamic-import" && !isEarly) return undefined;
      const source = join(resolveDir, path);
      if (existsSync(source)) onDemand.add(relative(".", source)); // Else it is made below.
      const place = relative(dirname(entry), source).replace(/\.js$/, extension);
      return { path: place.startsWith(".") ? place : `./${place}`, external: true };
    });
  },
});

/** @type {import("esbuild").BuildOptions} */
const shared = {
  outbase: "js",
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  charset: "ascii", // a page that includes us as a classic script needs no <meta charset>
  lineLimit: 300, // Node prints the line of an uncaught error, which must not be all of them
  write: false,
  external: ["node:*"],
  loader: { ".wasm": "copy" }, // To be imported as it is, by those who have a condition for it.
  assetNames: "[name]",
  legalComments: "none",
};

/** For Jest, and for Node before 20.19: everybody else can require() a module. @type {import("esbuild").BuildOptions} */
const commonJs = {
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  supported: { "dynamic-import": false }, // Jest has none.
  define: { "import.meta.url": "undefined" },
};

/**
 * Builds and writes, with each text on one line: `lineLimit` breaks texts too, which costs 1.3 KB (brotli) of the engine.
 * @param {import("esbuild").BuildOptions} options
 */
async function buildFiles(options) {
  const { outputFiles = [] } = await build({ ...shared, ...options });
  for (const { path, text, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    const oneLine = text.replace(/(?<!\\)((?:\\\\)*)\\\n/g, "$1");
    // The comments of such an import(), which are for bundlers, are lost too.
    const code = oneLine.replace(/\bimport\((\w+)\)/g, "import(/* webpackIgnore: true */ /* @vite-ignore */ $1)");
    await writeFile(path, /\.c?js$/.test(path) ? code : contents);
  }
}

/**
 * esbuild's own splitting would move what the files share to one more that every page has to fetch first; so each has its
 * copy of that, which is little (the errors: 1 KB), and the core is in the first one only.
 * @param {string} outdir
 * @param {string} condition Of package.json, by which it is chosen; it chooses our own parts too.
 * @param {import("esbuild").BuildOptions} [options]
 */
async function bundle(outdir, condition, options = {}) {
  const entries = new Set(condition === "browser" && !options.format ? ["js/index.js", "js/opfs.js"] : ["js/index.js"]);
  for (const entry of entries) {
    const plugins = [
      splitAtDynamicImports(entry, entries, condition, options.outExtension?.[".js"] ?? ".js"),
      minifyGlue,
    ];
    await buildFiles({ outdir, conditions: [condition], plugins, entryPoints: [entry], ...options });
  }
}

await bundle("dist", "browser");
await bundle("dist/server", "node");
await bundle("dist/workerd", "workerd");
// The edge runtime of Next.js and Vercel compiles nothing at run time either, and tells a WebAssembly module by a query.
const workerd = await readFile("dist/workerd/index.js", "utf8");
await writeFile("dist/workerd/edge_light.js", workerd.replace('"./core.wasm"', '"./core.wasm?module"'));
await bundle("dist", "browser", commonJs);
await bundle("dist/server", "node", commonJs);

// The worker of a page: a classic script, which any browser starts, and the same as a text for where a bundler has lost it.
const worker = "dist/clients/opfs/worker.js";
await buildFiles({
  outdir: "dist",
  format: "iife",
  plugins: [minifyGlue],
  entryPoints: ["js/clients/opfs/worker.js"],
});
const text = JSON.stringify(await readFile(worker, "utf8"));
await writeFile("dist/clients/opfs/worker_text.js", `export default ${text};\n`);

await cp("js/opfs.d.ts", "dist/opfs.d.ts");

// What serves a store, on any platform: without the core, for the store is given to it.
for (const options of [{}, commonJs]) await buildFiles({ outdir: "dist", entryPoints: ["js/server.js"], ...options });

// Beside the modules, where whoever imports them by their paths finds them too.
for (const name of ["index", "server"]) {
  const declaration = await readFile(`js/${name}.d.ts`, "utf8");
  await writeFile(`dist/${name}.d.ts`, declaration);
  await writeFile(`dist/${name}.d.cts`, declaration.replace('"./index.js"', '"./index.cjs"'));
}
