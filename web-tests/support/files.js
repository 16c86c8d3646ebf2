// Files for a test, in a folder that goes when the tests have run.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";
import { pathToFileURL } from "node:url";

/** @param {string} name Part of the folder's name. */
export function filesFor(name) {
  const root = mkdtempSync(join(tmpdir(), `polystore-${name}-`));
  after(() => rmSync(root, { recursive: true }));
  let places = 0;
  return {
    root,
    /** The path of a file that is not there yet. */
    freshPath: (extension = ".json") => join(root, `own-${++places}${extension}`),
  };
}

/** @param {string} path */
export const urlOf = (path) => /** @type {`file:${string}`} */ (pathToFileURL(path).href);
