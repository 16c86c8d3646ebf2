// npm run bench: ratios against named peers, in one run. `npm run bench native opfs` only runs these two tables.
import { buildNative, buildPackage } from "./build.mjs";
import { install } from "./install.mjs";
import { heading, run } from "./run.mjs";

/** The tables, and the installations that each needs. @type {Record<string, Parameters<typeof install>>} */
const tables = {
  native: ["native", "peers"],
  map: ["wasm"],
  log: ["wasm"],
  alone: ["wasm", "services"],
  redis: ["wasm", "services"],
  servers: ["wasm", "services"],
  browser: ["wasm", "browser"],
  indexeddb: ["wasm", "browser"],
  opfs: ["wasm", "browser"],
};

const given = process.argv.slice(2);
const unknown = given.find((name) => !(name in tables));
if (unknown !== undefined) {
  console.error(`There is no table ${JSON.stringify(unknown)}; there are ${Object.keys(tables).join(", ")}.`);
  process.exit(1);
}
const names = given.length > 0 ? given : Object.keys(tables);
install(...names.flatMap((name) => tables[name]));
if (names.includes("native")) {
  buildNative("release", "polystore_bench");
  heading("Measuring");
  run("build/release/native-tests/bench/polystore_bench", []);
}
const others = names.filter((name) => name !== "native");
if (others.length > 0) {
  buildPackage();
  heading("Measuring");
  run("node", ["web-tests/bench/run.js", ...others]);
}
