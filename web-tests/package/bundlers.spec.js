// The tarball in bundlers that are too large for the repository's own packages.

import { execFileSync } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { APPLICATION, expectToRun, test } from "./stranger.js";
import { installTools } from "./tools.js";

test.describe.configure({ timeout: 180_000 });

/** @type {NodeJS.Require} */
let tools;
test.beforeAll(() => {
  test.setTimeout(600_000); // The first time, it downloads some 200 MB.
  tools = installTools();
});

test("webpack bundles it for a page that names no charset", async ({ folder, chromiumContext }) => {
  const context = join(folder, "webpack");
  await mkdir(join(context, "dist"), { recursive: true });
  await writeFile(join(context, "application.js"), APPLICATION);
  // A classic script is decoded as its page is, which without a name is windows-1252.
  await writeFile(join(context, "dist/index.html"), '<!doctype html><script src="/application.js"></script>');
  const compiler = tools("webpack")({
    context,
    mode: "production",
    entry: { application: "./application.js" },
    output: { path: join(context, "dist") },
    performance: { hints: false },
  });
  const stats = await promisify(compiler.run.bind(compiler))();
  if (stats.hasErrors()) throw new Error(stats.toString("errors-only"));
  await expectToRun(chromiumContext, join(context, "dist"), "index.html", { charset: "" });
});

for (const environment of ["node", "jsdom"]) {
  test(`Jest tests what uses it, in its environment ${environment}, with its defaults`, async ({ folder }) => {
    const root = join(folder, `jest-${environment}`);
    await mkdir(root);
    // Its package is of CommonJS, as npm init makes it.
    await writeFile(join(root, "package.json"), "{}");
    const program = `
      const { default: kv, PolystoreError } = require("polystore-wasm");
      test("stores", async () => {
        const store = kv(${environment === "node" ? '"file://" + __dirname + "/a.kv"' : "localStorage"});
        await store.set("a", { b: 1 }, { expires: "1h" });
        expect(await store.get("a")).toEqual({ b: 1 });
        await expect(store.set("a", new Date())).rejects.toBeInstanceOf(PolystoreError);
        await store.close();
      });`;
    await writeFile(join(root, "store.test.js"), program);
    const environmentPath = tools.resolve(`jest-environment-${environment}`);
    // Babel is found from where Jest is, the package from where the test is.
    const jest = join(dirname(tools.resolve("jest/package.json")), "bin/jest.js");
    const args = [jest, "--ci", `--env=${environmentPath}`, `--rootDir=${root}`];
    execFileSync("node", args, { cwd: root, encoding: "utf8", stdio: "pipe" });
  });
}

test("Parcel bundles it, with its defaults", async ({ folder, chromiumContext }) => {
  const root = join(folder, "parcel");
  await mkdir(root);
  await writeFile(join(root, "package.json"), "{}");
  await writeFile(join(root, "index.html"), '<!doctype html><script type="module" src="./application.js"></script>');
  await writeFile(join(root, "application.js"), APPLICATION);
  const args = [tools.resolve("parcel/lib/bin.js"), "build", "index.html", "--no-cache", "--public-url", "/"];
  execFileSync("node", args, { cwd: root, encoding: "utf8", stdio: "pipe" });
  // Parcel writes an import map into the page.
  const policy = "script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval'";
  await expectToRun(chromiumContext, join(root, "dist"), "index.html", { policy });
});
