// Turns a .wasm file into a JavaScript module that exports it as text, for js/core/module_of_text.js to decode.
import { readFile, writeFile } from "node:fs/promises";
import { BASE, FIRST } from "../js/core/module_of_text.js";

const [wasm, module] = process.argv.slice(2);
const text = Array.from(await readFile(wasm), (byte) => {
  const high = Math.floor(byte / BASE);
  const low = String.fromCharCode(FIRST + (byte % BASE));
  return high === 0 ? low : String.fromCharCode(FIRST + BASE - 1 + high) + low;
}).join("");
await writeFile(module, `export default ${JSON.stringify(text)};\n`);
