import { launchChromium } from "./web-tests/support/browser.js";
import { serve } from "./web-tests/support/server.js";
const { context, close } = await launchChromium();
const server = await serve({ isolated: true });
const page = await context.newPage();
page.on("console", (m) => console.log("console:", m.text()));
page.on("pageerror", (e) => console.log("pageerror:", e.message));
await page.goto(`${server.origin}/web-tests/browser/empty.html`);
const run = page.evaluate(async () => {
  const { default: kv } = await import("/dist/index.js");
  const out = [];
  const store = kv("opfs:test");
  out.push(await store.set("a", { x: 1 }), await store.get("a"), store.type, await store.entries());
  await store.set("b", "é€😀", { expires: 100 });
  out.push(await store.all(), await store.prefix("b").keys());
  const list = []; for await (const e of store) list.push(e); out.push(list);
  const time = async (name, f) => { const t = performance.now(); await f(); out.push(`${name}: ${((performance.now() - t) * 1000).toFixed(0)} µs`); };
  for (let round = 0; round < 3; ++round) {
  await time("200 sets", async () => { for (let i = 0; i < 200; i++) await store.set("k" + i, { i }); });
  await time("200 gets", async () => { for (let i = 0; i < 200; i++) await store.get("k" + i); });
  await time("1000 sets at once", () => Promise.all(Array.from({ length: 1000 }, (_, i) => store.set("k" + i, { i }))));
  await time("1000 gets at once", () => Promise.all(Array.from({ length: 1000 }, (_, i) => store.get("k" + i))));
  await time("entries", () => store.entries());
  }
  const worker = new Worker(URL.createObjectURL(new Blob(["onmessage=({data})=>postMessage(data)"])));
  return out;
}).catch((e) => e.message);
console.log(JSON.stringify(await Promise.race([run, new Promise((r) => setTimeout(() => r("late"), 20000))]), null, 1));
await close(); await server.close();
