// npm start: shows the library at work on real data, in the terminal and, without --once, on a page.
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";

install("wasm", "native");
buildPackage();
buildNative("release", "polystore_demo");
// In this process, so that a signal to it ends the page's server too.
await import("../web-tests/demo/start.mjs");
