// The code blocks of the README, and what their comments promise.

import { readFileSync } from "node:fs";

/** @param {string} document Its text. */
export const codeBlocks = (document) =>
  [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));

export const readme = readFileSync("README.md", "utf8");
export const blocks = codeBlocks(readme);

/** @param {string} language */
export const blocksOf = (language) => blocks.filter((block) => block.language === language).map(({ code }) => code);

/**
 * Whether a block of JavaScript needs more than a page has: another package, or a Worker.
 * @param {string} code
 */
export const isForServers = (code) => /from "(?!polystore-wasm")/.test(code) || code.includes("export default");

/**
 * What the comments behind `console.log(…)` promise.
 * @param {string} code
 */
export function promised(code) {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(([, text]) => text.split(", "));
}
