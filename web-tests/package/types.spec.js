// The declarations of the tarball, as TypeScript and two well-known checkers of packages see them.

import { spawnSync } from "node:child_process";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { expect } from "@playwright/test";
import { test } from "./stranger.js";
import { installTools } from "./tools.js";

test.describe.configure({ timeout: 180_000 });

/** @type {NodeJS.Require} */
let tools;
test.beforeAll(() => {
  test.setTimeout(600_000); // The first time, it downloads some 200 MB.
  tools = installTools();
});

/** @param {string} folder */
async function tarballIn(folder) {
  return join(folder, (await readdir(folder)).find((name) => name.endsWith(".tgz")) ?? "");
}

test("publint finds no fault in package.json", async ({ folder }) => {
  const { publint } = await import(tools.resolve("publint"));
  const { messages } = await publint({ pkgDir: join(folder, "node_modules/polystore-wasm"), strict: true });
  // Parcel 2 reads no `exports` by default, so package.json has `browser` beside it.
  const faults = messages.filter((/** @type {any} */ { code }) => code !== "USE_EXPORTS_BROWSER");
  expect(faults).toEqual([]);
});

test("attw finds the types of each module, from a module and from CommonJS", async ({ folder }) => {
  const attw = join(dirname(tools.resolve("@arethetypeswrong/cli/package.json")), "dist/index.js");
  // TypeScript's oldest resolution knows no `exports`. polystore-wasm/opfs is for bundlers and service workers, which load modules.
  const args = [attw, await tarballIn(folder), "--profile", "node16", "--exclude-entrypoints", "opfs"];
  const { status, stdout } = spawnSync("node", args, { encoding: "utf8" });
  expect(status, stdout).toBe(0);
});

for (const [moduleResolution, module] of [
  ["node16", "node16"],
  ["nodenext", "nodenext"],
  ["bundler", "esnext"],
]) {
  test(`a strict project compiles with the resolution ${moduleResolution}, and wrong use does not`, async ({
    folder,
  }) => {
    const root = join(folder, `types-${moduleResolution}`);
    await mkdir(root);
    await writeFile(join(root, "package.json"), JSON.stringify({ type: "module" }));
    // It holds wrong uses too, each under a comment that makes it an error if it compiles.
    await cp("web-tests/types/usage.ts", join(root, "usage.ts"));
    await writeFile(
      join(root, "required.cts"),
      'import kv = require("polystore-wasm");\nvoid kv.default(new Map()).get("a");\n',
    );
    const compilerOptions = {
      target: "es2022",
      lib: ["es2023", "dom", "dom.iterable", "dom.asynciterable"],
      module,
      moduleResolution,
      strict: true,
      exactOptionalPropertyTypes: true,
      noPropertyAccessFromIndexSignature: true,
      noEmit: true,
      skipLibCheck: false,
      typeRoots: [resolve("node_modules/@types")],
      types: ["node"],
    };
    const files = moduleResolution === "bundler" ? ["usage.ts"] : ["usage.ts", "required.cts"];
    await writeFile(join(root, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));
    const { stdout } = spawnSync("npx", ["tsc", "--project", join(root, "tsconfig.json")], { encoding: "utf8" });
    expect(stdout).toBe("");
  });
}
