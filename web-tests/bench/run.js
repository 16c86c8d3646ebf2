// The tables of `npm run bench` that JavaScript measures, in Node and in Chromium: those that are named.

import upstream from "polystore";
import kv from "polystore-wasm";
import { callsAlone } from "./alone.js";
import { contests } from "./contests.js";
import { inLog } from "./log.js";
import { measure, table } from "./measure.js";
import { inRedis } from "./redis.js";
import { inServers } from "./servers.js";

const names = process.argv.slice(2);
const node = `Node ${process.versions.node}`;

if (names.includes("map")) {
  const results = [];
  for (const contest of contests(kv, upstream).inMemory()) results.push(await measure(contest));
  console.log(`${table(node, results)}\n`);
}
if (names.includes("log")) console.log(`${table(node, await inLog())}\n`);
if (names.includes("alone")) console.log(`${table(node, await callsAlone(upstream))}\n`);
if (names.includes("redis")) console.log(`${table(node, await inRedis())}\n`);
if (names.includes("servers")) {
  for await (const { name, results } of inServers(upstream)) console.log(`${table(name, results)}\n`);
}

const inBrowser = names.filter((name) => ["browser", "indexeddb", "opfs"].includes(name));
if (inBrowser.length > 0) {
  // Only now: Playwright hooks into every promise of the process, which makes an await twice as slow.
  const { openBenchPage, evaluationTimes } = await import("./chromium.js");
  const { page, version, close } = await openBenchPage();
  for (const name of inBrowser) {
    const results = await page.evaluate((name) => window.bench(name), name);
    console.log(`${table(`Chromium ${version}`, results)}\n`);
  }
  if (inBrowser.includes("browser")) {
    const { fastest, middle } = await evaluationTimes(page);
    console.log(`evaluating the module, core included: ${middle.toFixed(1)} ms (target: under 10 ms)`);
    console.log(`(the fastest of 15: ${fastest.toFixed(1)} ms)\n`);
  }
  await close();
}
