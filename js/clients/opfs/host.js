import { JournaledFiles } from "./journaled_files.js";
import { OpfsFiles } from "./opfs_files.js";
import { ownerLock, workerLock } from "./names.js";
import { describe, Owner } from "./owner.js";

/** @typedef {import("./protocol.d.ts").Control} Control */
/** @typedef {import("./protocol.d.ts").Status} Status */

/** The folder that holds all logs of this origin. */
const FOLDER = "polystore-wasm";

/** Waits for the lock of a log on behalf of a page, and serves all pages while it holds that lock. */
export class Host {
  #isWorker;
  #send;
  #name = "";
  /** The session of this worker's page. */
  #session = 0;
  /** @type {Owner | null} */
  #owner = null;
  #isWanted = false;
  /** Pending while this host waits for the log or has it open. @type {Promise<void> | null} */
  #owning = null;
  /** Releases the log, or stops waiting for it. */
  #release = () => {};
  /** Releases the lock that tells the page whether this worker runs. */
  #releaseWorkerLock = () => {};

  /**
   * @param {boolean} isWorker True in a worker of the page, where files can be opened synchronously.
   * @param {(status: Status, transfer?: Transferable[]) => void} send Sends a message to the page.
   */
  constructor(isWorker, send) {
    this.#isWorker = isWorker;
    this.#send = send;
  }

  /** @param {Control | import("./protocol.d.ts").Request} message */
  async receive(message) {
    if (typeof message === "object" && "kind" in message) {
      this.#owner?.serve(message, this.#send);
    } else if (typeof message === "object") {
      this.#begin(message.begin);
    } else if (message === "resume") {
      this.#want();
    } else {
      this.#isWanted = false;
      this.#release();
      await this.#owning;
      if (message === "end") this.#send("ended");
    }
  }

  /** Releases all locks, as the browser does when a worker ends. */
  async end() {
    await this.receive("release");
    this.#releaseWorkerLock();
  }

  /** @param {{ name: string, session: number }} begin */
  async #begin({ name, session }) {
    this.#name = name;
    this.#session = session;
    const running = () => {
      this.#send("alive");
      this.#want();
      return new Promise((/** @type {(value: void) => void} */ resolve) => (this.#releaseWorkerLock = resolve));
    };
    try {
      await navigator.locks.request(workerLock(name, session), running);
    } catch (error) {
      this.#fail(error, true); // A browser that denies a site its storage refuses locks as well, or has no navigator.locks.
    }
  }

  /** Starts to wait for the log. Called again each time the page is shown. */
  #want() {
    this.#isWanted = true;
    this.#owning ??= (async () => {
      while (this.#isWanted) await this.#own();
      this.#owning = null;
    })();
  }

  /** Waits for the log's lock, and serves requests until the log has to be released. */
  async #own() {
    const withdrawing = new AbortController();
    const released = new Promise((resolve) => {
      this.#release = () => {
        withdrawing.abort();
        resolve(undefined);
      };
    });
    const serve = async () => {
      let isUnavailable = true;
      try {
        const root = await navigator.storage.getDirectory(); // Some browsers refuse this in private windows.
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
    // The request for the lock rejects if this worker withdraws it while it waits.
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
      send: this.#send,
      release: () => this.#release(),
    };
  }

  /**
   * Tells the page that the log could not be opened. The page may send `resume` to try again.
   * @param {unknown} error
   * @param {boolean} isUnavailable True if this browser cannot open any log here.
   */
  #fail(error, isUnavailable) {
    this.#isWanted = false;
    const failure = describe(error);
    this.#send({ failure: { ...failure, isUnavailable: isUnavailable || failure.code === "ERR_UNSUPPORTED" } });
  }
}

/** The folder of a log. The name is encoded because the file system refuses some names. @param {string} name */
function folderName(name) {
  return encodeURIComponent(name).replaceAll(".", "%2E");
}
