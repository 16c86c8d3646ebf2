import { compiledCore } from "#compiled-core";
import { instantiate } from "./core_instance.js";
import { shared } from "../support/shared.js";
import { wasmError } from "./wasm_error.js";

// The core is compiled and instantiated while this module is evaluated, because kv() is synchronous and cannot wait for it.
// If the page's policy forbids WebAssembly, the error is kept until kv() throws it, where the user can catch it.
/** @type {unknown} */
let failure;
try {
  shared.core ??= instantiate(compiledCore());
} catch (error) {
  failure = error;
}

/** @throws {PolystoreError} ERR_WASM if the core could not be started; the message has the remedy. */
export function requireCore() {
  if (!shared.core) throw wasmError(failure);
}

const loaded = /** @type {import("./core_types.js").Core} */ (shared.core ?? {});
/** @type {any} Stands for the enumerations of a core that could not be started; kv() then throws before any is used. */
const none = {};

export const {
  Ask = none,
  Method = none,
  Outcome = none,
  Trait = none,
  Verdict = none,
  page_length: PAGE_LENGTH,
  ask_bits: ASK_BITS,
} = loaded;
export const NEVER = Infinity;

export const start = loaded.polystore_start;
export const answer = loaded.polystore_answer;
export const answerPage = loaded.polystore_answer_page;
export const abandon = loaded.polystore_abandon;
export const number = loaded.polystore_number;

/** @param {number} length */
const bytesAt = (/** @type {number} */ address, length) => new Uint8Array(loaded.memory.buffer, address, length);

/**
 * Views on the page that the core and the driver share. They must be made anew for each page, because they are detached when
 * the memory of the core grows.
 */
export const pageExpires = () => new Float64Array(loaded.memory.buffer, loaded.expires_address, PAGE_LENGTH);
export const pageVerdicts = () => bytesAt(loaded.verdicts_address, PAGE_LENGTH);
export const pageLives = () => new Float64Array(loaded.memory.buffer, loaded.lives_address, PAGE_LENGTH);
const sharedBytes = () => bytesAt(loaded.bytes_address, loaded.bytes_length);

/**
 * Parses a duration such as "2 hours".
 * @param {string} text
 * @returns {number} Seconds; NaN if the text cannot be parsed.
 */
export function parseExpires(text) {
  const { length } = text;
  if (length > loaded.bytes_length) return NaN;
  const bytes = sharedBytes();
  for (let i = 0; i < length; ++i) {
    // The grammar has neither 0 nor characters outside ASCII, so 0 stands for any of those.
    const code = text.charCodeAt(i);
    bytes[i] = code < 128 ? code : 0;
  }
  return loaded.parse_expires(length);
}

let ids = new Uint8Array(0);
let next = 0;

/**
 * Makes a random key. Random bytes are drawn for some 165 keys at once, which makes `add` several times as fast.
 * @returns {string}
 */
export function freshKey() {
  const { id_length: length } = loaded;
  if (ids.length - next < length) {
    const bytes = crypto.getRandomValues(sharedBytes());
    ids = bytes.slice(0, loaded.polystore_make_id_characters());
    next = 0;
  }
  const characters = ids.subarray(next, next + length);
  next += length;
  return String.fromCharCode.apply(null, /** @type {any} */ (characters));
}
