// Builds dist/, the contents of the package: js/ and the core in one module that any browser and any bundler accepts,
// and a chunk for each client that is loaded on demand. The same again for servers, whose clients no page should load.
import { existsSync } from "node:fs";
import { cp, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { build } from "esbuild";
import { minify } from "terser";

await rm("dist", { recursive: true, force: true });

/** Emscripten writes the engine's glue unminified. terser with `toplevel` halves it; esbuild's minifier cannot. */
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

/** The chunks of a server share this module, so that it is evaluated once, with the first of them. */
const EARLY = /\/real_timers\.js$/;

/**
 * Keeps modules that are loaded on demand, or early, as separate files, with paths relative to the importing module.
 * @param {string} entry The source of the importing module.
 * @param {Set<string>} onDemand Receives the sources of those files.
 * @param {string} condition The platform's condition in package.json.
 * @param {string} extension The extension of the output files.
 */
const splitAtDynamicImports = (entry, onDemand, condition, extension) => ({
  name: "split-at-dynamic-imports",
  /** @param {import("esbuild").PluginBuild} build */
  setup(build) {
    build.onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) => {
      const isEarly = condition === "node" && kind === "import-statement" && EARLY.test(path);
      if (kind !== "dynamic-import" && !isEarly) return undefined;
      const source = join(resolveDir, path);
      if (existsSync(source)) onDemand.add(relative(".", source)); // Other files are built below.
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
  charset: "ascii", // a page that includes the file as a classic script needs no <meta charset>
  lineLimit: 300, // Node prints the line of an uncaught error, which must not be the whole file
  write: false,
  external: ["node:*", "react", "vue"],
  loader: { ".wasm": "copy" }, // Platforms with a condition for it import the file unchanged.
  assetNames: "[name]",
  legalComments: "none",
};

/** For Jest, and for Node before 20.19: all others can require() a module. @type {import("esbuild").BuildOptions} */
const commonJs = {
  format: "cjs",
  outExtension: { ".js": ".cjs" },
  supported: { "dynamic-import": false }, // Jest does not support it.
  define: { "import.meta.url": "undefined" },
};

/**
 * Builds and writes the files, and joins each string into one line. `lineLimit` breaks strings too, which adds 1.3 KB
 * (brotli) to the engine.
 * @param {import("esbuild").BuildOptions} options
 */
async function buildFiles(options) {
  const { outputFiles = [] } = await build({ ...shared, ...options });
  for (const { path, text, contents } of outputFiles) {
    await mkdir(dirname(path), { recursive: true });
    const oneLine = text.replace(/(?<!\\)((?:\\\\)*)\\\n/g, "$1");
    // esbuild also drops the comments in import(), which bundlers need.
    const code = oneLine.replace(/\bimport\((\w+)\)/g, "import(/* webpackIgnore: true */ /* @vite-ignore */ $1)");
    await writeFile(path, /\.c?js$/.test(path) ? code : contents);
  }
}

/**
 * esbuild's own splitting would move shared code to another file that every page has to fetch first. Instead, each file
 * has its own copy, which is small (the errors: 1 KB), and only the first file contains the core.
 * @param {string} outdir
 * @param {string} condition The condition in package.json that chooses these files. It also chooses the parts of js/.
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
// The edge runtime of Next.js and Vercel cannot compile at run time either, and marks WebAssembly modules by a query.
const workerd = await readFile("dist/workerd/index.js", "utf8");
await writeFile("dist/workerd/edge_light.js", workerd.replace('"./core.wasm"', '"./core.wasm?module"'));
await bundle("dist", "browser", commonJs);
await bundle("dist/server", "node", commonJs);

// The worker of a page: as a classic script, which any browser can start, and as text, in case a bundler lost the file.
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

// The server part for a store, what other libraries call, and the hooks, on any platform. They do not contain the core, because their
// callers pass the store.
const facades = (await readdir("js/facades")).filter((name) => name.endsWith(".js"));
const hooks = ["react", "svelte", "vue"].map((name) => `js/hooks/${name}.js`);
const entryPoints = ["js/server.js", ...facades.map((name) => `js/facades/${name}`), ...hooks];
for (const options of [{}, commonJs]) await buildFiles({ outdir: "dist", entryPoints, ...options });

// The tests of a client, also without the core. They are not minified, so that a stack trace can be read.
const contract = "js/contract.js";
for (const options of [{}, commonJs])
  await buildFiles({ outdir: "dist", entryPoints: [contract], minify: false, ...options });

// The declarations lie next to the modules, so that imports by path find them too.
for (const path of ["js/index.js", contract, ...entryPoints]) {
  const name = path.slice("js/".length, -".js".length);
  const declaration = await readFile(`js/${name}.d.ts`, "utf8");
  await writeFile(`dist/${name}.d.ts`, declaration);
  await writeFile(`dist/${name}.d.cts`, declaration.replace('/index.js"', '/index.cjs"'));
}
