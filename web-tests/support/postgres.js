import { execFileSync } from "node:child_process";
import { chownSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startProcess } from "./process.js";

const INSTALLED = "/usr/lib/postgresql";

/**
 * A PostgreSQL on a free port, with one empty database.
 * @returns {Promise<{ url: string, halt: () => Promise<void>, start: () => Promise<void>, stop: () => Promise<void> }>}
 *   `halt` ends it without waiting for clients, and `start` starts it again.
 */
export async function startPostgres() {
  const folder = mkdtempSync(join(tmpdir(), "polystore-postgres-"));
  const version = readdirSync(INSTALLED).sort((a, b) => Number(b) - Number(a))[0];
  const program = (/** @type {string} */ name) => join(INSTALLED, version, "bin", name);
  const user = postgresUser(folder);
  const data = join(folder, "data");
  const options = { ...user, cwd: folder };
  const initial = ["-D", data, "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync", "--locale=C.UTF-8"];
  execFileSync(program("initdb"), initial, { ...options, stdio: "ignore" });
  const port = await freePort();
  const settings = ["-c", "fsync=off", "-c", `unix_socket_directories=${folder}`, "-c", "listen_addresses=127.0.0.1"];
  const args = ["-D", data, "-p", `${port}`, ...settings];
  /** @type {{ stop: (signal: NodeJS.Signals) => Promise<void> }} */
  let server;
  const start = async () => {
    server = await startProcess(program("postgres"), args, /ready to accept connections/, options);
  };
  const halt = () => server.stop("SIGINT");
  await start();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    halt,
    start,
    async stop() {
      await halt();
      rmSync(folder, { recursive: true });
    },
  };
}

/** It refuses to run as root: then it runs as the user that its package made. @param {string} folder */
function postgresUser(folder) {
  if (process.getuid?.() !== 0) return {};
  const id = (/** @type {string} */ option) => Number(execFileSync("id", [option, "postgres"], { encoding: "utf8" }));
  const [uid, gid] = [id("-u"), id("-g")];
  chownSync(folder, uid, gid);
  return { uid, gid };
}
