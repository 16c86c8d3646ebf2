// Turns core.wasm into a JavaScript module that exports its bytes as a string, one character (U+0000 to U+00FF) a byte.
// UTF-8 text keeps the byte pattern of the code, so that a page downloads 2.5 KB less than with base64 (brotli).
import { readFile, writeFile } from "node:fs/promises";

const [wasm, module] = process.argv.slice(2);
/** @type {Record<string, string>} */
const escapes = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\x00" };
const text = (await readFile(wasm)).toString("latin1").replace(/[\\"\n\r\0]/g, (character) => escapes[character]);
await writeFile(module, `export default "${text}";\n`);
