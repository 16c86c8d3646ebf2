// npm run build: builds the WebAssembly core and dist/. Other commands also use `buildNative`.
import { existsSync } from "node:fs";
import { pathToFileURL } from "node:url";
import { install } from "./install.mjs";
import { heading, run } from "./run.mjs";

export function buildPackage() {
  heading("WebAssembly core");
  // Debian's Emscripten only finds its own JavaScript packages through this variable.
  const debianModules = "/usr/share/nodejs";
  const env = { ...process.env, ...(existsSync(debianModules) && { NODE_PATH: debianModules }) };
  if (!existsSync("build/wasm/build.ninja")) run("emcmake", ["cmake", "--preset", "wasm"], { env });
  run("cmake", ["--build", "--preset", "wasm"], { env });
  for (const name of ["core", "engine"]) {
    run("node", ["wasm/embed.mjs", `build/wasm/wasm/${name}.wasm`, `build/wasm/wasm/${name}.text.mjs`]);
  }
  heading("dist/");
  run("node", ["wasm/bundle.mjs"]);
}

/**
 * @param {"debug" | "release" | "fuzz"} preset
 * @param {string} [target] If omitted, all targets of the preset are built.
 */
export function buildNative(preset, target) {
  heading(`Native, ${preset}`);
  if (!existsSync(`build/${preset}/build.ninja`)) run("cmake", ["--preset", preset]);
  run("cmake", ["--build", "--preset", preset, ...(target ? ["--target", target] : [])]);
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  install("wasm");
  buildPackage();
}
