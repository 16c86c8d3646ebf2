// npm run format: formats every file.
import { install } from "./install.mjs";
import { sources } from "./lint.mjs";
import { run } from "./run.mjs";

install("lint");
run("npx", ["prettier", "--write", "--log-level=warn", "."]);
run("clang-format", ["-i", ...sources("cpp", "hpp")]);
