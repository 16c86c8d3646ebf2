/**
 * Instantiates the core. The result has its exports (wasm/abi.cpp) and its embind declarations (wasm/bindings.cpp). Only numbers
 * cross the border, so no type needs a converter. That saves every page the 3.5 KB (brotli) of embind's own runtime and the rest
 * of Emscripten's glue.
 * @param {WebAssembly.Module} module
 * @returns {import("./core_types.js").Core}
 * @throws {WebAssembly.CompileError | WebAssembly.LinkError | WebAssembly.RuntimeError}
 */
export function instantiate(module) {
  /** @type {Record<string, unknown>} */
  const declared = {};
  /** @type {Record<number, Record<string, number>>} */
  const enumerations = {};
  /** @param {number} address The address of a zero-terminated string. */
  const textAt = (address) => {
    const bytes = new Uint8Array(exports.memory.buffer, address);
    return String.fromCharCode(...bytes.subarray(0, bytes.indexOf(0)));
  };
  const env = {
    _embind_register_enum(/** @type {number} */ type, /** @type {number} */ name) {
      declared[textAt(name)] = enumerations[type] = {};
    },
    _embind_register_enum_value(/** @type {number} */ type, /** @type {number} */ name, /** @type {number} */ value) {
      enumerations[type][textAt(name)] = value;
    },
    _embind_register_constant(/** @type {number} */ name, /** @type {number} */ _type, /** @type {number} */ value) {
      declared[textAt(name)] = value;
    },
    /** @param {number[]} numbers */
    _embind_register_function(...[name, _count, _types, _signature, invoker, called]) {
      declared[textAt(name)] = exports.__indirect_function_table.get(invoker).bind(null, called);
    },
  };
  const exports = /** @type {any} */ (new WebAssembly.Instance(module, { env }).exports);
  exports._initialize();
  return { ...exports, ...declared };
}
