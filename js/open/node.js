import { fileURLToPath } from "node:url";
import "../support/real_timers.js"; // It is imported now: the clients that use it may load after a test has replaced the timers.
import { PolystoreTypeError, show } from "../support/errors.js";
import { has, hasMethods, isCloudflare } from "../support/has.js";
import { Sqlite } from "../clients/sqlite.js";

/** The possible ends of a file URL: they tell a file, a log and a folder apart. */
const ENDS = [".json", ".kv", "/"];

/**
 * @param {any} input
 * @param {string} end
 * @throws {PolystoreTypeError} ERR_CLIENT if it is a file URL with an ambiguous path, or with another end.
 */
function isFileUrl(input, end) {
  if (typeof input !== "string" || !/^file:/i.test(input)) return false;
  // canonical() leaves a text such as "file:a.json" as it is: it would be relative to an unknown folder.
  let reason = !input.startsWith("file:///") ? "it is not a file:/// URL" : undefined;
  if (/[?#]/.test(input)) reason = "? and # in a path must be percent-encoded";
  try {
    fileURLToPath(input);
  } catch (error) {
    reason = /** @type {Error} */ (error).message;
  }
  if (reason !== undefined) refuse(input, `${reason}. Make the URL with pathToFileURL(path) of node:url`);
  if (!ENDS.some((known) => input.endsWith(known)))
    refuse(input, "its path must end in .json (a file), .kv (a log) or / (a folder)");
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
 * Recognizes any client of the package `redis`. That includes pools and sentinels, which opening then refuses: otherwise they
 * would count as custom clients. A real custom client may have `isOpen` and `sendCommand`, but not all commands of Redis.
 * @param {any} input
 */
const isNodeRedis = (input) =>
  typeof input.isOpen === "boolean" && hasMethods(input, "sendCommand", "mGet", "zAdd", "xAdd", "pfAdd");
/** Recognizes any client of the package `ioredis`. @param {any} input */
const isIoRedis = (input) =>
  typeof input.status === "string" && hasMethods(input, "call", "mget", "zadd", "xadd", "pfadd");

/** Recognizes an Etcd3 of the package `etcd3`, or a namespace of one. @param {any} input */
const isEtcd = (input) =>
  has("getAll", "put", "delete", "lease", "namespace")(input) && hasMethods(input.pool ?? {}, "exec", "withConnection");

const isPgClient = has("query", "connect", "end", "getTypeParser");
const hasPool = has("query", "connect", "end");
/** Recognizes a Pool of `pg`, or of a class that extends it. @param {any} input */
const isPgPool = (input) =>
  hasPool(input) && ["totalCount", "idleCount", "waitingCount"].every((name) => typeof input[name] === "number");
const isPglite = has("query", "exec", "transaction", "execProtocol", "close");

/** Examples of clients, for the error of an argument that kv() cannot wrap. */
export const examples = 'the URL of a file ("file:///….json"), a folder or a server, a database, a Redis client';

/** The clients that exist on servers only; a page downloads none of them. @type {import("./known_clients.js").KnownClient[]} */
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
      throw new Error(
        "only browsers have an origin private file system. On a server, open a log as a file: file:///….kv",
      );
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
    type: "POSTGRES", // It comes after SQLITE, because a database of bun:sqlite has query() too.
    recognizes: (input) => isPgClient(input) || isPgPool(input) || isPglite(input),
    open: async (client) => (await import("../clients/postgres.js")).openPostgres(client),
    end: async (client, isOpening) => isOpening || (await import("../clients/postgres.js")).endPostgres(client),
  },
];
