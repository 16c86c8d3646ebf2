import { cache, clear, mistakes } from "./calls.js";
import { Column } from "./column.js";
import { fetchCountries } from "./countries.js";
import { Editor } from "./editor.js";
import { part } from "./parts.js";
import { storages } from "./storages.js";

/** @typedef {import("./calls.js").Call} Call */

const TICK_MS = 200;

const status = part(document, "status", HTMLElement);
const editor = new Editor();
const columns = storages.map((storage) => new Column(storage));
// Another tab shares all of these storages but one, and hears of changes only so.
const tabs = new BroadcastChannel("polystore-demo");
const list = new Intl.ListFormat("en");
/** Settles with the latest call: what is asked for meanwhile comes after it, so that the last word is on the last click. */
let latest = Promise.resolve();

/**
 * Makes a call when its turn comes.
 * @param {Call | Promise<Call>} call
 * @param {Column[]} [targets]
 */
function enqueue(call, targets = columns) {
  latest = latest.then(async () => run(await call, targets)).catch((error) => say(String(error)));
}

/**
 * Makes a call on each of these columns, and says what came of it.
 * @param {Call} call
 * @param {Column[]} targets
 */
async function run(call, targets) {
  /** @type {{ name: string, code: string | undefined }[]} */
  const results = [];
  // One after another: at once, each would be timed with the work of the others in it.
  for (const column of targets) results.push({ name: column.name, code: await column.run(call) });
  tabs.postMessage("changed");
  const outcomes = [...new Set(results.map(({ code }) => code))].map((code) => {
    const names = results.filter((result) => result.code === code).map(({ name }) => name);
    return `${code ?? "done"} in ${names.length === columns.length ? "all six" : list.format(names)}`;
  });
  say(`${call.code}: ${outcomes.join("; ")}.`);
}

/** @param {string} text */
function say(text) {
  // Six columns that say the same are heard once.
  if (status.textContent !== text) status.textContent = text;
}

/**
 * @param {string} name
 * @param {() => Call | Promise<Call>} makeCall
 */
function onClick(name, makeCall) {
  part(document, name, HTMLButtonElement).addEventListener("click", () => enqueue(makeCall()));
}

for (const column of columns) {
  column.addEventListener("call", (event) => enqueue(/** @type {CustomEvent<Call>} */ (event).detail, [column]));
  column.addEventListener("expired", (event) => {
    say(`Expired: ${list.format(/** @type {CustomEvent<string[]>} */ (event).detail)}.`);
  });
}
editor.form.addEventListener("submit", (event) => {
  event.preventDefault();
  enqueue(editor.set());
});
onClick("read", () => editor.get());
onClick("delete", () => editor.del());
onClick("cache", async () => cache(await fetchCountries()));
onClick("clear-all", clear);
for (const [name, mistake] of Object.entries(mistakes)) onClick(`mistake-${name}`, mistake);
tabs.addEventListener("message", () => columns.forEach((column) => column.refresh()));
setInterval(() => columns.forEach((column) => column.tick()), TICK_MS);

part(document, "columns", HTMLElement).append(...columns.map(({ element }) => element));
await Promise.all(columns.map((column) => column.refresh()));
const found = columns.reduce((sum, { size }) => sum + size, 0);
say(found === 0 ? "Nothing is stored yet." : `Found ${found} entries that were here before.`);
