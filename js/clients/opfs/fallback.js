// The place of a log while the browser has no private file system: an IndexedDB database.

import { connect, STORE_NAME } from "../indexeddb/indexeddb.js";
import { ObjectStore } from "../indexeddb/object_store.js";
import { arrangePages } from "../../support/range.js";
import { encodeValue } from "../../support/record.js";
import { requireText } from "../../support/text_key.js";

/** @typedef {import("../../core/client.js").Client} Client */

/** From this version of the database on, a log exists, and all records of the database were moved into it (move_in.js). */
export const MOVED = 2;

/** @param {string} name Of the log. */
export const databaseName = (name) => `polystore-wasm opfs:${name}`;

/**
 * Reads the version of the database of a log.
 * @param {string} name Of the log.
 * @returns {Promise<number>} 0 if there is no such database, or if the browser has no databases or refuses them.
 */
export async function versionOf(name) {
  const { indexedDB } = globalThis;
  if (!indexedDB) return 0;
  if (indexedDB.databases) {
    const databases = await indexedDB.databases().catch(() => []);
    return databases.find((database) => database.name === databaseName(name))?.version ?? 0;
  }
  const database = await connect(indexedDB, databaseName(name)); // Firefox before 126.
  database.close();
  return database.version;
}

/** The records of the database were moved into the log. */
class MovedError extends Error {}

/**
 * The database in place of a log. Once another page has moved its records into the log, all calls go to the log: what is in the log
 * may be newer, and what a call wrote to the database would be moved later, over what is newer.
 */
export class Fallback {
  #database;
  #openLog;
  /** The log, once the records were moved into it. @type {Promise<Client> | null} */
  #log = null;

  /**
   * @param {string} name Of the log.
   * @param {import("../../core/client.js").Durability} durability
   * @param {() => Promise<Client>} openLog
   */
  constructor(name, durability, openLog) {
    this.#openLog = openLog;
    const open = async () => {
      const database = await connect(indexedDB, databaseName(name));
      if (database.version < MOVED) return database;
      database.close();
      throw new MovedError();
    };
    this.#database = new ObjectStore("INDEXEDDB", ["list", "sweeps_all"], STORE_NAME, open, durability);
    this.traits = this.#database.traits;
  }

  /** The database refuses the keys that a log refuses: in a log, several such keys would become one key. @param {string} id */
  checkKey(id) {
    requireText(id, "a log");
  }

  /** @param {string} id */
  read(id) {
    return this.#call(
      () => this.#database.read(id),
      (log) => log.read(id),
    );
  }

  /**
   * @param {readonly import("../../core/client.js").Commit[]} commits
   * @param {number} now
   */
  commit(commits, now) {
    return this.#call(
      () => this.#database.commit(commits),
      (log) => /** @type {NonNullable<Client["commit"]>} */ (log.commit)(commits.map(withVersions), now),
    );
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return arrangePages(this.#pages(range.prefix, wanted), range);
  }

  /**
   * @param {string} prefix
   * @param {import("../../core/client.js").Wanted} wanted
   */
  async *#pages(prefix, wanted) {
    /** @type {string | undefined} */
    let last;
    if (!this.#log)
      try {
        for await (const page of this.#database.pages(prefix)) {
          last = page.ids.at(-1) ?? last;
          yield page;
        }
        return;
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
      }
    /** @type {any} */
    const log = await this.#openedLog();
    /** @type {AsyncIterable<import("../../core/client.js").Page>} */
    const pages = { [Symbol.asyncIterator]: () => log.scan({ prefix }, wanted) };
    for await (const { ids, found } of pages) {
      // A database lists its keys in the order in which < compares them.
      const left = ids.flatMap((id, i) => (last === undefined || last < id ? [i] : []));
      yield { ids: left.map((i) => ids[i]), found: left.map((i) => found[i]) };
    }
  }

  /**
   * @param {import("../../core/client.js").Range} range
   * @param {number | null} until
   */
  sweep(range, until) {
    return this.#call(
      () => this.#database.removeAll(range.prefix),
      (log) => /** @type {NonNullable<Client["sweep"]>} */ (log.sweep)(range, until),
    );
  }

  async close() {
    await this.#database.close();
    const log = await this.#log?.catch(() => null); // A log that could not be opened holds nothing.
    await log?.close?.();
  }

  /**
   * Makes a call of the database, or of the log.
   * @param {() => Promise<any>} callDatabase
   * @param {(log: Client) => unknown} callLog
   */
  async #call(callDatabase, callLog) {
    if (!this.#log)
      try {
        return await callDatabase();
      } catch (error) {
        if (!(error instanceof MovedError)) throw error;
      }
    return callLog(await this.#openedLog());
  }

  #openedLog() {
    this.#log ??= this.#openLog().catch((error) => {
      this.#log = null;
      throw error;
    });
    return this.#log;
  }
}

/**
 * A log compares the JSON texts of values, which are the versions of its records; a record that was read from the database has none.
 * @param {import("../../core/client.js").Commit} commit
 * @returns {import("../../core/client.js").Commit}
 */
function withVersions({ expected, changes }) {
  const versioned = expected.map(({ id, found }) => ({
    id,
    found: found && { version: encodeValue(found.value), ...found },
  }));
  return { expected: versioned, changes };
}
