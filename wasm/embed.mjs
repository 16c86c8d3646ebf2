// Turns a .wasm into a JavaScript module that exports its bytes as a string, one character (U+0000 to U+00FF) a byte.
// The bundler escapes what is not ASCII. Even so the byte pattern of the code is kept, which base64 destroys: a page
// downloads 2.4 KB less (brotli).
import { readFile, writeFile } from "node:fs/promises";

const [wasm, module] = process.argv.slice(2);
/** @type {Record<string, string>} */
const escapes = { "\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\0": "\\x00" };
const text = (await readFile(wasm)).toString("latin1").replace(/[\\"\n\r\0]/g, (character) => escapes[character]);
await writeFile(module, `export default "${text}";\n`);
