import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { recordOf, subject } from "../clients.js";

/** Members of other code, which are no records. @type {Record<string, unknown>} */
const FOREIGN_MEMBERS = { theme: "dark", count: 5, half: { value: 1 }, list: [1], no: null };
/** Files of other code. @type {Record<string, string>} */
const FOREIGN_FILES = {
  "theme.json": '"dark"',
  "cut.json": '{"expires":',
  "100%.json": "{}",
  "a b.json": "{}",
  "a+b.json": '{"expires":null,"value":1}',
  [`k+${"0".repeat(64)}.json`]: '{"key":"k","expires":null,"value":1}',
  "notes.txt": "",
};

/**
 * Returns another URL of a place. Stores over one URL would share a client.
 * @param {string} url
 * @param {string} folder The folder that the place is in.
 */
function throughLink(url, folder) {
  const link = join(folder, "link");
  if (!existsSync(link)) symlinkSync(folder, link);
  return url.replace(pathToFileURL(folder).href, pathToFileURL(link).href);
}

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} folder In which each case has a file of its own.
 */
export function file(kv, folder) {
  let files = 0;
  const path = (/** @type {string} */ url) => new URL(url);
  const read = (/** @type {string} */ url) => JSON.parse(readFileSync(path(url), "utf8"));
  return subject(kv, {
    name: "a file",
    type: "FILE",
    atomic: "origin",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY" },
    open: () => pathToFileURL(join(folder, `${++files}.json`)).href,
    second: (url) => throughLink(url, folder),
    held: (url) => (existsSync(path(url)) ? Object.keys(read(url)) : []),
    foreignKeys: Object.keys(FOREIGN_MEMBERS),
    putForeign: (url) => writeFileSync(path(url), JSON.stringify(FOREIGN_MEMBERS)),
    putJson(url, key, json) {
      const others = Object.entries(read(url)).map(
        ([key, record]) => `${JSON.stringify(key)}:${JSON.stringify(record)}`,
      );
      writeFileSync(path(url), `{${[...others, `${JSON.stringify(key)}:${recordOf(json)}`]}}`);
    },
    holdsForeign: (url, key) => JSON.stringify(read(url)[key]) === JSON.stringify(FOREIGN_MEMBERS[key]),
  });
}

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} parent In which each case has a folder of its own.
 */
export function folder(kv, parent) {
  let folders = 0;
  const path = (/** @type {string} */ url, name = "") => new URL(encodeURIComponent(name), url);
  return subject(kv, {
    name: "a folder",
    type: "FOLDER",
    atomic: "origin",
    refuses: { "lone surrogate key": "ERR_KEY" },
    open: () => `${pathToFileURL(join(parent, `${++folders}`)).href}/`,
    second: (url) => throughLink(url, parent),
    held: (url) =>
      (existsSync(path(url)) ? readdirSync(path(url)) : []).flatMap((name) =>
        name === ".polystore-ignores-case"
          ? []
          : name.includes("+")
            ? JSON.parse(readFileSync(path(url, name), "utf8")).key
            : decodeURIComponent(name.replace(/\.json$/, "")),
      ),
    foreignKeys: Object.keys(FOREIGN_FILES),
    putForeign(url) {
      mkdirSync(path(url), { recursive: true });
      for (const [name, text] of Object.entries(FOREIGN_FILES)) writeFileSync(path(url, name), text);
    },
    putJson: (url, key, json) => writeFileSync(path(url, `${key}.json`), recordOf(json)),
    holdsForeign: (url, name) => readFileSync(path(url, name), "utf8") === FOREIGN_FILES[name],
  });
}
