// npm run fuzz: opens logs that libFuzzer generates, for ten minutes or for the given number of seconds.
import { mkdirSync } from "node:fs";
import { buildNative } from "./build.mjs";
import { install } from "./install.mjs";
import { heading, run } from "./run.mjs";

const PROGRAM = "build/fuzz/native-tests/fuzz/polystore_fuzz_log";
/** The inputs that reached new code. The next run, and that of npm test, begin with them. */
const FOUND = "build/fuzz/native-tests/fuzz/found";

const seconds = Number(process.argv[2] ?? 600);
if (!(seconds > 0)) {
  console.error(`npm run fuzz takes a number of seconds, and "${process.argv[2]}" is none.`);
  process.exit(1);
}
install("native", "fuzz");
buildNative("fuzz");
mkdirSync(FOUND, { recursive: true });
heading(`Logs of any bytes, for ${seconds} seconds. What fails is kept in build/fuzz: give it to ${PROGRAM}`);
const options = [`-max_total_time=${seconds}`, "-artifact_prefix=build/fuzz/", "-print_final_stats=1"];
run(PROGRAM, [...options, FOUND, "native-tests/engine/golden"]);
