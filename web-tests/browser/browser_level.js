import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** What `abstract-level` needs of Node's `events`, which bundlers do not bring: nobody listens in the tests. */
const EVENTS = "exports.EventEmitter = class { emit() {} on() { return this; } once() { return this; } };";

/**
 * The package `browser-level`, which is made for bundlers, as a script that leaves it on the window of a page.
 * @returns {Promise<string>}
 */
export async function bundleBrowserLevel() {
  const { outputFiles } = await build({
    stdin: {
      contents: 'window.browserLevel = require("browser-level");',
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "iife",
    plugins: [
      {
        name: "events",
        setup({ onResolve, onLoad }) {
          onResolve({ filter: /^events$/ }, ({ path }) => ({ path, namespace: "stand-in" }));
          onLoad({ filter: /.*/, namespace: "stand-in" }, () => ({ contents: EVENTS }));
        },
      },
    ],
  });
  return outputFiles[0].text;
}
