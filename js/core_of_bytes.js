import bytes from "#core-bytes";

/** The core, compiled at run time from the bytes that this module carries: one file, whoever fetches it. */
export const compiledCore = () =>
  new WebAssembly.Module(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
