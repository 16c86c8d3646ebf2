// npm start: demonstrates the library with real data, in the terminal and, without --once, on a page.
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";

install("wasm", "native");
buildPackage();
buildNative("release", "polystore_demo");
// The demo runs in this process, so that a signal to it also ends the page's server.
await import("../web-tests/demo/start.mjs");
