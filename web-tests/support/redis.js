import { execFileSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, startProcess } from "./process.js";

/**
 * The clock of the server. A key that expires at some millisecond is there for all of it, and gone in the next; the contract asks
 * at its very beginning, which is as good as its end to whoever measures in milliseconds. So the server's clock goes one further
 * at the first advance after each write.
 */
export class ServerClock {
  #now = 0;
  #further = 0;
  #set;
  /** Whether something was written since the clock went further: the tests say so. */
  written = false;

  /** @param {(ms: number) => void} set Sets the server's clock. */
  constructor(set) {
    this.#set = set;
  }

  get now() {
    return this.#now;
  }

  set now(ms) {
    this.#now = ms;
    this.#further = 0;
    this.#set(ms);
  }

  /** @param {number} ms */
  advance(ms) {
    this.#now += ms;
    if (this.written) ++this.#further;
    this.written = false;
    this.#set(this.#now + this.#further);
  }
}

/**
 * A redis-server with a clock that the tests move.
 * @param {number | Promise<number>} [port] A free one, if none is given.
 * @returns {Promise<{ port: number, clock: ServerClock, stop: () => Promise<void> }>}
 */
export async function startRedis(port = freePort()) {
  const { ports, clock, stop } = await startServers([await port]);
  clock.now = Date.now();
  return { port: ports[0], clock, stop };
}

/**
 * A cluster of three redis-servers, which have one clock.
 * @returns {Promise<{ ports: number[], clock: ServerClock, stop: () => Promise<void> }>}
 */
export async function startRedisCluster() {
  const buses = [await freePort(), await freePort(), await freePort()];
  const ports = [await freePort(), await freePort(), await freePort()];
  const cluster = await startServers(ports, (port) => [
    ...["--cluster-enabled", "yes", "--cluster-config-file", `nodes-${port}.conf`],
    ...["--cluster-port", `${buses[ports.indexOf(port)]}`],
    // A server whose clock the tests have moved by years is alive all the same.
    ...["--cluster-node-timeout", `${10 ** 15}`],
  ]);
  const cli = (/** @type {string[]} */ ...args) => execFileSync("redis-cli", args, { encoding: "utf8" });
  cli("--cluster", "create", ...ports.map((port) => `127.0.0.1:${port}`), "--cluster-yes");
  while (!ports.every((port) => cli("-p", `${port}`, "cluster", "info").includes("cluster_state:ok")));
  cluster.clock.now = Date.now();
  return cluster;
}

/**
 * @param {number[]} ports
 * @param {(port: number) => string[]} moreArguments
 */
async function startServers(ports, moreArguments = () => []) {
  const folder = mkdtempSync(join(tmpdir(), "polystore-redis-"));
  const library = join(folder, "clock.so");
  execFileSync("cc", ["-shared", "-fPIC", "-O1", "-o", library, fileURLToPath(new URL("clock.c", import.meta.url))]);
  const file = openSync(join(folder, "clock"), "w");
  const clock = new ServerClock((ms) => writeSync(file, new Uint8Array(Float64Array.of(ms).buffer), 0, 8, 0));
  clock.now = 0;
  const env = { ...process.env, LD_PRELOAD: library, TEST_CLOCK: join(folder, "clock") };
  const servers = await Promise.all(
    ports.map((port) => {
      const args = ["--port", `${port}`, "--bind", "127.0.0.1", "--save", "", "--dir", folder];
      args.push("--enable-debug-command", "yes", ...moreArguments(port));
      return startProcess("redis-server", args, /Ready to accept connections/, { env });
    }),
  );
  return {
    ports,
    clock,
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      closeSync(file);
      rmSync(folder, { recursive: true });
    },
  };
}
