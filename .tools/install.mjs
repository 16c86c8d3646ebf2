import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { heading, run, succeeds } from "./run.mjs";

/** npm writes this file once it has installed the packages of package-lock.json. */
const INSTALLED = "node_modules/.package-lock.json";

/** @param {string} name */
const command = (name) => () =>
  (process.env.PATH ?? "").split(delimiter).some((folder) => existsSync(join(folder, name)));
/** @param {string} path */
const header = (path) => () => ["/usr/include", "/usr/local/include"].some((folder) => existsSync(join(folder, path)));

/** The requirements besides Node: each Debian package, and a check whether it is installed. */
const needs = {
  wasm: [
    { name: "emscripten", isThere: command("em++") },
    { name: "cmake", isThere: command("cmake") },
    { name: "ninja-build", isThere: command("ninja") },
  ],
  native: [
    { name: "g++", isThere: command("g++") },
    { name: "cmake", isThere: command("cmake") },
    { name: "ninja-build", isThere: command("ninja") },
    { name: "nlohmann-json3-dev", isThere: header("nlohmann/json.hpp") },
    { name: "catch2", isThere: header("catch2") },
  ],
  packages: [
    // This is newer than the compiler of the rest, because a user may have it.
    { name: "clang-19", isThere: command("clang++-19") },
    { name: "libc++-19-dev", isThere: () => existsSync("/usr/lib/llvm-19/include/c++/v1") },
    { name: "libc++abi-19-dev", isThere: () => existsSync("/usr/lib/llvm-19/lib/libc++abi.so") },
  ],
  fuzz: [
    { name: "clang", isThere: command("clang++") },
    { name: "libclang-rt-dev", isThere: hasFuzzer },
  ],
  peers: [
    { name: "libleveldb-dev", isThere: header("leveldb/db.h") },
    { name: "librocksdb-dev", isThere: header("rocksdb/db.h") },
  ],
  services: [
    { name: "redis-server", isThere: command("redis-server") },
    { name: "etcd-server", isThere: command("etcd") },
    { name: "postgresql", isThere: () => existsSync("/usr/lib/postgresql") },
  ],
  browser: [{ name: "chromium", isThere: command("chromium") }],
  lint: [
    { name: "clang-format", isThere: command("clang-format") },
    { name: "clang-tidy", isThere: command("clang-tidy") },
  ],
};

/**
 * Installs missing npm packages from the lock file, and missing Debian packages if that is allowed. If it is not,
 * prints what to install, and exits.
 * @param {(keyof typeof needs)[]} purposes
 */
export function install(...purposes) {
  if (!isCurrent()) {
    heading("npm packages");
    // If some are installed, this only adds the others: npm ci would compile better-sqlite3 again, which takes minutes.
    const how = existsSync(INSTALLED) ? ["install", "--no-save"] : ["ci"];
    run("npm", [...how, "--no-audit", "--no-fund"], { env: { ...process.env, ...nodeHeaders() } });
  }
  // This is the Node 24 that some tests run on. In an npm script it would precede the Node that runs this script.
  rmSync("node_modules/.bin/node", { force: true });
  const missing = purposes.flatMap((purpose) => needs[purpose]).filter(({ isThere }) => !isThere());
  const packages = [...new Set(missing.map(({ name }) => name))];
  if (packages.length === 0) return;
  heading(`Debian packages: ${packages.join(" ")}`);
  if (!aptInstall(packages)) {
    console.error(`These are missing and could not be installed: ${packages.join(", ")}.`);
    console.error(`On Debian or Ubuntu, as root: apt-get install ${packages.join(" ")}`);
    console.error("Elsewhere, install what corresponds to them, so that their commands are on the PATH.");
    process.exit(1);
  }
}

/**
 * Returns the folder of Node's headers, if they came with Node. better-sqlite3 is compiled where its binaries cannot be
 * downloaded, and the headers cannot be downloaded there either.
 */
function nodeHeaders() {
  const prefix = dirname(dirname(process.execPath));
  return existsSync(join(prefix, "include/node/node.h")) ? { npm_config_nodedir: prefix } : {};
}

function hasFuzzer() {
  const folder = spawnSync("clang++", ["-print-runtime-dir"], { encoding: "utf8" }).stdout?.trim();
  return existsSync(folder) && readdirSync(folder).some((name) => name.startsWith("libclang_rt.fuzzer"));
}

function isCurrent() {
  return existsSync(INSTALLED) && statSync(INSTALLED).mtimeMs >= statSync("package-lock.json").mtimeMs;
}

/** @param {string[]} packages */
function aptInstall(packages) {
  if (!command("apt-get")()) return false;
  const isRoot = process.getuid?.() === 0;
  if (!isRoot && !succeeds("sudo", ["-n", "true"], { stdio: "ignore" })) return false;
  /** @param {string[]} args */
  const apt = (args) => {
    const options = ["DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", ...args];
    return isRoot ? succeeds("env", options) : succeeds("sudo", ["-n", "env", ...options]);
  };
  return apt(["update"]) && apt(["install", "-y", "--no-install-recommends", ...packages]);
}
