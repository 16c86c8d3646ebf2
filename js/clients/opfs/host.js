import { JournaledFiles } from "./journaled_files.js";
import { OpfsFiles } from "./opfs_files.js";
import { ownerLock, workerLock } from "./names.js";
import { describe, Owner } from "./owner.js";

/** @typedef {import("./protocol.d.ts").Order} Order */
/** @typedef {import("./protocol.d.ts").Report} Report */

/** The folder of all our logs. */
const FOLDER = "polystore-wasm";

/** Waits for the log on behalf of a page, and serves whoever asks as long as it has it. */
export class Host {
  #isWorker;
  #tell;
  #name = "";
  /** Of our page. */
  #session = 0;
  /** @type {Owner | null} */
  #owner = null;
  #isWanted = false;
  /** Waiting for the log, and having it. @type {Promise<void> | null} */
  #owning = null;
  /** Lets go of the log, or of the wish to have it. */
  #letGo = () => {};
  /** Lets go of the lock that tells the page whether we run. */
  #die = () => {};

  /**
   * @param {boolean} isWorker Whether we run in a worker of the page, where files can be opened synchronously.
   * @param {(report: Report, transfer?: Transferable[]) => void} tell Tells the page.
   */
  constructor(isWorker, tell) {
    this.#isWorker = isWorker;
    this.#tell = tell;
  }

  /** @param {Order | import("./protocol.d.ts").Request} order */
  async hear(order) {
    if (typeof order === "object" && "kind" in order) {
      this.#owner?.serve(order, this.#tell);
    } else if (typeof order === "object") {
      this.#begin(order.begin);
    } else if (order === "resume") {
      this.#want();
    } else {
      this.#isWanted = false;
      this.#letGo();
      await this.#owning;
      if (order === "end") this.#tell("ended");
    }
  }

  /** Lets go of everything, as the end of a worker does. */
  async end() {
    await this.hear("release");
    this.#die();
  }

  /** @param {{ name: string, session: number }} begin */
  async #begin({ name, session }) {
    this.#name = name;
    this.#session = session;
    const running = () => {
      this.#tell("alive");
      this.#want();
      return new Promise((/** @type {(value: void) => void} */ resolve) => (this.#die = resolve));
    };
    try {
      await navigator.locks.request(workerLock(name, session), running);
    } catch (error) {
      this.#fail(error, true); // Where the browser denies a site its storage locks are refused, or not there at all.
    }
  }

  /** A page says more than once that it is shown. */
  #want() {
    this.#isWanted = true;
    this.#owning ??= (async () => {
      while (this.#isWanted) await this.#own();
      this.#owning = null;
    })();
  }

  /** Waits for the log, and serves until it is to let go of it. */
  async #own() {
    const withdrawing = new AbortController();
    const released = new Promise((resolve) => {
      this.#letGo = () => {
        withdrawing.abort();
        resolve(undefined);
      };
    });
    const serve = async () => {
      let isUnavailable = true;
      try {
        const root = await navigator.storage.getDirectory(); // Refused in private windows of some browsers.
        isUnavailable = false;
        const files = await this.#open(root);
        try {
          this.#owner = await Owner.begin(this.#surroundings(), files);
        } catch (error) {
          files.end();
          throw error;
        }
      } catch (error) {
        return this.#fail(error, isUnavailable);
      }
      await released;
      const ended = this.#owner;
      this.#owner = null;
      await ended.end();
    };
    // A worker that withdraws while it waits is told so by a rejection.
    await navigator.locks.request(ownerLock(this.#name), { signal: withdrawing.signal }, serve).catch((error) => {
      if (!withdrawing.signal.aborted) this.#fail(error, true);
    });
  }

  /** @param {FileSystemDirectoryHandle} root */
  async #open(root) {
    const all = await root.getDirectoryHandle(FOLDER, { create: true });
    const folder = await all.getDirectoryHandle(folderName(this.#name), { create: true });
    if (this.#isWorker)
      try {
        return await OpfsFiles.open(folder, this.#name);
      } catch (error) {
        if (/** @type {Partial<import("../../support/errors.js").PolystoreError>} */ (error).code !== "ERR_UNSUPPORTED")
          throw error;
      }
    return JournaledFiles.open(folder, this.#name);
  }

  #surroundings() {
    return {
      name: this.#name,
      session: this.#session,
      yields: !this.#isWorker,
      tell: this.#tell,
      letGo: () => this.#letGo(),
    };
  }

  /**
   * Tells the page that the log cannot be had; it may want it again.
   * @param {unknown} error
   * @param {boolean} isUnavailable Whether that is so of every log.
   */
  #fail(error, isUnavailable) {
    this.#isWanted = false;
    const failure = describe(error);
    this.#tell({ failure: { ...failure, isUnavailable: isUnavailable || failure.code === "ERR_UNSUPPORTED" } });
  }
}

/** The file system refuses some names. @param {string} name */
function folderName(name) {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}
