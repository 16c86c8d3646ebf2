// An empty place in each storage of a server.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startEtcd } from "../support/etcd.js";
import { urlOf } from "../support/files.js";
import { startPostgres } from "../support/postgres.js";
import { startRedis } from "../support/redis.js";

/** `place` is what a client is opened with, and `path` where that is for C++. @typedef {{ place: string, path?: string, close: () => unknown }} Place */

/** @param {string} name The name of the file, or of the folder if it ends in a slash. */
function onDisk(name) {
  const folder = mkdtempSync(join(tmpdir(), "polystore-counter-"));
  const path = join(folder, name);
  return { path, place: urlOf(path), close: () => rmSync(folder, { recursive: true }) };
}

/** @type {Record<string, () => Place | Promise<Place>>} */
export const places = {
  File: () => onDisk("counter.json"),
  Folder: () => onDisk("counter/"),
  SQLite() {
    const { path, close } = onDisk("counter.db");
    return { place: path, close };
  },
  async Redis() {
    const { port, stop } = await startRedis();
    return { place: `redis://127.0.0.1:${port}`, close: stop };
  },
  async etcd() {
    const { url, stop } = await startEtcd();
    return { place: url, close: stop };
  },
  async Postgres() {
    const { url, stop } = await startPostgres();
    return { place: url, close: stop };
  },
};
