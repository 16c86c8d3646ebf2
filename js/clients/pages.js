/** The number of records in a page: as many as the core examines in one step. */
const PAGE_LENGTH = 512;

/**
 * Yields pages of a storage that can list all its keys at once. The records of a page are read when the page is requested.
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
