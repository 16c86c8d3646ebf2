import { spawn } from "node:child_process";
import { createServer } from "node:net";

// A signal ends a process without its "exit", in which servers are ended: such as that of a test runner whose patience is over.
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, () => process.exit(1));

/** A TCP port of this machine that nobody listens on. @returns {Promise<number>} */
export async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", () => resolve(undefined)));
  const { port } = /** @type {import("node:net").AddressInfo} */ (server.address());
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/**
 * Starts a server in the background, and waits until it says that it is ready.
 * @param {string} command
 * @param {string[]} args
 * @param {RegExp} ready What it prints then.
 * @param {import("node:child_process").SpawnOptions} [options]
 * @returns {Promise<{ output: string, stop: (signal?: NodeJS.Signals) => Promise<void> }>} With what it printed until then, in `output`.
 *   Rejects, with what it printed, if it ends before.
 */
export async function startProcess(command, args, ready, options) {
  const child = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ended = new Promise((resolve) => child.once("close", resolve));
  let output = "";
  await new Promise((resolve, reject) => {
    const read = (/** @type {Buffer} */ chunk) => {
      output += chunk;
      if (ready.test(output)) resolve(undefined);
    };
    child.stdout?.on("data", read);
    child.stderr?.on("data", read);
    child.once("error", reject);
    child.once("close", (code) => reject(new Error(`${command} ended with ${code} before it was ready:\n${output}`)));
  });
  // However the tests end, it does not outlive them.
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill);
  return {
    output,
    async stop(signal = "SIGTERM") {
      process.removeListener("exit", kill);
      child.kill(signal);
      await ended;
    },
  };
}
