// The same job done by the C++ library, which the native build has made a program of.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BUILD_FOLDER = fileURLToPath(new URL("../../build/release", import.meta.url));
const NAMES = ["polystore_demo", "polystore_demo.exe"];

/**
 * Runs it in a folder of its own, with its output in ours.
 * @param {string} countriesFile
 * @returns {Promise<void>} Rejects if it is missing or fails.
 */
export async function runNativeProgram(countriesFile) {
  const program = await findProgram();
  const folder = await mkdtemp(join(tmpdir(), "polystore-demo-"));
  try {
    const child = spawn(program, [countriesFile, folder], { stdio: "inherit" });
    const [code, signal] = await once(child, "close");
    if (code !== 0) throw new Error(`${program} ended with ${signal ?? `exit code ${code}`}.`);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function findProgram() {
  const entries = await readdir(BUILD_FOLDER, { recursive: true, withFileTypes: true }).catch(() => []);
  const program = entries.find((entry) => entry.isFile() && NAMES.includes(entry.name));
  if (program) return join(program.parentPath, program.name);
  const commands = "cmake --preset release && cmake --build --preset release";
  throw new Error(`There is no ${NAMES[0]} under ${BUILD_FOLDER}. Build it first: ${commands}`);
}
