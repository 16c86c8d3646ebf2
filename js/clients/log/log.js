import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { PolystoreError } from "../../support/errors.js";
import { Engine } from "../../engine/engine.js";
import { bringBack, NodeFiles, ReadOnlyFiles } from "./node_files.js";
import { syncEarlier } from "./node_sync.js";
import { Maintenance } from "../../engine/maintenance.js";
import { isPut, itemsOf, mayConcernOne, onlyChange } from "../../support/commits.js";
import { pause } from "../../support/real_timers.js";
import { retryIf } from "../../support/retry.js";
import { Lock } from "../../disk/lock.js";
import { retryBlocked } from "../../disk/retry_blocked.js";
import { isForbidden, makeFolder, resolveLinks } from "../../disk/text_file.js";
import { listTexts, restOf } from "../../support/range.js";
import { encodeValue } from "../../support/record.js";
import { requireText } from "../../support/text_key.js";

/** @typedef {import("../../core/client.js").Commit} Commit */
/** @typedef {import("../../core/client.js").Range} Range */

/** The number of records in a page of a listing. */
const PAGE_LENGTH = 512;

/**
 * @param {string} url
 * @param {import("../../core/client.js").Durability} durability
 */
export async function openLog(url, durability) {
  const path = await resolveLinks(fileURLToPath(url));
  let lock;
  try {
    await makeFolder(dirname(path));
    lock = await Lock.take(path);
  } catch (error) {
    if (!isForbidden(error)) throw error;
    return new ReadOnlyLog(path, new Engine(new ReadOnlyFiles(), path), error);
  }
  try {
    await retryBlocked(() => bringBack(path));
    await syncEarlier(path);
    let files = new NodeFiles(lock);
    const engine = await retryIf(
      () => files.isBlocked,
      () => new Engine((files = new NodeFiles(/** @type {Lock} */ (lock))), path),
    );
    const sync = (/** @type {number} */ file) => files.syncLater(file);
    return new Log(engine, sync, lock, durability);
  } catch (error) {
    lock.release();
    throw error;
  }
}

/** A listing starts a new scan after this number of compactions. */
const MAX_COMPACTIONS = 2;

/** A listing or an iteration under way: its scan, or null if that was ended. @typedef {{ scan: number | null, compactions: number }} Walk */

/** The reads of a log, shared by a writable and a read-only log. The engine is in this process and synchronous. */
class LogReader {
  #engine;
  /** @type {Set<Walk>} */
  #walks = new Set();

  /** @param {Engine} engine */
  constructor(engine) {
    this.#engine = engine;
  }

  /** @param {string} id */
  checkKey(id) {
    requireText(id, "a log");
  }

  /** @param {string} id */
  read(id) {
    return this.#engine.get(id);
  }

  /**
   * @param {Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  scan(range, wanted) {
    return listTexts(range, (listed) => this.#pages(listed, wanted));
  }

  /**
   * @param {Range} range
   * @param {import("../../core/client.js").Wanted} wanted
   */
  *#pages(range, wanted) {
    /** @type {Walk} */
    const walk = { scan: this.#engine.scan(range), compactions: 0 };
    this.#walks.add(walk);
    try {
      let rest = range;
      for (;;) {
        walk.scan ??= this.#engine.scan(rest);
        const page = this.#engine.next(walk.scan, PAGE_LENGTH, wanted !== "keys");
        const decoded = page.decode();
        yield decoded;
        if (page.isLast) return;
        rest = restOf(rest, decoded.ids);
      }
    } finally {
      this.#walks.delete(walk);
      if (walk.scan !== null) this.#engine.endScan(walk.scan);
    }
  }

  /**
   * Called when a compaction has ended. A listing keeps the old file open, although its name is gone. An abandoned iteration must not keep
   * it for ever, so after the second compaction its scan is ended, and would start again after its last key.
   */
  whenCompacted() {
    for (const walk of this.#walks) {
      if (walk.scan === null || ++walk.compactions < MAX_COMPACTIONS) continue;
      this.#engine.endScan(walk.scan);
      Object.assign(walk, { scan: null, compactions: 0 });
    }
  }
}

/** A log file of the engine. In C++, `polystore::log` opens the same file. Only a flush is asynchronous. */
class Log extends LogReader {
  /** @type {import("../../core/client.js").Traits} */
  traits = {
    type: "LOG",
    can: ["list", "sweeps_all", "sweeps_expired"],
    copies: "write",
    atomic: "origin",
    isTransactional: true,
  };
  #engine;
  #lock;
  #isStrict;
  #maintenance;

  /**
   * @param {Engine} engine
   * @param {(file: number) => Promise<void>} sync
   * @param {Lock} lock
   * @param {import("../../core/client.js").Durability} durability
   */
  constructor(engine, sync, lock, durability) {
    super(engine);
    this.#engine = engine;
    this.#lock = lock;
    this.#isStrict = durability === "strict";
    this.#maintenance = new Maintenance(engine, { sync, pause, whenCompacted: () => this.whenCompacted() });
  }

  /**
   * This process has the log alone, so its own changes are all that there are.
   * @returns {import("../../core/client.js").Watch}
   */
  watch() {
    return { reach: "storage", close() {} };
  }

  /** @param {readonly Commit[]} commits */
  commit(commits) {
    return this.#change(() => this.#commitAll(commits));
  }

  /**
   * @param {Range} range
   * @param {number | null} until
   */
  sweep(range, until) {
    return this.#change(() => {
      const removed = this.#engine.sweep(range, until);
      this.#engine.apply();
      return removed;
    });
  }

  async close() {
    try {
      await this.#maintenance.end();
    } finally {
      this.#lock.release();
    }
  }

  /**
   * @param {readonly Commit[]} commits
   * @returns {import("../../core/client.js").Outcome[]}
   */
  #commitAll(commits) {
    const change = onlyChange(commits);
    if (change) {
      if (isPut(change)) this.#engine.put(change.id, encodeValue(change.value), change.expires);
      else this.#engine.remove(change.id);
      this.#engine.apply();
      return [true];
    }
    try {
      return this.#commitTogether(commits);
    } catch (error) {
      if (commits.length === 1 || !mayConcernOne(error)) throw error;
      return commits.map((commit) => {
        try {
          return this.#commitTogether([commit])[0];
        } catch (error) {
          return { error };
        }
      });
    }
  }

  /** @param {readonly Commit[]} commits They are written as one batch. */
  #commitTogether(commits) {
    const outcomes = commits.map(({ expected }) => expected.every((one) => this.#engine.isExpected(one)));
    this.#engine.write(commits.flatMap(({ changes }, i) => (outcomes[i] ? itemsOf(changes) : [])));
    this.#engine.apply();
    return outcomes;
  }

  /**
   * Makes a change, and acknowledges it according to the option durability.
   * @template Result
   * @param {() => Result} make
   */
  #change(make) {
    const result = make();
    this.#maintenance.applied();
    const awaited = this.#isStrict ? this.#maintenance.flush() : this.#maintenance.turn();
    return awaited ? awaited.then(() => result) : result;
  }
}

/**
 * Tells whether a commit only removes expired records.
 * @param {Commit} commit
 */
function isEviction({ expected, changes }) {
  const expired = expected.filter(({ found }) => typeof found?.expires === "number" && found.expires <= Date.now());
  return changes.every((change) => !isPut(change) && expired.some(({ id }) => id === change.id));
}

/** A log that this process can neither write nor lock. It shows the state in which it was opened. */
class ReadOnlyLog extends LogReader {
  /** @type {import("../../core/client.js").Traits} */
  traits = { type: "LOG", can: ["list", "sweeps_all"], copies: "write", atomic: "origin", isTransactional: true };
  #engine;
  #refusal;

  /**
   * @param {string} path
   * @param {Engine} engine
   * @param {unknown} cause The error that shows that the log cannot be written.
   */
  constructor(path, engine, cause) {
    super(engine);
    this.#engine = engine;
    const message = `The log ${path} is read-only, because this process has no permission to write to its folder. Grant it, and open the store again.`;
    this.#refusal = new PolystoreError("ERR_CLIENT", message, { cause });
  }

  /**
   * Does not remove expired records: they stay in the file, and reads ignore them.
   * @param {readonly Commit[]} commits
   */
  async commit(commits) {
    if (!commits.every(isEviction)) throw this.#refusal;
    return commits.map(() => false);
  }

  async sweep() {
    throw this.#refusal;
  }

  close() {
    this.#engine.close();
  }
}
