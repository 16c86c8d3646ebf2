// npm run size: the bytes that a page downloads, compressed as by a server, next to named peers.
import { readdirSync, readFileSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { brotliCompressSync, constants } from "node:zlib";
import { build } from "esbuild";

/** The maximum number of bytes (brotli) that a page may download before its first localStorage operation. */
export const BUDGET = 18_000;
/** The maximum size (brotli) of the engine of logs, as WebAssembly. */
export const ENGINE_BUDGET = 45_000;
/** The maximum size (brotli) of each file that a page may load in addition, and of each module for another library. */
export const CHUNK_BUDGETS = {
  "opfs.js": 300,
  "clients/cookie/cookie.js": 3_200,
  "clients/http/http.js": 7_200,
  "clients/indexeddb/indexeddb.js": 4_100,
  "clients/keyv.js": 2_300,
  "clients/level.js": 4_600,
  "clients/localforage.js": 4_000,
  "clients/lru_cache.js": 900,
  "clients/opfs/in_place.js": 58_000,
  "clients/opfs/opfs.js": 8_100,
  "clients/opfs/worker.js": 58_000,
  "clients/opfs/worker_text.js": 58_000,
  "clients/storage_events.js": 300,
  "clients/weak_lru_cache.js": 700,
  "facades/axios_cache_interceptor.js": 450,
  "facades/better_auth.js": 150,
  "facades/express_rate_limit.js": 300,
  "facades/express_session.js": 300,
  "facades/hono_sessions.js": 200,
  "facades/idb_keyval.js": 1_700,
  "facades/keyv.js": 350,
  "facades/storage.js": 250,
  "facades/unstorage.js": 300,
  "hooks/react.js": 1_350,
  "hooks/svelte.js": 1_300,
  "hooks/vue.js": 1_450,
  "store/on_demand.js": 7_600,
  "store/watching.js": 5_600,
};

/** @param {string | Uint8Array} text */
const brotli = (text) => brotliCompressSync(text, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }).length;

/** The compressed size of each file of dist/. */
export function sizes() {
  const files = readdirSync("dist", { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".js"));
  return files.map((name) => ({ name, bytes: brotli(readFileSync(`dist/${name}`)) }));
}

/** The compressed size of the engine. */
export const engineSize = () => brotli(readFileSync("build/wasm/wasm/engine.wasm"));

/** @param {string} name A package, which is bundled whole and minified. */
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
  /** @type {Record<string, number>} */
  const budgets = { "index.js": BUDGET, ...CHUNK_BUDGETS };
  const rows = sizes().map(({ name, bytes }) => ({ name: `dist/${name}`, bytes, budget: budgets[name] }));
  rows.push({ name: "the engine of logs, within three of these", bytes: engineSize(), budget: ENGINE_BUDGET });
  const peers = [await peer("polystore"), await peer("localforage")];
  for (const { name, bytes, budget } of [...rows, ...peers.map((peer) => ({ ...peer, budget: undefined }))]) {
    const most = budget === undefined ? "" : `of ${budget}`;
    console.log(`${String(bytes).padStart(7)} ${most.padEnd(8)} bytes brotli  ${name}`);
  }
  process.exitCode = rows.every(({ bytes, budget = Infinity }) => bytes <= budget) ? 0 : 1;
}
