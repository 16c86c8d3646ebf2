// The tarball in bundlers that are too large for the repository's own packages.

import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
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
