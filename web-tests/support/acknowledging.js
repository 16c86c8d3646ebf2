import { spawn } from "node:child_process";

/**
 * Runs a program that writes a line for each call that was acknowledged, until it ends, or kills it with SIGKILL.
 * @param {[program: string, args: string[]]} command
 * @param {{ killAt?: number, onLine?: () => void }} [options] `killAt` is the number of lines at which the program is killed; `onLine` is
 *   called for each line.
 * @returns {Promise<{ acknowledged: number, isKilled: boolean }>} The number of lines that it has written, and whether it was killed. Rejects
 *   if it ended in another way than with 0.
 */
export async function runAcknowledging([program, args], { killAt = Infinity, onLine = () => {} } = {}) {
  const child = spawn(program, args, { stdio: ["ignore", "pipe", "inherit"] });
  const kill = () => child.kill("SIGKILL");
  process.once("exit", kill); // However this program ends, the other one does not outlive it.
  let acknowledged = 0;
  child.stdout.on("data", (/** @type {Buffer} */ chunk) => {
    for (const byte of chunk) {
      if (byte !== 10) continue;
      ++acknowledged;
      onLine();
    }
    if (acknowledged >= killAt) kill();
  });
  const [code, signal] = await new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (...ended) => resolve(ended));
  });
  process.removeListener("exit", kill);
  const isKilled = signal === "SIGKILL" && acknowledged >= killAt;
  if (!isKilled && code !== 0) throw new Error(`${program} ${args.join(" ")} ended with ${signal ?? code}.`);
  return { acknowledged, isKilled };
}
