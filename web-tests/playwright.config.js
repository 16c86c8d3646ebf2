import { defineConfig } from "@playwright/test";

export default defineConfig({
  testDir: ".",
  testMatch: "**/*.spec.js",
  outputDir: "../build/playwright",
  // Each worker has a browser. One of them runs the contract, which is as long as all other files together.
  workers: 2,
  // Long enough for a machine that is ten times as slow as usual: a test fails by these only if it waits for what never comes.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  forbidOnly: true,
});
