import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.js",
  outputDir: "../build/playwright",
  // Each worker has a browser. One of them runs the contract, which is as long as all other files together.
  workers: 2,
  timeout: 30_000,
  forbidOnly: true,
});
