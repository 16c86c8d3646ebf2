// What `npm start` runs when all is built: the job in the terminal, in JavaScript and in C++, and then the page.
//     node web-tests/demo/start.mjs [--once]      with --once, it ends before the page
//     PORT=3000 node web-tests/demo/start.mjs     8080, or any that is free, unless told otherwise

import { once } from "node:events";
import { parseArgs } from "node:util";
import { cacheCountries, countriesFile, readCountries } from "./countries.mjs";
import { runNativeProgram } from "./native_program.mjs";
import { serve } from "./server.mjs";
import { describe } from "./terminal.mjs";

const { values: options } = parseArgs({ options: { once: { type: "boolean" } } });

const colours = process.stdout.isTTY && !process.env.NO_COLOR;
const heading = (/** @type {string} */ text) =>
  console.log(`\n${colours ? `\x1b[1m── ${text}\x1b[22m` : `── ${text}`}\n`);

heading("JavaScript");
console.log(describe(await cacheCountries(await readCountries()), colours));

heading("C++");
await runNativeProgram(countriesFile);

if (!options.once) {
  const { url, close } = await openPage();
  heading("Browser");
  console.log(`${url}  (Ctrl+C to stop)\n`);
  await Promise.race([once(process, "SIGINT"), once(process, "SIGTERM")]);
  await close();
}

/** Where PORT says, and there only; else on 8080, or on any that is free. */
async function openPage() {
  if (process.env.PORT) return serve(Number(process.env.PORT));
  return serve(8080).catch((error) => {
    if (error.code !== "EADDRINUSE") throw error;
    return serve(0);
  });
}
