import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { freePort, startProcess } from "./process.js";

/**
 * An etcd on free ports, with a data folder of its own.
 * @param {string[]} [settings] Arguments besides.
 */
export async function startEtcd(settings = []) {
  const folder = mkdtempSync(join(tmpdir(), "polystore-etcd-"));
  const url = `http://127.0.0.1:${await freePort()}`;
  const peers = `http://127.0.0.1:${await freePort()}`;
  const addresses = ["--listen-client-urls", url, "--advertise-client-urls", url, "--listen-peer-urls", peers];
  const cluster = ["--initial-advertise-peer-urls", peers, "--initial-cluster", `default=${peers}`];
  const args = ["--data-dir", folder, ...addresses, ...cluster, "--unsafe-no-fsync", ...settings];
  const start = () => startProcess("etcd", args, /ready to serve client requests/);
  let server = await start();
  return {
    url,
    kill: () => server.stop("SIGKILL"),
    async restart() {
      server = await start();
    },
    async stop() {
      await server.stop("SIGKILL");
      rmSync(folder, { recursive: true });
    },
  };
}
