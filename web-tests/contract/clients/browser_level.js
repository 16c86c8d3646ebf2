import { level } from "./level.js";

/**
 * Level over IndexedDB.
 * @param {(...args: any[]) => any} kv
 * @param {any} [BrowserLevel] The class of the package `browser-level`, on a page.
 */
export function browserLevel(kv, BrowserLevel) {
  const open = async () => {
    const database = new BrowserLevel("contract", { valueEncoding: "json" });
    await database.clear();
    return database;
  };
  // One that was closed is opened again.
  return level(kv, "Level in IndexedDB", open, (database) => database);
}
