import instantiate from "#engine";
import text from "#engine-text";
import { PolystoreError, sentence } from "../support/errors.js";
import { boundsOf } from "../support/range.js";
import { moduleOfText } from "../core/module_of_text.js";
import { wasmError } from "../core/wasm_error.js";
import { EntryPage } from "./entry_page.js";
import { decodeJson } from "./json_text.js";
import { SHORT, TextReader } from "./text_reader.js";

/** @typedef {import("../support/record.js").StoredRecord} StoredRecord */
/** @typedef {import("../support/errors.js").Code} Code */
/** @typedef {import("../core/client.js").Expectation} Expectation */
/** @typedef {import("../core/client.js").Range} Range */

/** The largest number of records that a call of the module can be limited to. */
const MAX_COUNT = 2 ** 32 - 1;
/** The number of bytes of UTF-8 that one UTF-16 code unit of a string takes at most. */
const MAX_BYTES_PER_UNIT = 3;
/** A call of the module returns FAILED with the error as its output, or NO_MEMORY. abi.cpp has the same numbers. */
const FAILED = -1;
const NO_MEMORY = -2;
/** A step of compaction returns a file as its number plus FIRST_FILE. */
const FIRST_FILE = 2;

const encoder = new TextEncoder();
/** @type {WebAssembly.Module | undefined} */
let compiled;

/**
 * One open log: the C++ engine in a WebAssembly module of its own. Texts cross through a buffer of the engine. The engine calls
 * `files` as a native program calls the operating system. Every call is synchronous.
 */
export class Engine {
  #module;
  #files;
  #reader = new TextReader();
  #input = 0;
  #capacity = 0;
  /** The trap after which the module must not be called any more. @type {PolystoreError | null} */
  #failure = null;

  /** The numbers of src/polystore/engine/maintenance.hpp, where each is explained. */
  numbers;

  /**
   * @param {import("./files.js").Files} files
   * @param {string} path The path of the log, which is passed to `files`.
   * @throws {PolystoreError} ERR_CORRUPT, ERR_UNSUPPORTED, ERR_QUOTA or ERR_CLIENT if the log cannot be opened; ERR_WASM if
   *   WebAssembly cannot be started.
   */
  constructor(files, path) {
    try {
      compiled ??= moduleOfText(text);
      this.#module = instantiated(compiled, files);
    } catch (error) {
      throw wasmError(error);
    }
    this.#files = files;
    const { HEAPU8, _polystore_engine_maintenance: maintenance } = this.#module;
    const [flushDelay, evictionInterval, evictedAtOnce, compactionStep, pageBytes] = new Uint32Array(
      HEAPU8.buffer,
      maintenance(),
      5,
    );
    this.numbers = { flushDelay, evictionInterval, evictedAtOnce, compactionStep, pageBytes };
    const length = this.#write(path);
    this.#call((module) => module._polystore_engine_open(length));
  }

  /** Closes the log, without a flush. */
  close() {
    if (this.#failure === null) this.#call((module) => module._polystore_engine_close());
  }

  /**
   * Returns the record at a key. Its version is its JSON text.
   * @param {string} key
   * @returns {StoredRecord | undefined}
   * @throws {PolystoreError} ERR_CORRUPT if the record is damaged, or its value is not JSON.
   */
  get(key) {
    const text = this.getText(key);
    if (text === undefined) return undefined;
    return { expires: this.expires(), value: decodeJson(key, text), version: text };
  }

  /**
   * Returns the JSON text of a value, or undefined. `expires` then returns the expiry of that record.
   * @param {string} key
   */
  getText(key) {
    const length = this.#write(key);
    const found = this.#call((module) => module._polystore_engine_get(length));
    return found === 0 ? undefined : this.#output();
  }

  /**
   * Tells whether a key still holds what was found there, as isSameRecord() does. Without a version, the file is not read.
   * @param {Pick<Expectation, "id"> & { found: Omit<StoredRecord, "value"> | null }} expectation
   * @throws {PolystoreError} ERR_CORRUPT if the record is damaged.
   */
  isExpected({ id, found }) {
    if (found?.version !== undefined) return this.getText(id) === found.version && this.expires() === found.expires;
    const length = this.#write(id);
    const isPresent = this.#call((module) => module._polystore_engine_expiry(length)) === 1;
    return isPresent ? found !== null && this.expires() === found.expires : found === null;
  }

  /** The expiry of the record that getText() or isExpected() saw last, in milliseconds since the epoch; null if it never expires. */
  expires() {
    return orNull(this.#module._polystore_engine_number());
  }

  /**
   * Adds a write to the batch, which `apply` writes to the log.
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
   * Adds changes to the batch.
   * @param {readonly (string | number | null)[]} items The changes, as itemsOf() returns them.
   */
  write(items) {
    const all = /** @type {any[]} */ (items);
    for (let i = 0; i < all.length; i += 3) {
      if (all[i + 1] === null) this.remove(all[i]);
      else this.put(all[i], all[i + 1], all[i + 2]);
    }
  }

  /**
   * Adds to the batch the removal of the records in a range that expire at `until` or before; of all in the range if it is null.
   * @param {Range} range
   * @param {number | null} until In milliseconds since the epoch.
   * @param {number} [limit] The largest number of records to remove; ignored if `until` is null.
   * @returns {number} The number of removals.
   */
  sweep(range, until, limit = MAX_COUNT) {
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
   * Adds to the batch the result of a session's request (a note, in src/polystore/engine/notes.hpp).
   * @param {number} session
   * @param {number} sequence
   * @param {number} result
   */
  recordResult(session, sequence, result) {
    this.#call((module) => module._polystore_engine_note(session, sequence, result, Date.now()));
  }

  /** Adds the removal of a session's recorded result to the batch. @param {number} session */
  removeResult(session) {
    this.#call((module) => module._polystore_engine_erase_note(session));
  }

  /**
   * Writes the batch to the log: all of it or, if it throws, nothing.
   * @throws {PolystoreError} ERR_QUOTA if the storage is full; ERR_CLIENT if the files fail.
   */
  apply() {
    this.#call((module) => module._polystore_engine_apply());
  }

  /**
   * Returns the recorded result if this request, or a later one of the session, was made; undefined if not.
   * @param {number} session
   * @param {number} sequence
   * @returns {number | undefined}
   */
  recordedResult(session, sequence) {
    const isRecorded = this.#call((module) => module._polystore_engine_noted(session, sequence));
    return isRecorded === 0 ? undefined : this.#module._polystore_engine_number();
  }

  /** Removes the results of sessions that recorded nothing since a time. @param {number} before Milliseconds since the epoch. */
  removeOldResults(before) {
    this.#call((module) => module._polystore_engine_forget_notes(before));
  }

  /**
   * Starts a scan of a snapshot of the records in a range.
   * @param {Range} range Its bounds must be well-formed Unicode.
   * @returns {number} The scan, for `next` and `endScan`.
   */
  scan(range) {
    // The bounds of an empty range, if no key can lie in it.
    const [start, end] = boundsOf(range) ?? ["1", "0"];
    const [startLength, endLength] = this.#writeBoth([start, end]);
    const limit = Math.min(range.limit ?? MAX_COUNT, MAX_COUNT);
    return this.#call((module) => module._polystore_engine_scan(startLength, endLength, limit, range.reverse === true));
  }

  /**
   * Returns the next records of a scan: fewer than `limit` if they are large, and zero only at the end.
   * @param {number} scan
   * @param {number} limit
   * @param {boolean} withValues
   * @returns {EntryPage}
   */
  next(scan, limit, withValues) {
    const count = this.#call((module) => module._polystore_engine_next(scan, limit, withValues));
    const start = this.#module._polystore_engine_output();
    const end = start + this.#module._polystore_engine_output_size();
    const isLast = count < limit && end - start < this.numbers.pageBytes;
    return new EntryPage(this.#module.HEAPU8.slice(start, end).buffer, count, withValues, isLast);
  }

  /** @param {number} scan */
  endScan(scan) {
    if (this.#failure === null) this.#call((module) => module._polystore_engine_end_scan(scan));
  }

  /** The earliest expiry of all records, in milliseconds since the epoch; Infinity if no record expires. */
  get nextExpiry() {
    return this.#module._polystore_engine_next_expiry();
  }

  /** The number of applied batches that survive a power failure. */
  get flushed() {
    return this.#module._polystore_engine_flushed();
  }
  /** The number of applied batches. */
  get applied() {
    return this.#module._polystore_engine_applied();
  }

  /** Makes all applied batches survive a power failure. @throws {PolystoreError} ERR_CLIENT */
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
   * Begins a flush, after which all batches applied so far survive a power failure.
   * @returns {number} The file to sync, before the next `compact`.
   */
  beginFlush() {
    return this.#call((module) => module._polystore_engine_begin_flush());
  }

  /**
   * Ends a flush, after the file was synced or its sync failed.
   * @param {string} failure The message of the failure; empty if the sync succeeded.
   * @throws {PolystoreError} ERR_CLIENT with that failure: the content of the file is then unknown, and all later writes fail.
   */
  endFlush(failure) {
    const length = this.#write(failure);
    this.#call((module) => module._polystore_engine_end_flush(length));
  }

  /** Called between a flush and `close`: later damage can then be told from writes that a power failure interrupted. */
  markSynced() {
    this.#call((module) => module._polystore_engine_mark_synced());
  }

  get wantsCompaction() {
    return this.#module._polystore_engine_wants_compaction() !== 0;
  }

  /**
   * Runs one step of compaction: copies some records to a new log. The last step replaces the old log with the new one.
   * @param {number} bytes The number of bytes to copy.
   * @returns {{ more: boolean, file?: number }} `more` is true if another step follows; `file` has to be synced before that step. A
   *   flush that ends meanwhile makes another sync of the file necessary.
   */
  compact(bytes) {
    const done = this.#call((module) => module._polystore_engine_compact(bytes));
    return { more: done > 0, file: done < FIRST_FILE ? undefined : done - FIRST_FILE };
  }

  /** Ends a compaction whose new log could not be synced. The old log stays; the engine tries again when it can save more. */
  abandonCompaction() {
    this.#call((module) => module._polystore_engine_compact(0));
  }

  /**
   * Calls the module. An exception from it is a trap, which leaves the module's memory in an inconsistent state. The module is not
   * called again, so that no wrong data is read or written to the log.
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
      const message = `The engine of the log crashed: ${sentence(String(error))} It cannot read or write any more. Close the store and open it again.`;
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
    const size = length * MAX_BYTES_PER_UNIT;
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
    return encoder.encodeInto(text, heap.subarray(start, start + length * MAX_BYTES_PER_UNIT)).written;
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
    "The engine of the log has not enough memory for this call. What is stored is unchanged; delete something, or write less at a time.";
  return new PolystoreError("ERR_QUOTA", message);
}
