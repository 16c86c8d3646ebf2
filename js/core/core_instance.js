/**
 * Starts the core, and gathers what it declares by embind (wasm/bindings.cpp) beside its exports (wasm/abi.cpp). All that
 * crosses is a number on both sides, so no type needs a converter: embind's own runtime and the rest of Emscripten's glue are
 * 3.5 KB (brotli) of every page.
 * @param {WebAssembly.Module} module
 * @returns {import("./core_types.js").Core}
 * @throws {WebAssembly.CompileError | WebAssembly.LinkError | WebAssembly.RuntimeError}
 */
export function instantiate(module) {
  /** @type {Record<string, unknown>} */
  const declared = {};
  /** @type {Record<number, Record<string, number>>} */
  const enumerations = {};
  /** @param {number} address Of a text that ends with 0. */
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
