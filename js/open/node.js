import { fileURLToPath } from "node:url";
import "../support/real_timers.js"; // The clients, which use it, may be loaded when a test has replaced the timers.
import { PolystoreTypeError, show } from "../support/errors.js";
import { has, hasMethods, isCloudflare } from "../support/has.js";
import { Sqlite } from "../clients/sqlite.js";

/** What the path of a file URL ends with, by what it is. */
const ENDS = [".json", ".kv", "/"];

/**
 * @param {any} input
 * @param {string} end
 * @throws {PolystoreTypeError} ERR_CLIENT if it is a URL whose path is not what it seems, or nobody knows what.
 */
function isFileUrl(input, end) {
  if (typeof input !== "string" || !/^file:/i.test(input)) return false;
  // A text that is no URL with a slash has not been made one, and would be a path of nobody knows which folder.
  let reason = !input.startsWith("file:///") ? "it is no URL of a file of this machine" : undefined;
  if (/[?#]/.test(input)) reason = "the path of a URL ends at ? or #";
  try {
    fileURLToPath(input);
  } catch (error) {
    reason = /** @type {Error} */ (error).message;
  }
  if (reason !== undefined) refuse(input, `${reason}. Make the URL with pathToFileURL(path) of node:url`);
  if (!ENDS.some((known) => input.endsWith(known)))
    refuse(input, "its path must end in .json, for a file; in .kv, for a log; or in /, for a folder");
  return input.endsWith(end);
}

/**
 * @param {string} input
 * @param {string} reason
 * @returns {never}
 */
function refuse(input, reason) {
  throw new PolystoreTypeError("ERR_CLIENT", `kv() cannot wrap ${show(input)}: ${reason}.`);
}

/**
 * Of the package `redis`: also what we refuse, for it would else be taken for a client of the user's own. Such a one may well
 * have `isOpen` and `sendCommand`, but not all commands of Redis.
 * @param {any} input
 */
const isNodeRedis = (input) =>
  typeof input.isOpen === "boolean" && hasMethods(input, "sendCommand", "mGet", "zAdd", "xAdd", "pfAdd");
/** Of the package `ioredis`, the same. @param {any} input */
const isIoRedis = (input) =>
  typeof input.status === "string" && hasMethods(input, "call", "mget", "zadd", "xadd", "pfadd");

/** An Etcd3 of the package `etcd3`, or a namespace of one. @param {any} input */
const isEtcd = (input) =>
  has("getAll", "put", "delete", "lease", "namespace")(input) && hasMethods(input.pool ?? {}, "exec", "withConnection");

const isPgClient = has("query", "connect", "end", "getTypeParser");
const hasPool = has("query", "connect", "end");
/** Of `pg`, or what extends it. @param {any} input */
const isPgPool = (input) =>
  hasPool(input) && ["totalCount", "idleCount", "waitingCount"].every((name) => typeof input[name] === "number");
const isPglite = has("query", "exec", "transaction", "execProtocol", "close");

/** What the error of what cannot be wrapped names here. */
export const examples = 'a URL of a file ("file:///….json"), of a folder or of a server, a database, a client of Redis';

/** What only a server can wrap: none of it is in what a page downloads. @type {import("./known_clients.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "FILE",
    recognizes: (input) => isFileUrl(input, ".json"),
    open: async (url) => (await import("../clients/file/file.js")).openFile(url),
  },
  {
    type: "LOG",
    recognizes: (input) => isFileUrl(input, ".kv"),
    open: async (url, durability) => (await import("../clients/log/log.js")).openLog(url, durability),
    isDurable: true,
  },
  {
    type: "FOLDER",
    recognizes: (input) => isFileUrl(input, "/"),
    open: async (url) => (await import("../clients/folder/folder.js")).openFolder(url),
  },
  {
    type: "OPFS",
    recognizes: (input) => typeof input === "string" && /^opfs:./s.test(input),
    open: async () => {
      throw new Error("there is no private file system of a browser here. On a server a log is a file, file:///….kv");
    },
    isDurable: true,
  },
  {
    type: "CLOUDFLARE",
    recognizes: isCloudflare,
    open: async (namespace) => new (await import("../clients/cloudflare.js")).Cloudflare(namespace),
  },
  {
    type: "REDIS",
    recognizes: isNodeRedis,
    open: async (client) => {
      const { isOpen } = client;
      return (await import("../clients/redis/redis.js")).openNodeRedis(client, isOpen);
    },
    end: async (client, isOpening) => (await import("../clients/redis/redis.js")).endNodeRedis(client, isOpening),
  },
  {
    type: "REDIS",
    recognizes: isIoRedis,
    open: async (client) => {
      const { status } = client;
      return (await import("../clients/redis/redis.js")).openIoRedis(client, status);
    },
    end: async (client, isOpening) => (await import("../clients/redis/redis.js")).endIoRedis(client, isOpening),
  },
  {
    type: "ETCD3",
    recognizes: isEtcd,
    open: async (client) => new (await import("../clients/etcd/etcd.js")).Etcd(client),
  },
  {
    type: "SQLITE",
    recognizes: has("prepare", "exec", "close"),
    open: (database) => new Sqlite(database),
    end: (database) => database.close(),
  },
  {
    type: "POSTGRES", // After SQLITE: a database of bun:sqlite has query() too.
    recognizes: (input) => isPgClient(input) || isPgPool(input) || isPglite(input),
    open: async (client) => (await import("../clients/postgres.js")).openPostgres(client),
    end: async (client, isOpening) => isOpening || (await import("../clients/postgres.js")).endPostgres(client),
  },
];
