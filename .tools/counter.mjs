// npm run counter: processes and tabs count together, and a table shows what is stored. `npm run counter File OPFS` shows only these rows.
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { heading, run } from "./run.mjs";

install("wasm", "native", "browser", "services");
buildPackage();
buildNative("debug", "polystore_interop_counter");
heading("Counting");
run("node", ["web-tests/counter/run.js", ...process.argv.slice(2)]);
