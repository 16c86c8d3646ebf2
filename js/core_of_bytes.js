import bytes from "#core-bytes";
import { moduleOfBytes } from "./module_of_bytes.js";

/** The core, compiled at run time from the bytes that this module carries: one file, whoever fetches it. */
export const compiledCore = () => moduleOfBytes(bytes);
