import { PAGE_LENGTH } from "../core/core.js";

/**
 * The pages of a storage that can tell all its keys at once, as long as those that the core sees. Each record is looked up
 * when its page's turn comes.
 * @param {string[]} ids
 * @param {(id: string) => unknown} find
 * @returns {Generator<import("../core/client.js").Page, void>}
 */
export function* pagesOf(ids, find) {
  for (let i = 0; i < ids.length; i += PAGE_LENGTH) {
    const page = ids.slice(i, i + PAGE_LENGTH);
    yield { ids: page, found: page.map(find) };
  }
}
