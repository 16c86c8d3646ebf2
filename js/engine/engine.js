import instantiate from "#engine";
import text from "#engine-text";
import { PolystoreError } from "../errors.js";
import { rangeOfPrefix } from "../clients/text_key.js";
import { moduleOfText } from "../module_of_text.js";
import { wasmError } from "../wasm_error.js";
import { EntryPage } from "./entry_page.js";
import { decodeJson } from "./json_text.js";
import { SHORT, TextReader } from "./text_reader.js";

/** @typedef {import("../record.js").StoredRecord} StoredRecord */
/** @typedef {import("../errors.js").Code} Code */

/** A character of a string is so many bytes of UTF-8 at most. */
const LONGEST_CHARACTER = 3;
const FAILED = -1;

const encoder = new TextEncoder();
/** @type {WebAssembly.Module | undefined} */
let compiled;

/**
 * One log that is open: the C++ engine in a WebAssembly module of its own. Its texts cross through a buffer of the engine's, its
 * files are called by the engine as a native program calls the system; nothing is asynchronous.
 */
export class Engine {
  #module;
  #reader = new TextReader();
  #input = 0;
  #capacity = 0;

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
    this.#checked(this.#module._polystore_engine_open(this.#write(path)));
  }

  /** Lets go of the log. What was not flushed is not. */
  close() {
    this.#module._polystore_engine_close();
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
    const found = this.#checked(this.#module._polystore_engine_get(this.#write(key)));
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
    this.#module._polystore_engine_put(keyLength, valueLength, expires ?? Infinity);
  }

  /** Adds a removal to the batch. @param {string} key */
  erase(key) {
    this.#module._polystore_engine_erase(this.#write(key));
  }

  /**
   * Adds the removal of a record to the batch, if it has the expiry that it was read with.
   * @param {import("../clients/client.js").Evicted} evicted
   * @returns {number} 1 if it has.
   */
  evict({ id, expires }) {
    return this.#module._polystore_engine_evict(this.#write(id), expires ?? Infinity);
  }

  /**
   * Adds the removal of the records with a prefix to the batch, and says how many those are.
   * @param {string} prefix
   */
  clear(prefix) {
    const range = rangeOfPrefix(prefix);
    if (range === null) return 0;
    const [startLength, endLength] = this.#writeBoth(range);
    return this.#module._polystore_engine_clear(startLength, endLength);
  }

  /**
   * Adds the removal of those of them that have expired to the batch, and says how many those are.
   * @param {string} prefix
   * @param {number} now In milliseconds since the epoch.
   * @param {number} [limit]
   */
  prune(prefix, now, limit = 2 ** 32 - 1) {
    const range = rangeOfPrefix(prefix);
    if (range === null) return 0;
    const [startLength, endLength] = this.#writeBoth(range);
    return this.#module._polystore_engine_prune(startLength, endLength, now, limit);
  }

  /**
   * Adds the note of a session (src/polystore/engine/notes.hpp) to the batch.
   * @param {number} session
   * @param {number} sequence
   * @param {number} result
   */
  note(session, sequence, result) {
    this.#module._polystore_engine_note(session, sequence, result, Date.now());
  }

  /** Adds the removal of a session's note to the batch. @param {number} session */
  eraseNote(session) {
    this.#module._polystore_engine_erase_note(session);
  }

  /**
   * Makes the batch: all of it or, if it throws, nothing.
   * @throws {PolystoreError} ERR_QUOTA where there is no room, ERR_CLIENT where the files fail.
   */
  apply() {
    this.#checked(this.#module._polystore_engine_apply());
  }

  /**
   * What was answered for a batch, if it is noted that it, or a later one of the session, was made.
   * @param {number} session
   * @param {number} sequence
   * @returns {number | undefined}
   */
  noted(session, sequence) {
    const noted = this.#checked(this.#module._polystore_engine_noted(session, sequence));
    return noted === 0 ? undefined : this.#module._polystore_engine_number();
  }

  /** Forgets the sessions that have noted nothing since a time. @param {number} before In milliseconds since the epoch. */
  forgetNotes(before) {
    this.#checked(this.#module._polystore_engine_forget_notes(before));
  }

  /**
   * Begins to go through the records with a prefix, as they are now.
   * @param {string} prefix
   * @param {string} [after] A key, to begin behind.
   * @returns {number} For `next` and `endScan`.
   */
  scan(prefix, after) {
    // If no key begins so, an empty range.
    const [start, end] = rangeOfPrefix(prefix) ?? ["1", "0"];
    // The first key that comes after another is that with a zero more.
    const [startLength, endLength] = this.#writeBoth([after === undefined ? start : `${after}\0`, end]);
    return this.#module._polystore_engine_scan(startLength, endLength);
  }

  /**
   * @param {number} scan
   * @param {number} limit
   * @param {boolean} withValues
   * @returns {EntryPage} Of fewer than `limit` records only at the end.
   */
  next(scan, limit, withValues) {
    const count = this.#checked(this.#module._polystore_engine_next(scan, limit, withValues));
    const start = this.#module._polystore_engine_output();
    const end = start + this.#module._polystore_engine_output_size();
    return new EntryPage(this.#module.HEAPU8.slice(start, end).buffer, count, withValues);
  }

  /** @param {number} scan */
  endScan(scan) {
    this.#module._polystore_engine_end_scan(scan);
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
    this.#checked(this.#module._polystore_engine_flush());
  }

  /**
   * Begins a flush: all batches so far are to outlast a power failure.
   * @returns {number} The file to sync, before the next `compact`.
   */
  beginFlush() {
    return this.#module._polystore_engine_begin_flush();
  }

  /**
   * Ends it, once the file is synced or that failed.
   * @param {string} failure Empty if there was none.
   * @throws {PolystoreError} ERR_CLIENT with that failure: nobody knows what the file holds, and no more is written.
   */
  endFlush(failure) {
    this.#checked(this.#module._polystore_engine_end_flush(this.#write(failure)));
  }

  /** Before `close`, and after a flush: lets damage be told from what a power failure left out. */
  markSynced() {
    this.#module._polystore_engine_mark_synced();
  }

  get wantsCompaction() {
    return this.#module._polystore_engine_wants_compaction() !== 0;
  }

  /**
   * Copies some of what is stored to a new log, which takes the place of the old one at last.
   * @param {number} bytes
   * @returns {boolean} Whether there is more to do.
   */
  compact(bytes) {
    return this.#checked(this.#module._polystore_engine_compact(bytes)) === 1;
  }

  /** @param {number} status */
  #checked(status) {
    if (status !== FAILED) return status;
    const text = this.#output();
    const space = text.indexOf(" ");
    throw new PolystoreError(/** @type {Code} */ (text.slice(0, space)), text.slice(space + 1));
  }

  /** @param {string} text */
  #write(text) {
    this.#reserve(text.length);
    return this.#writeAt(0, text);
  }

  /** @param {[start: string, end: string | null]} range */
  #writeBoth([start, end]) {
    this.#reserve(start.length + (end?.length ?? 0));
    const startLength = this.#writeAt(0, start);
    return [startLength, this.#writeAt(startLength, end ?? "")];
  }

  /** @param {number} length In characters. */
  #reserve(length) {
    const size = length * LONGEST_CHARACTER;
    if (size <= this.#capacity) return;
    this.#capacity = Math.max(size, 4096);
    this.#input = this.#module._polystore_engine_input(this.#capacity);
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
