/** What only a server can wrap: none of it is in what a page downloads. @type {import("./index.js").KnownClient[]} */
export const clientsOfPlatform = [];
