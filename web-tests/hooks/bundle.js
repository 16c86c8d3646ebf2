// Bundles components for a page or for a server, as an application does.

import { readFile } from "node:fs/promises";
import { basename } from "node:path";
import { build } from "esbuild";
import { compile } from "svelte/compiler";

/**
 * Compiles the components of Svelte.
 * @param {"client" | "server"} generate
 * @returns {import("esbuild").Plugin}
 */
const svelte = (generate) => ({
  name: "svelte",
  setup({ onLoad }) {
    onLoad({ filter: /\.svelte$/ }, async ({ path }) => {
      const { js } = compile(await readFile(path, "utf8"), { filename: path, generate, dev: true });
      return { contents: js.code, loader: "js" };
    });
  },
});

/**
 * @param {string} entry
 * @param {string} outfile
 * @param {"client" | "server"} platform
 */
export async function bundle(entry, outfile, platform) {
  const isServer = platform === "server";
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: "esm",
    platform: isServer ? "node" : "browser",
    external: isServer ? ["react", "react-dom"] : [], // They are CommonJS, which cannot require() a module of Node from a bundle.
    conditions: ["development", "svelte"],
    define: {
      "process.env.NODE_ENV": '"development"',
      __VUE_OPTIONS_API__: "true",
      __VUE_PROD_DEVTOOLS__: "false",
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "true",
    },
    plugins: [svelte(platform)],
    logLevel: "error",
  });
  return basename(outfile);
}
