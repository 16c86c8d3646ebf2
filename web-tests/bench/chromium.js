import { launchChromium } from "../support/browser.js";
import { serve } from "../support/server.js";

/** A page of Chromium, with a profile on disk, whose window has `bench`. */
export async function openBenchPage() {
  const server = await serve({ isolated: true });
  const chromium = await launchChromium();
  const page = await chromium.context.newPage();
  await page.goto(`${server.origin}/web-tests/bench/index.html`);
  await page.waitForFunction(() => "bench" in window);
  const close = async () => {
    await chromium.close();
    await server.close();
  };
  return { page, version: chromium.context.browser()?.version() ?? "", close };
}

/**
 * How long the module takes to be evaluated, in milliseconds. Each import evaluates a module of its own, as its URL differs;
 * it is fetched and parsed before that is timed.
 * @param {import("@playwright/test").Page} page
 */
export async function evaluationTimes(page) {
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
  return { fastest: milliseconds[0], middle: milliseconds[7] };
}
