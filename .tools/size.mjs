// npm run size: what a page downloads, compressed as a server would send it, beside named peers.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

/** The most bytes (brotli) that a page may download before its first localStorage operation. */
export const BUDGET = 18_000;
/** The most bytes (brotli) of the engine of logs, as WebAssembly. */
export const ENGINE_BUDGET = 45_000;

/** @param {string | Uint8Array} text */
const brotli = (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

/** The compressed size of each file of dist/. */
export function sizes() {
  const files = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  return files.map((name) => ({ name, bytes: brotli(readFileSync(`dist/${name}`)) }));
}

/** The compressed size of the engine. */
export const engineSize = () => brotli(readFileSync("build/wasm/wasm/engine.wasm"));

/** @param {string} name A package, minified whole. */
async function peer(name) {
  const options = {
    bundle: true,
    minify: true,
    platform: /** @type {const} */ ("node"),
    format: /** @type {const} */ ("esm"),
    write: false,
  };
  const contents = `export { default } from "${name}"`;
  const { outputFiles } = await build({ ...options, stdin: { contents, resolveDir: "." } });
  return { name, bytes: brotli(outputFiles?.[0].contents ?? "") };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const rows = [...sizes().map(({ name, bytes }) => ({ name: `dist/${name}`, bytes }))];
  rows.push(await peer("polystore"), await peer("localforage"));
  for (const { name, bytes } of rows) console.log(`${String(bytes).padStart(7)} bytes brotli  ${name}`);
  const { bytes } = rows.find(({ name }) => name === "dist/index.js") ?? { bytes: Infinity };
  console.log(`${String(BUDGET).padStart(7)} bytes brotli  the budget of dist/index.js, core included`);
  const engine = engineSize();
  console.log(`${String(engine).padStart(7)} bytes brotli  the engine of logs, within dist/clients/opfs/worker.js`);
  console.log(`${String(ENGINE_BUDGET).padStart(7)} bytes brotli  the budget of the engine`);
  process.exitCode = bytes <= BUDGET && engine <= ENGINE_BUDGET ? 0 : 1;
}
