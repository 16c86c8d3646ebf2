// The tarball in bundlers that write one file: they put in it what would be loaded on demand, too.

import { execFileSync } from "node:child_process";
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { brotliCompressSync } from "node:zlib";
import { expect } from "@playwright/test";
import { build } from "esbuild";
import { serve } from "../support/server.js";
import { test } from "./stranger.js";
import { installTools } from "./tools.js";

test.describe.configure({ timeout: 180_000 });

/** @type {NodeJS.Require} */
let tools;
test.beforeAll(() => {
  test.setTimeout(600_000); // The first time, it downloads some 200 MB.
  tools = installTools();
});

/**
 * Each bundles `program.js` of a folder as `bundle.js`, with its defaults for a page.
 * @type {Record<string, (root: string) => Promise<void>>}
 */
const BUNDLERS = {
  async esbuild(root) {
    await build({
      entryPoints: [join(root, "program.js")],
      outfile: join(root, "bundle.js"),
      bundle: true,
      minify: true,
      logLevel: "error", // It warns of `import.meta`, which is undefined in a classic script.
    });
  },

  async "bun build"(root) {
    const bun = createRequire(import.meta.url).resolve("@oven/bun-linux-x64/bin/bun");
    execFileSync(bun, ["build", "program.js", "--minify", "--outfile=bundle.js"], { cwd: root, stdio: "pipe" });
  },

  async "Rollup's iife"(root) {
    const { nodeResolve } = tools("@rollup/plugin-node-resolve");
    const bundle = await tools("rollup").rollup({
      input: join(root, "program.js"),
      plugins: [nodeResolve({ browser: true })],
    });
    await bundle.write({ file: join(root, "bundle.js"), format: "iife", inlineDynamicImports: true });
    await bundle.close();
  },
};

/** The others write a classic script. @type {Record<string, string>} */
const SCRIPT_TYPES = { "bun build": "module" };

/** Returns the program of a page that uses a client; its result is the title of the page. @param {string} client @param {string} line */
const programOf = (client, line = "") => `${line}
  import kv from "polystore-wasm";
  const store = kv(${client});
  store
    .set("a", 1)
    .then(() => store.get("a"))
    .then(
      (value) => (document.title = store.type + " " + value),
      ({ code, message }) => (document.title = code + " " + /add import "[^"]*"/.exec(message)?.[0]),
    );`;

const PAGES = {
  localStorage: { program: programOf("localStorage"), hasEngine: false, title: "STORAGE 1" },
  "OPFS, without the line for it": {
    program: programOf('"opfs:bundled"'),
    hasEngine: false,
    title: 'ERR_CLIENT add import "polystore-wasm/opfs"',
  },
  OPFS: {
    program: programOf('"opfs:bundled"', 'import "polystore-wasm/opfs";'),
    hasEngine: true,
    title: "OPFS 1",
  },
};

/** The engine alone has more than 300,000 bytes, and 45 KB after compression. docs/install.md says how large a bundle is. */
const MAX_WITHOUT_ENGINE = { bytes: 190_000, brotli: 50_000 };

for (const [bundler, bundle] of Object.entries(BUNDLERS)) {
  for (const [name, { program, hasEngine, title }] of Object.entries(PAGES)) {
    test(`${bundler} ${hasEngine ? "takes in" : "leaves out"} the engine for a page of ${name}`, async ({
      folder,
      chromiumContext,
    }) => {
      const root = join(folder, `${bundler} ${name}`.replace(/\W+/g, "-"));
      await mkdir(root);
      await writeFile(join(root, "program.js"), program);
      await writeFile(
        join(root, "index.html"),
        `<!doctype html><body><script type="${SCRIPT_TYPES[bundler] ?? ""}" src="bundle.js"></script></body>`,
      );
      await bundle(root);
      const bytes = await readFile(join(root, "bundle.js"));
      if (hasEngine) expect(bytes.length).toBeGreaterThan(300_000);
      else {
        expect(bytes.length).toBeLessThan(MAX_WITHOUT_ENGINE.bytes);
        expect(brotliCompressSync(bytes).length).toBeLessThan(MAX_WITHOUT_ENGINE.brotli);
      }
      const server = await serve({ root, policy: "worker-src 'self' blob:" });
      const page = await chromiumContext.newPage();
      await page.goto(`${server.origin}/index.html`);
      await expect.poll(() => page.title()).toBe(title);
      await page.close();
      await server.close();
    });
  }
}
