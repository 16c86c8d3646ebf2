// The code blocks of the documents for users, and what their comments promise.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** A block of code. @typedef {{ path: string, language: string, code: string }} Block */

/** The documents for who changes the code, and the one whose examples facades.test.js runs. */
const OTHERS = ["docs/architecture.md", "docs/opfs.md", "docs/facades.md"];

/** @param {string} document Its text. */
export const codeBlocks = (document) =>
  [...document.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, code]) => ({ language, code }));

/** All documents. */
export const documents = [
  ...["README.md", "CONTRIBUTING.md", "SECURITY.md"],
  ...readdirSync("docs", { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => join("docs", name))
    .sort(),
].map((path) => ({ path, text: readFileSync(path, "utf8") }));

/** The documents whose every block is run. */
export const pages = documents.filter(
  ({ path }) => path === "README.md" || (path.startsWith("docs/") && !OTHERS.includes(path)),
);

/** @type {Block[]} */
export const blocks = pages.flatMap(({ path, text }) => codeBlocks(text).map((block) => ({ path, ...block })));

/** @param {string} language */
export const blocksOf = (language) => blocks.filter((block) => block.language === language);

/** What a test of a block is called: its document and its first line that says something. @param {Block} block */
export const nameOf = ({ path, code }) => {
  const isTelling = (/** @type {string} */ line) => line !== "" && !/^ *(import|<)/.test(line);
  return `${path}: ${code.split("\n").find(isTelling)?.trim()}`;
};

/**
 * Whether a block of JavaScript needs more than a page has: another package, or a Worker.
 * @param {Block} block
 */
export const isForServers = ({ code }) => /from "(?!polystore-wasm")/.test(code) || code.includes("export default");

/**
 * What the comments behind `console.log(…)` promise.
 * @param {string} code
 */
export function promised(code) {
  return [...code.matchAll(/console\.log\(.*\); \/\/ (.*)$/gm)].flatMap(([, text]) => text.split(", "));
}
