// What strangers get: the packed tarball, installed in an empty folder and used as they would.

import { execFileSync } from "node:child_process";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { expect } from "@playwright/test";
import { build as esbuild } from "esbuild";
import { build as vite } from "vite";
import { startWorker } from "../support/workerd.js";
import { APPLICATION, expectToRun, RESULT, test } from "./stranger.js";

test("the tarball holds what is used, and nothing else", async ({ folder }) => {
  const installed = join(folder, "node_modules/polystore-wasm");
  const found = await readdir(installed, { recursive: true, withFileTypes: true });
  const files = found
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => relative(installed, join(parentPath, name)));
  const web = files.filter((name) => !/^(src|cmake|docs)\//.test(name));
  expect(web.sort()).toEqual([
    "CHANGELOG.md",
    "CMakeLists.txt",
    "CONTRIBUTING.md",
    "LICENSE",
    "README.md",
    "SECURITY.md",
    "dist/clients/cookie/cookie.cjs",
    "dist/clients/cookie/cookie.js",
    "dist/clients/http/http.cjs",
    "dist/clients/http/http.js",
    "dist/clients/indexeddb/indexeddb.cjs",
    "dist/clients/indexeddb/indexeddb.js",
    "dist/clients/keyv.cjs",
    "dist/clients/keyv.js",
    "dist/clients/level.cjs",
    "dist/clients/level.js",
    "dist/clients/localforage.cjs",
    "dist/clients/localforage.js",
    "dist/clients/lru_cache.cjs",
    "dist/clients/lru_cache.js",
    "dist/clients/opfs/in_place.js",
    "dist/clients/opfs/opfs.cjs",
    "dist/clients/opfs/opfs.js",
    "dist/clients/opfs/worker.js",
    "dist/clients/opfs/worker_text.js",
    "dist/clients/storage_events.cjs",
    "dist/clients/storage_events.js",
    "dist/clients/weak_lru_cache.cjs",
    "dist/clients/weak_lru_cache.js",
    "dist/contract.cjs",
    "dist/contract.d.cts",
    "dist/contract.d.ts",
    "dist/contract.js",
    "dist/facades/axios_cache_interceptor.cjs",
    "dist/facades/axios_cache_interceptor.d.cts",
    "dist/facades/axios_cache_interceptor.d.ts",
    "dist/facades/axios_cache_interceptor.js",
    "dist/facades/better_auth.cjs",
    "dist/facades/better_auth.d.cts",
    "dist/facades/better_auth.d.ts",
    "dist/facades/better_auth.js",
    "dist/facades/express_rate_limit.cjs",
    "dist/facades/express_rate_limit.d.cts",
    "dist/facades/express_rate_limit.d.ts",
    "dist/facades/express_rate_limit.js",
    "dist/facades/express_session.cjs",
    "dist/facades/express_session.d.cts",
    "dist/facades/express_session.d.ts",
    "dist/facades/express_session.js",
    "dist/facades/hono_sessions.cjs",
    "dist/facades/hono_sessions.d.cts",
    "dist/facades/hono_sessions.d.ts",
    "dist/facades/hono_sessions.js",
    "dist/facades/idb_keyval.cjs",
    "dist/facades/idb_keyval.d.cts",
    "dist/facades/idb_keyval.d.ts",
    "dist/facades/idb_keyval.js",
    "dist/facades/keyv.cjs",
    "dist/facades/keyv.d.cts",
    "dist/facades/keyv.d.ts",
    "dist/facades/keyv.js",
    "dist/facades/storage.cjs",
    "dist/facades/storage.d.cts",
    "dist/facades/storage.d.ts",
    "dist/facades/storage.js",
    "dist/facades/unstorage.cjs",
    "dist/facades/unstorage.d.cts",
    "dist/facades/unstorage.d.ts",
    "dist/facades/unstorage.js",
    "dist/hooks/react.cjs",
    "dist/hooks/react.d.cts",
    "dist/hooks/react.d.ts",
    "dist/hooks/react.js",
    "dist/hooks/svelte.cjs",
    "dist/hooks/svelte.d.cts",
    "dist/hooks/svelte.d.ts",
    "dist/hooks/svelte.js",
    "dist/hooks/vue.cjs",
    "dist/hooks/vue.d.cts",
    "dist/hooks/vue.d.ts",
    "dist/hooks/vue.js",
    "dist/index.cjs",
    "dist/index.d.cts",
    "dist/index.d.ts",
    "dist/index.js",
    "dist/opfs.d.ts",
    "dist/opfs.js",
    "dist/server.cjs",
    "dist/server.d.cts",
    "dist/server.d.ts",
    "dist/server.js",
    "dist/server/clients/cloudflare.cjs",
    "dist/server/clients/cloudflare.js",
    "dist/server/clients/cookie/cookie.cjs",
    "dist/server/clients/cookie/cookie.js",
    "dist/server/clients/etcd/etcd.cjs",
    "dist/server/clients/etcd/etcd.js",
    "dist/server/clients/file/file.cjs",
    "dist/server/clients/file/file.js",
    "dist/server/clients/folder/folder.cjs",
    "dist/server/clients/folder/folder.js",
    "dist/server/clients/http/http.cjs",
    "dist/server/clients/http/http.js",
    "dist/server/clients/indexeddb/indexeddb.cjs",
    "dist/server/clients/indexeddb/indexeddb.js",
    "dist/server/clients/keyv.cjs",
    "dist/server/clients/keyv.js",
    "dist/server/clients/level.cjs",
    "dist/server/clients/level.js",
    "dist/server/clients/localforage.cjs",
    "dist/server/clients/localforage.js",
    "dist/server/clients/log/log.cjs",
    "dist/server/clients/log/log.js",
    "dist/server/clients/lru_cache.cjs",
    "dist/server/clients/lru_cache.js",
    "dist/server/clients/postgres.cjs",
    "dist/server/clients/postgres.js",
    "dist/server/clients/redis/redis.cjs",
    "dist/server/clients/redis/redis.js",
    "dist/server/clients/storage_events.cjs",
    "dist/server/clients/storage_events.js",
    "dist/server/clients/weak_lru_cache.cjs",
    "dist/server/clients/weak_lru_cache.js",
    "dist/server/index.cjs",
    "dist/server/index.js",
    "dist/server/store/on_demand.cjs",
    "dist/server/store/on_demand.js",
    "dist/server/store/watching.cjs",
    "dist/server/store/watching.js",
    "dist/server/support/real_timers.cjs",
    "dist/server/support/real_timers.js",
    "dist/store/on_demand.cjs",
    "dist/store/on_demand.js",
    "dist/store/watching.cjs",
    "dist/store/watching.js",
    "dist/workerd/clients/cookie/cookie.js",
    "dist/workerd/clients/http/http.js",
    "dist/workerd/clients/indexeddb/indexeddb.js",
    "dist/workerd/clients/keyv.js",
    "dist/workerd/clients/level.js",
    "dist/workerd/clients/localforage.js",
    "dist/workerd/clients/lru_cache.js",
    "dist/workerd/clients/storage_events.js",
    "dist/workerd/clients/weak_lru_cache.js",
    "dist/workerd/core.wasm",
    "dist/workerd/edge_light.js",
    "dist/workerd/index.js",
    "dist/workerd/store/on_demand.js",
    "dist/workerd/store/watching.js",
    "package.json",
  ]);
});

test("Node runs it", async ({ folder }) => {
  const program = `
    import kv, { PolystoreError } from "polystore-wasm";
    const store = kv(new Map());
    await store.set("a", [1], { expires: "2 hours" });
    const error = await store.set("b", { at: new Date() }).catch((error) => error);
    console.log(JSON.stringify([await store.get("a"), error.code, error instanceof PolystoreError]));`;
  await writeFile(join(folder, "program.js"), program);
  const output = execFileSync("node", ["program.js"], { cwd: folder, encoding: "utf8" });
  expect(output.trim()).toBe('[[1],"ERR_VALUE",true]');
});

for (const option of ["--no-experimental-require-module", "--experimental-require-module"]) {
  test(`require() takes it too, with ${option}, and there is one of each log`, async ({ folder }) => {
    const program = `
      const { default: kv, PolystoreError } = require("polystore-wasm");
      const { handler } = require("polystore-wasm/server");
      const { rateLimitStore } = require("polystore-wasm/express-rate-limit");
      (async () => {
        const url = "file://" + __dirname + "/required.kv";
        await kv(url).set("a", [1]);
        const { default: imported } = await import("polystore-wasm");
        const error = await kv().set("b", { at: new Date() }).catch((error) => error);
        const { totalHits } = await rateLimitStore(kv()).increment("ada");
        console.log(JSON.stringify([await imported(url).get("a"), error instanceof PolystoreError, typeof handler(kv()), totalHits]));
        await kv(url).close();
      })();`;
    await writeFile(join(folder, "program.cjs"), program);
    const output = execFileSync("node", [option, "program.cjs"], { cwd: folder, encoding: "utf8" });
    expect(output.trim()).toBe('[[1],true,"function",1]');
  });
}

test("a Worker of Cloudflare runs it", async ({ folder }) => {
  const program = `
    import kv from "polystore-wasm";
    export default {
      async fetch(request, env) {
        const store = kv(env.KV).prefix("visits:");
        await store.set("a", [1], { expires: "2 hours" });
        return Response.json([store.type, await store.get("a"), await store.keys()]);
      },
    };`;
  await writeFile(join(folder, "worker.js"), program);
  const { worker, stop } = await startWorker("worker.js", folder);
  const response = await worker.dispatchFetch("http://worker/");
  expect(await response.json()).toEqual(["CLOUDFLARE", [1], ["a"]]);
  await stop();
});

test("Node serves it over HTTP", async ({ folder }) => {
  const program = `
    import { createServer } from "node:http";
    import kv from "polystore-wasm";
    import { handler, listener } from "polystore-wasm/server";
    const server = createServer(listener(handler(kv(), { token: "t" })));
    server.listen(0, async () => {
      const store = kv("http://:t@localhost:" + server.address().port);
      await store.set("a", [1]);
      console.log(JSON.stringify(await store.all()));
      server.close();
      server.closeAllConnections();
    });`;
  await writeFile(join(folder, "server.js"), program);
  const output = execFileSync("node", ["server.js"], { cwd: folder, encoding: "utf8" });
  expect(output.trim()).toBe('{"a":[1]}');
});

test("a page runs it through <script type=module>, without a bundler", async ({ folder, chromiumContext }) => {
  const page = `<!doctype html><meta charset="utf-8"><script src="/node_modules/localforage/dist/localforage.js"></script>
    <script type="module" src="/page.js"></script>`;
  const application = APPLICATION.replace('"polystore-wasm"', '"/node_modules/polystore-wasm/dist/index.js"');
  await writeFile(join(folder, "page.html"), page);
  await writeFile(
    join(folder, "page.js"),
    application.replace(/import localforage.*/, "const { localforage } = window;"),
  );
  await expectToRun(chromiumContext, folder, "page.html");
});

test("a page that wraps localStorage downloads one file", async ({ folder, chromiumContext }) => {
  const application = `
    import kv from "/node_modules/polystore-wasm/dist/index.js";
    await kv(localStorage).set("a", "b");
    document.title = '${RESULT}';`;
  await writeFile(join(folder, "one.html"), '<!doctype html><script type="module" src="/one.js"></script>');
  await writeFile(join(folder, "one.js"), application);
  const requests = await expectToRun(chromiumContext, folder, "one.html");
  const ours = requests.filter((path) => path.includes("polystore-wasm"));
  expect(ours).toEqual(["/node_modules/polystore-wasm/dist/index.js"]);
});

for (const splitting of [false, true]) {
  test(`esbuild bundles it, ${splitting ? "in chunks" : "in one file"}`, async ({ folder, chromiumContext }) => {
    await writeFile(join(folder, "application.js"), APPLICATION);
    const outdir = join(folder, `esbuild-${splitting}`);
    const entryPoints = [join(folder, "application.js")];
    await esbuild({ entryPoints, outdir, bundle: true, format: "esm", splitting, absWorkingDir: folder });
    await writeFile(join(outdir, "index.html"), '<!doctype html><script type="module" src="/application.js"></script>');
    await expectToRun(chromiumContext, outdir, "index.html");
  });
}

test("Vite bundles it", async ({ folder, chromiumContext }) => {
  const root = join(folder, "vite");
  await mkdir(root);
  await writeFile(join(root, "index.html"), '<!doctype html><script type="module" src="/application.js"></script>');
  await writeFile(join(root, "application.js"), APPLICATION);
  await vite({ root, logLevel: "error", configFile: false });
  await expectToRun(chromiumContext, join(root, "dist"), "index.html");
});

test("a bundle that does not use it does not contain it", async ({ folder }) => {
  await writeFile(join(folder, "unused.js"), 'import kv from "polystore-wasm"; console.log("nothing");');
  const { outputFiles } = await esbuild({
    entryPoints: [join(folder, "unused.js")],
    bundle: true,
    format: "esm",
    write: false,
  });
  expect(outputFiles[0].text.length).toBeLessThan(200);
});

test("package.json names files that exist", async ({ folder }) => {
  const installed = join(folder, "node_modules/polystore-wasm");
  const { exports, types, main, module, browser } = JSON.parse(await readFile(join(installed, "package.json"), "utf8"));
  /** @type {(target: string | object) => string[]} */
  const flat = (target) => (typeof target === "string" ? [target] : Object.values(target).flatMap(flat));
  for (const path of [types, main, module, browser, ...flat(exports)])
    expect((await readFile(join(installed, path))).length).toBeGreaterThan(0);
});
