import { has } from "./has.js";
import { Sqlite } from "./sqlite.js";

/** What only a server can wrap: none of it is in what a page downloads. @type {import("./index.js").KnownClient[]} */
export const clientsOfPlatform = [
  {
    type: "SQLITE",
    recognizes: has("prepare", "exec", "close"),
    open: (database) => new Sqlite(database),
  },
];
