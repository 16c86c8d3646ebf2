import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { builtinModules } from "node:module";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { build } from "esbuild";
import { Miniflare } from "miniflare";

/**
 * Bundles a Worker as Cloudflare's wrangler does, and runs it in workerd, with two empty namespaces of KV, `env.KV` and `env.OTHER`.
 * @param {string} entry
 * @param {string} [folder] From which packages are found.
 * @returns {Promise<{ worker: Miniflare, stop: () => Promise<void> }>}
 */
export async function startWorker(entry, folder = process.cwd()) {
  const { outputFiles } = await build({
    entryPoints: [entry],
    outdir: "worker", // Nothing is written.
    absWorkingDir: folder,
    bundle: true,
    format: "esm",
    target: "es2024",
    conditions: ["workerd", "worker", "browser"],
    external: ["cloudflare:*", "node:*", ...builtinModules],
    loader: { ".wasm": "copy" },
    write: false,
  });
  // The entry is the first; its imports are beside it.
  const modules = outputFiles.map(({ path, contents }) => ({
    type: path.endsWith(".wasm") ? /** @type {const} */ ("CompiledWasm") : /** @type {const} */ ("ESModule"),
    path: basename(path),
    contents,
  }));
  modules.sort((a, b) => Number(a.type === "CompiledWasm") - Number(b.type === "CompiledWasm"));
  // In memory where there is such a folder: each write is synced.
  const kvPersist = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "polystore-workerd-"));
  const worker = new Miniflare({
    modules,
    compatibilityDate: "2026-04-01",
    kvNamespaces: ["KV", "OTHER"],
    kvPersist,
    cf: false,
  });
  await worker.ready;
  return {
    worker,
    async stop() {
      await worker.dispose();
      rmSync(kvPersist, { recursive: true });
    },
  };
}
