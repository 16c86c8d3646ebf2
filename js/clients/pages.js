/** Records to a page: as many as the core looks at in one step. */
const PAGE_LENGTH = 512;

/**
 * The pages of a storage that can tell all its keys at once. Each record is looked up when its page's turn comes.
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
