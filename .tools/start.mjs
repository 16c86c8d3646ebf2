// npm start: shows the library at work on real data, in the terminal and, without --once, on a page.
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { run } from "./run.mjs";

install("wasm", "native");
buildPackage();
buildNative("release");
run("node", ["web-tests/demo/start.mjs", ...process.argv.slice(2)]);
