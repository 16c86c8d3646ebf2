/** A store has at this symbol what it is over. All copies of the package share the symbol. */
export const WRAPPED = Symbol.for("polystore-wasm.wrapped");
