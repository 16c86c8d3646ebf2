// The documents for who changes the code: the example of docs/architecture.md keeps the contract of clients, and what the pages
// name is there.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { pathToFileURL } from "node:url";
import { checkCommit, checkScan } from "../support/client_contract.js";
import { documents } from "./blocks.js";

const page = readFileSync("docs/architecture.md", "utf8");
const folder = mkdtempSync(join("build", "architecture-"));
after(() => rmSync(folder, { recursive: true }));

/** The storage that the page describes. */
class Storage {
  #texts = new Map();

  /** @param {string} id */
  async textAt(id) {
    return this.#texts.get(id);
  }

  async allTexts() {
    return new Map(this.#texts);
  }

  /** @param {(texts: Map<string, string>) => unknown} action */
  async change(action) {
    return action(this.#texts);
  }
}

test("the example is the only code of the page", () => {
  const languages = [...page.matchAll(/^```(\w+)$/gm)].map(([, language]) => language);
  assert.deepEqual(languages, ["text", "js", "text", "text"]);
  assert.equal(page.match(/^```/gm)?.length, 2 * languages.length);
});

test("the example lists ranges in order, and makes only the commits whose expectations hold", async () => {
  const [, code] = /** @type {RegExpExecArray} */ (/^```js\n(.*?)^```$/ms.exec(page));
  const file = join(folder, "shelf.js");
  writeFileSync(file, code.replaceAll('from "../', `from "${pathToFileURL("js").href}/`));
  const { Shelf } = await import(pathToFileURL(file).href);
  await checkScan(new Shelf(new Storage()));
  await checkCommit(new Shelf(new Storage()));

  const shelf = new Shelf(new Storage());
  const put = (/** @type {number} */ value) =>
    shelf.commit([{ expected: [], changes: [{ id: "a", value, expires: null }] }]);
  await put(1);
  const found = await shelf.read("a");
  await put(2);
  assert.deepEqual(await shelf.commit([{ expected: [{ id: "a", found }], changes: [{ id: "a" }] }]), [false]);
});

test("every link of the documents leads to a file, and to a heading in it", () => {
  const isElsewhere = (/** @type {string} */ to) => /^https?:/.test(to);
  const broken = documents.flatMap(({ path, text }) =>
    [...text.replace(/^```.*?^```$/gms, "").matchAll(/\]\(([^)#]*)(?:#([^)]*))?\)/g)].flatMap(([link, to, heading]) => {
      if (isElsewhere(to)) return [];
      const target = to === "" ? path : join(dirname(path), to);
      if (!existsSync(target)) return [`${path}: ${link}`];
      return heading === undefined || headingsOf(target).includes(heading) ? [] : [`${path}: ${link}`];
    }),
  );
  assert.deepEqual(broken, []);
});

test("every link of a document that the package has leads to what the package has", () => {
  const shipped = ["README.md", "LICENSE", "package.json", ...JSON.parse(readFileSync("package.json", "utf8")).files];
  const isShipped = (/** @type {string} */ path) =>
    shipped.some((entry) => path === entry || path.startsWith(`${entry}/`));
  const broken = documents
    .filter(({ path }) => isShipped(path))
    .flatMap(({ path, text }) =>
      [...text.replace(/^```.*?^```$/gms, "").matchAll(/\]\(([^)#]+)/g)]
        .map(([, to]) => to)
        .filter((to) => !/^https?:/.test(to) && !isShipped(join(dirname(path), to)))
        .map((to) => `${path}: ${to}`),
    );
  assert.deepEqual(broken, []);
});

/** @param {string} path Of a document. */
function headingsOf(path) {
  const headings = [...readFileSync(path, "utf8").matchAll(/^#+ (.*)$/gm)];
  return headings.map(([, heading]) =>
    heading
      .toLowerCase()
      .replaceAll(" ", "-")
      .replace(/[^\w-]/g, ""),
  );
}

test("every function and file that the documents name is there", () => {
  const code = ["js", "src", "wasm", "web-tests", "native-tests"].flatMap((folder) =>
    readdirSync(folder, { recursive: true, encoding: "utf8" })
      .map((name) => join(folder, name))
      .filter((name) => /\.([jt]s|mjs|[ch]pp|html|json|md)$/.test(name)),
  );
  const text = code.map((name) => readFileSync(name, "utf8")).join("\n");
  const isThere = (/** @type {string} */ name) => {
    if (name.endsWith("/")) return existsSync(name) || code.some((file) => file.includes(`/${name}`));
    if (name.includes("/")) return existsSync(name) || code.some((file) => file.endsWith(`/${name}`));
    if (/\.([jt]s|[ch]pp|json)$/.test(name)) return code.some((file) => file.endsWith(`/${name}`));
    return name.split(/::|\./).every((part) => text.includes(part));
  };
  const internal = documents.filter(({ path }) => ["docs/architecture.md", "docs/opfs.md"].includes(path));
  const missing = internal.flatMap(({ path, text }) =>
    // Before the example, which invents some.
    [...text.split("## How to add a storage")[0].matchAll(/`([\w#:./]+)`/g)]
      .map(([, name]) => name)
      .filter((name) => !isThere(name) && !/^(build|dist)\//.test(name))
      .map((name) => `${path}: ${name}`),
  );
  assert.deepEqual(missing, []);
});
