// npm run bench: ratios against polystore, measured in one run, in Node and in Chromium.

import upstream from "polystore";
import kv from "polystore-wasm";
import { launchChromium } from "../support/browser.js";
import { serve } from "../support/server.js";
import { contests } from "./contests.js";
import { measure, table } from "./measure.js";

const inNode = [];
for (const contest of contests(kv, upstream).inMemory()) inNode.push(await measure(contest));
console.log(table(`Node ${process.versions.node}`, inNode));

const server = await serve({ isolated: true });
const { context, close } = await launchChromium();
const page = await context.newPage();
await page.goto(`${server.origin}/web-tests/bench/index.html`);
await page.waitForFunction(() => "bench" in window);
/** @type {import("./measure.js").Result[]} */
const inChromium = await page.evaluate(() => /** @type {any} */ (window).bench());
console.log(`\n${table(`Chromium ${context.browser()?.version() ?? ""}`, inChromium)}`);

// Each import evaluates a module of its own, as its URL differs.
const milliseconds = await page.evaluate(async () => {
  const times = [];
  for (let i = 0; i < 15; ++i) {
    const start = performance.now();
    await import(`/dist/index.js?evaluation=${i}`);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
});
const [fastest, middle] = [milliseconds[0], milliseconds[7]];
console.log(`\nimport of the module, with its download from this machine: ${middle.toFixed(1)} ms`);
console.log(`(the fastest of 15: ${fastest.toFixed(1)} ms)`);

await close();
await server.close();
