// npm run bench: ratios against named peers, in one run.
import { buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { run } from "./run.mjs";

install("wasm", "browser", "services");
buildPackage();
run("node", ["web-tests/bench/run.js"]);
