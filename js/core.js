import instantiate from "#core";
import { compiledCore } from "#compiled-core";
import { PolystoreError, sentence } from "./errors.js";

// The core, compiled and instantiated while this module is evaluated: kv() is synchronous, so nothing can be waited for
// later. A page whose policy forbids WebAssembly learns of it from kv(), where somebody can catch it.
/** @type {import("#core").Core | undefined} */
let core;
/** @type {unknown} */
let failure;
try {
  core = load();
} catch (error) {
  failure = error;
}

function load() {
  const module = compiledCore();
  /** @type {Partial<import("#core").Core>} */
  const core = {
    instantiateWasm(imports, receive) {
      const instance = new WebAssembly.Instance(module, imports);
      receive(instance);
      return instance.exports;
    },
  };
  instantiate(core);
  return /** @type {import("#core").Core} */ (core);
}

/** Throws, with the way out, where the core could not be started. */
export function requireCore() {
  if (core !== undefined) return;
  const reason = sentence(/** @type {Error} */ (failure).message);
  const message = `WebAssembly could not be started: ${reason} Where a page has a Content-Security-Policy, its script-src must have 'wasm-unsafe-eval'.`;
  throw new PolystoreError("ERR_WASM", message, { cause: failure });
}

const loaded = /** @type {import("#core").Core} */ (core ?? {});
/** @type {any} Where the core could not be started, nobody gets to ask for a number. */
const none = {};

export const {
  Ask = none,
  Method = none,
  Outcome = none,
  Trait = none,
  Verdict = none,
  page_length: PAGE_LENGTH,
} = loaded;
export const NEVER = Infinity;

export const start = loaded._polystore_start;
export const answer = loaded._polystore_answer;
export const answerPage = loaded._polystore_answer_page;
export const abandon = loaded._polystore_abandon;
export const number = loaded._polystore_number;

const { expires_address: expiresAddress, verdicts_address: verdictsAddress, bytes_address: bytesAddress } = loaded;
const expiresIndex = expiresAddress / Float64Array.BYTES_PER_ELEMENT;

/**
 * The views on the page that the core and the driver share. Take them anew for each page: they are detached when the
 * core's memory grows.
 */
export const pageExpires = () => loaded.HEAPF64.subarray(expiresIndex, expiresIndex + PAGE_LENGTH);
export const pageVerdicts = () => loaded.HEAPU8.subarray(verdictsAddress, verdictsAddress + PAGE_LENGTH);

/**
 * The seconds that a text like "2 hours" stands for.
 * @param {string} text
 * @returns {number} NaN when it cannot be understood.
 */
export function parseExpires(text) {
  const { length } = text;
  if (length > loaded.bytes_length) return NaN;
  for (let i = 0; i < length; ++i) {
    // What is not ASCII is no part of the grammar, and 0 neither.
    const code = text.charCodeAt(i);
    loaded.HEAPU8[bytesAddress + i] = code < 128 ? code : 0;
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
  const { id_length: length, bytes_length: drawn } = loaded;
  if (ids.length - next < length) {
    crypto.getRandomValues(loaded.HEAPU8.subarray(bytesAddress, bytesAddress + drawn));
    ids = loaded.HEAPU8.slice(bytesAddress, bytesAddress + loaded._polystore_make_id_characters());
    next = 0;
  }
  const characters = ids.subarray(next, next + length);
  next += length;
  return String.fromCharCode.apply(null, /** @type {any} */ (characters));
}
