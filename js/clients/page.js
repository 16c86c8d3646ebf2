/** What only a page can wrap, beyond the clients that both can. @type {import("./index.js").KnownClient[]} */
export const clientsOfPlatform = [];
