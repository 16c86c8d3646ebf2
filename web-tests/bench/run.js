// npm run bench: ratios against polystore, measured in one run, in Node and in Chromium.

import upstream from "polystore";
import kv from "polystore-wasm";
import { serve } from "../support/server.js";
import { contests } from "./contests.js";
import { measure, table } from "./measure.js";
import { inServers } from "./servers.js";

const inNode = [];
for (const contest of contests(kv, upstream).inMemory()) inNode.push(await measure(contest));
console.log(table(`Node ${process.versions.node}`, inNode));
for await (const { name, results } of inServers(upstream)) console.log(`\n${table(name, results)}`);

// Only now: Playwright hooks into every promise of the process, which makes an await twice as slow.
const { launchChromium } = await import("../support/browser.js");
const server = await serve({ isolated: true });
const { context, close } = await launchChromium();
const page = await context.newPage();
await page.goto(`${server.origin}/web-tests/bench/index.html`);
await page.waitForFunction(() => "bench" in window);
/** @type {import("./measure.js").Result[]} */
const inChromium = await page.evaluate(() => /** @type {any} */ (window).bench());
console.log(`\n${table(`Chromium ${context.browser()?.version() ?? ""}`, inChromium)}`);

// Each import evaluates a module of its own, as its URL differs; it is fetched and parsed before that is timed.
const milliseconds = await page.evaluate(async () => {
  const times = [];
  for (let i = 0; i < 15; ++i) {
    const url = `/dist/index.js?evaluation=${i}`;
    const preload = Object.assign(document.createElement("link"), { rel: "modulepreload", href: url });
    await new Promise((resolve, reject) => {
      preload.onload = resolve;
      preload.onerror = reject;
      document.head.append(preload);
    });
    const start = performance.now();
    await import(url);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b);
});
const [fastest, middle] = [milliseconds[0], milliseconds[7]];
console.log(`\nevaluating the module, core included: ${middle.toFixed(1)} ms (target: under 10 ms)`);
console.log(`(the fastest of 15: ${fastest.toFixed(1)} ms)`);

await close();
await server.close();
