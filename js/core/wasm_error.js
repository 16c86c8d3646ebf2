import { PolystoreError, sentence } from "../support/errors.js";

/**
 * @param {unknown} cause The error with which a module could not be compiled or instantiated.
 * @returns {PolystoreError} ERR_WASM
 */
export function wasmError(cause) {
  const reason = sentence(/** @type {Error} */ (cause).message);
  // Chromium and WebKit quote the policy's script sources, Firefox mentions CSP, and older Chromium mentions the embedder.
  const way = /-eval|CSP|embedder/.test(reason)
    ? " Add 'wasm-unsafe-eval' to the script-src of the page's Content-Security-Policy."
    : "";
  return new PolystoreError("ERR_WASM", `WebAssembly could not be started: ${reason}${way}`, { cause });
}
