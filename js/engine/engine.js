import instantiate from "#engine";
import text from "#engine-text";
import { PolystoreError, sentence } from "../support/errors.js";
import { isPut } from "../support/commits.js";
import { boundsOf } from "../support/range.js";
import { moduleOfText } from "../core/module_of_text.js";
import { wasmError } from "../core/wasm_error.js";
import { EntryPage } from "./entry_page.js";
import { decodeJson } from "./json_text.js";
import { SHORT, TextReader } from "./text_reader.js";

/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */
/** @typedef {import("../support/errors.js").Code} Code */
/** @typedef {import("../core/client.js").Commit} Commit */
/** @typedef {import("../core/client.js").Range} Range */

/** A character of a string is so many bytes of UTF-8 at most. */
const LONGEST_CHARACTER = 3;
/** The module returns these where a call failed, and its output says why; or where there is no memory. abi.cpp has the same. */
const FAILED = -1;
const NO_MEMORY = -2;
/** From here on, what a step of compaction returns is a file. */
const FIRST_FILE = 2;
/** Keys and values that a page of a scan has, in bytes; the last of them may be of any length. */
const PAGE_BYTES = 2 ** 20;

const encoder = new TextEncoder();
/** @type {WebAssembly.Module | undefined} */
let compiled;

/**
 * One log that is open: the C++ engine in a WebAssembly module of its own. Its texts cross through a buffer of the engine's, its
 * files are called by the engine as a native program calls the system; nothing is asynchronous.
 */
export class Engine {
  #module;
  #files;
  #reader = new TextReader();
  #input = 0;
  #capacity = 0;
  /** Why the module is not to be called any more. @type {PolystoreError | null} */
  #failure = null;

  /**
   * @param {import("./files.js").Files} files
   * @param {string} path By which `files` knows the log.
   * @throws {PolystoreError} ERR_CORRUPT, ERR_UNSUPPORTED, ERR_QUOTA or ERR_CLIENT when the log cannot be opened; ERR_WASM when
   *   WebAssembly cannot.
   */
  constructor(files, path) {
    try {
      compiled ??= moduleOfText(text);
      this.#module = instantiated(compiled, files);
    } catch (error) {
      throw wasmError(error);
    }
    this.#files = files;
    const length = this.#write(path);
    this.#call((module) => module._polystore_engine_open(length));
  }

  /** Lets go of the log. What was not flushed is not. */
  close() {
    if (this.#failure === null) this.#call((module) => module._polystore_engine_close());
  }

  /**
   * @param {string} key
   * @returns {StoredRecord | undefined}
   * @throws {PolystoreError} ERR_CORRUPT where the record is damaged, or no JSON.
   */
  get(key) {
    const text = this.getText(key);
    return text === undefined ? undefined : { expires: this.expires(), value: decodeJson(key, text) };
  }

  /**
   * The JSON text of a value; `expires` then says when it expires.
   * @param {string} key
   */
  getText(key) {
    const length = this.#write(key);
    const found = this.#call((module) => module._polystore_engine_get(length));
    return found === 0 ? undefined : this.#output();
  }

  /** When that expires which was got last, in milliseconds since the epoch; null if never. */
  expires() {
    return orNull(this.#module._polystore_engine_number());
  }

  /**
   * Adds a write to the batch that `apply` makes.
   * @param {string} key
   * @param {string} text JSON.
   * @param {number | null} expires In milliseconds since the epoch.
   */
  put(key, text, expires) {
    this.#reserve(key.length + text.length);
    const keyLength = this.#writeAt(0, key);
    const valueLength = this.#writeAt(keyLength, text);
    this.#call((module) => module._polystore_engine_put(keyLength, valueLength, expires ?? Infinity));
  }

  /** Adds a removal to the batch. @param {string} key */
  remove(key) {
    const length = this.#write(key);
    this.#call((module) => module._polystore_engine_erase(length));
  }

  /**
   * Adds a commit to the batch, if everything is as it expects: today, what it expects is what it removes.
   * @param {Commit} commit
   * @returns {boolean} Whether it is.
   */
  commit({ expected, changes }) {
    if (expected.length > 0) return expected.every(({ id, found }) => this.removeIf(id, found?.expires ?? null));
    for (const change of changes) {
      if (isPut(change)) this.put(change.id, JSON.stringify(change.value), change.expires);
      else this.remove(change.id);
    }
    return true;
  }

  /**
   * Adds the removal of a record to the batch, if it has the expiry that it was read with.
   * @param {string} key
   * @param {number | null} expires
   * @returns {boolean} Whether it has.
   */
  removeIf(key, expires) {
    const length = this.#write(key);
    return this.#call((module) => module._polystore_engine_evict(length, expires ?? Infinity)) === 1;
  }

  /**
   * Adds the removal of records in a range to the batch: of those that expire at `until` or before, or of all if that is null.
   * @param {Range} range
   * @param {number | null} until In milliseconds since the epoch.
   * @param {number} [limit] How many are removed at most; only where `until` is given.
   * @returns {number} How many those are.
   */
  sweep(range, until, limit = 2 ** 32 - 1) {
    const bounds = boundsOf(range);
    if (bounds === null) return 0;
    const [startLength, endLength] = this.#writeBoth(bounds);
    return this.#call((module) =>
      until === null
        ? module._polystore_engine_clear(startLength, endLength)
        : module._polystore_engine_prune(startLength, endLength, until, limit),
    );
  }

  /**
   * Adds the note of a session (src/polystore/engine/notes.hpp) to the batch.
   * @param {number} session
   * @param {number} sequence
   * @param {number} result
   */
  note(session, sequence, result) {
    this.#call((module) => module._polystore_engine_note(session, sequence, result, Date.now()));
  }

  /** Adds the removal of a session's note to the batch. @param {number} session */
  eraseNote(session) {
    this.#call((module) => module._polystore_engine_erase_note(session));
  }

  /**
   * Makes the batch: all of it or, if it throws, nothing.
   * @throws {PolystoreError} ERR_QUOTA where there is no room, ERR_CLIENT where the files fail.
   */
  apply() {
    this.#call((module) => module._polystore_engine_apply());
  }

  /**
   * What was answered for a batch, if it is noted that it, or a later one of the session, was made.
   * @param {number} session
   * @param {number} sequence
   * @returns {number | undefined}
   */
  noted(session, sequence) {
    const noted = this.#call((module) => module._polystore_engine_noted(session, sequence));
    return noted === 0 ? undefined : this.#module._polystore_engine_number();
  }

  /** Forgets the sessions that have noted nothing since a time. @param {number} before In milliseconds since the epoch. */
  forgetNotes(before) {
    this.#call((module) => module._polystore_engine_forget_notes(before));
  }

  /**
   * Begins to go through the records in a range, as they are now.
   * @param {Range} range Its order and its limit are not looked at.
   * @returns {number} For `next` and `endScan`.
   */
  scan(range) {
    // Where no key lies in it, an empty range.
    const [start, end] = boundsOf(range) ?? ["1", "0"];
    const [startLength, endLength] = this.#writeBoth([start, end]);
    return this.#call((module) => module._polystore_engine_scan(startLength, endLength));
  }

  /**
   * The next records of a scan: fewer than `limit` where they are large, and none only at the end.
   * @param {number} scan
   * @param {number} limit
   * @param {boolean} withValues
   * @returns {EntryPage}
   */
  next(scan, limit, withValues) {
    const count = this.#call((module) => module._polystore_engine_next(scan, limit, PAGE_BYTES, withValues));
    const start = this.#module._polystore_engine_output();
    const end = start + this.#module._polystore_engine_output_size();
    const isLast = count < limit && end - start < PAGE_BYTES;
    return new EntryPage(this.#module.HEAPU8.slice(start, end).buffer, count, withValues, isLast);
  }

  /** @param {number} scan */
  endScan(scan) {
    if (this.#failure === null) this.#call((module) => module._polystore_engine_end_scan(scan));
  }

  /** When the first of all records expires, in milliseconds since the epoch; Infinity if none does. */
  get nextExpiry() {
    return this.#module._polystore_engine_next_expiry();
  }

  /** Of the batches that were made, how many outlast a power failure, and how many there are. */
  get flushed() {
    return this.#module._polystore_engine_flushed();
  }
  get applied() {
    return this.#module._polystore_engine_applied();
  }

  /** Makes all batches outlast a power failure. @throws {PolystoreError} ERR_CLIENT */
  flush() {
    let failure = "";
    try {
      this.#files.sync(this.beginFlush());
    } catch (error) {
      failure = /** @type {Error} */ (error).message;
    }
    this.endFlush(failure);
  }

  /**
   * Begins a flush: all batches so far are to outlast a power failure.
   * @returns {number} The file to sync, before the next `compact`.
   */
  beginFlush() {
    return this.#call((module) => module._polystore_engine_begin_flush());
  }

  /**
   * Ends it, once the file is synced or that failed.
   * @param {string} failure Empty if there was none.
   * @throws {PolystoreError} ERR_CLIENT with that failure: nobody knows what the file holds, and no more is written.
   */
  endFlush(failure) {
    const length = this.#write(failure);
    this.#call((module) => module._polystore_engine_end_flush(length));
  }

  /** Before `close`, and after a flush: lets damage be told from what a power failure left out. */
  markSynced() {
    this.#call((module) => module._polystore_engine_mark_synced());
  }

  get wantsCompaction() {
    return this.#module._polystore_engine_wants_compaction() !== 0;
  }

  /**
   * Copies some of what is stored to a new log, which takes the place of the old one at last.
   * @param {number} bytes
   * @returns {{ more: boolean, file?: number }} Whether there is more to do, and the file that is to be synced before that. No flush
   *   should end meanwhile, lest the file has to be synced once more.
   */
  compact(bytes) {
    const done = this.#call((module) => module._polystore_engine_compact(bytes));
    return { more: done > 0, file: done < FIRST_FILE ? undefined : done - FIRST_FILE };
  }

  /** For where the new log could not be synced: all stays as it is, and the engine tries again when there is more to gain. */
  giveUpCompaction() {
    this.#call((module) => module._polystore_engine_compact(0));
  }

  /**
   * Calls the module. What it throws is a trap, which leaves its memory as it was in the middle of something: the module is
   * not called again, so that nothing wrong is read, nor written to the log.
   * @template Result
   * @param {(module: import("#engine").EngineModule) => Result} action
   * @returns {Result}
   */
  #call(action) {
    if (this.#failure !== null) throw this.#failure;
    let result;
    try {
      result = action(this.#module);
    } catch (error) {
      const message = `The engine of the log stopped: ${sentence(String(error))} It reads and writes nothing more; close the store and open it again.`;
      throw (this.#failure = new PolystoreError("ERR_CLIENT", message, { cause: error }));
    }
    if (result === NO_MEMORY) throw noMemory();
    if (result !== FAILED) return result;
    const text = this.#output();
    const space = text.indexOf(" ");
    throw new PolystoreError(/** @type {Code} */ (text.slice(0, space)), text.slice(space + 1));
  }

  /** @param {string} text */
  #write(text) {
    this.#reserve(text.length);
    return this.#writeAt(0, text);
  }

  /** @param {import("../support/range.js").Bounds} bounds */
  #writeBoth([start, end]) {
    this.#reserve(start.length + (end?.length ?? 0));
    const startLength = this.#writeAt(0, start);
    return [startLength, this.#writeAt(startLength, end ?? "")];
  }

  /** @param {number} length In characters. */
  #reserve(length) {
    const size = length * LONGEST_CHARACTER;
    if (size <= this.#capacity) return;
    const capacity = Math.max(size, 4096);
    const input = this.#call((module) => module._polystore_engine_input(capacity));
    if (input === 0) throw noMemory();
    this.#input = input;
    this.#capacity = capacity;
  }

  /**
   * @param {number} offset
   * @param {string} text
   * @returns {number} Its length in bytes.
   */
  #writeAt(offset, text) {
    const heap = this.#module.HEAPU8;
    const start = this.#input + offset;
    const { length } = text;
    if (length <= SHORT) {
      let i = 0;
      for (; i < length; ++i) {
        const code = text.charCodeAt(i);
        if (code > 127) break;
        heap[start + i] = code;
      }
      if (i === length) return length;
    }
    return encoder.encodeInto(text, heap.subarray(start, start + length * LONGEST_CHARACTER)).written;
  }

  #output() {
    const start = this.#module._polystore_engine_output();
    return this.#reader.read(this.#module.HEAPU8, start, this.#module._polystore_engine_output_size());
  }
}

/** @param {number} expires */
const orNull = (expires) => (expires === Infinity ? null : expires);

/**
 * @param {WebAssembly.Module} module
 * @param {import("./files.js").Files} files
 */
function instantiated(module, files) {
  /** @type {unknown} */
  let failure;
  /** @type {Partial<import("#engine").EngineModule>} */
  const engine = {
    files,
    instantiateWasm(imports, receive) {
      try {
        const instance = new WebAssembly.Instance(module, imports);
        receive(instance);
        return instance.exports;
      } catch (error) {
        failure = error; // Emscripten's glue would swallow it.
        return {};
      }
    },
  };
  instantiate(engine);
  if (failure) throw failure;
  return /** @type {import("#engine").EngineModule} */ (engine);
}

function noMemory() {
  const message =
    "The engine of the log has no memory left for this call. What was there is unchanged; delete something, or write less at a time.";
  return new PolystoreError("ERR_QUOTA", message);
}
