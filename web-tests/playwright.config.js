import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.js",
  outputDir: "../build/playwright",
  // One worker: the tests share two cores with the browser they drive.
  workers: 1,
  timeout: 30_000,
  forbidOnly: true,
});
