import { compiledCore } from "#compiled-core";
import { instantiate } from "./core_instance.js";
import { shared } from "../support/shared.js";
import { wasmError } from "./wasm_error.js";

// The core, compiled and instantiated while this module is evaluated: kv() is synchronous, so nothing can be waited for
// later. A page whose policy forbids WebAssembly learns of it from kv(), where somebody can catch it.
/** @type {unknown} */
let failure;
try {
  shared.core ??= instantiate(compiledCore());
} catch (error) {
  failure = error;
}

/** @throws {PolystoreError} ERR_WASM, with the way out, where the core could not be started. */
export function requireCore() {
  if (!shared.core) throw wasmError(failure);
}

const loaded = /** @type {import("./core_types.js").Core} */ (shared.core ?? {});
/** @type {any} Where the core could not be started, nobody gets to ask for a number. */
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
 * The views on the page that the core and the driver share. Take them anew for each page: they are detached when the
 * core's memory grows.
 */
export const pageExpires = () => new Float64Array(loaded.memory.buffer, loaded.expires_address, PAGE_LENGTH);
export const pageVerdicts = () => bytesAt(loaded.verdicts_address, PAGE_LENGTH);
const sharedBytes = () => bytesAt(loaded.bytes_address, loaded.bytes_length);

/**
 * The seconds that a text like "2 hours" stands for.
 * @param {string} text
 * @returns {number} NaN when it cannot be understood.
 */
export function parseExpires(text) {
  const { length } = text;
  if (length > loaded.bytes_length) return NaN;
  const bytes = sharedBytes();
  for (let i = 0; i < length; ++i) {
    // What is not ASCII is no part of the grammar, and 0 neither.
    const code = text.charCodeAt(i);
    bytes[i] = code < 128 ? code : 0;
  }
  return loaded.parse_expires(length);
}

let ids = new Uint8Array(0);
let next = 0;

/**
 * A fresh key. Randomness is drawn for some 165 keys at once, which makes `add` several times faster.
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
