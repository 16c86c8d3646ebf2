import { recordOf, subject } from "../clients.js";

/** Values of other code, which are no records. @type {Record<string, string>} */
const FOREIGN = { theme: "dark", half: '{"expires":nu', list: "[1]", empty: "" };
const TEXT = { keyEncoding: "utf8", valueEncoding: "utf8" };

/**
 * @param {(...args: any[]) => any} kv
 * @param {string} name
 * @param {() => any} open A database that is empty.
 * @param {(database: any) => any} reopen
 * @param {Readonly<Record<string, string>>} [refuses]
 */
export function level(kv, name, open, reopen, refuses = {}) {
  return subject(kv, {
    name,
    type: "LEVEL",
    atomic: "process",
    isTransactional: true,
    refuses: { "lone surrogate key": "ERR_KEY", ...refuses },
    open,
    reopen,
    close: (database) => database.close(),
    held: (database) => database.keys(TEXT).all(),
    foreignKeys: Object.keys(FOREIGN),
    async putForeign(database) {
      for (const [key, value] of Object.entries(FOREIGN)) await database.put(key, value, TEXT);
    },
    putJson: (database, key, json) => database.put(key, recordOf(json), TEXT),
    holdsForeign: async (database, key) => (await database.get(key, TEXT)) === FOREIGN[key],
  });
}
