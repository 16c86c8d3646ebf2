// npm run reproduce: builds the tarball twice, in clones of the last commit at places of different names, and compares the bytes.
import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { heading, run } from "./run.mjs";

const folder = mkdtempSync(join(tmpdir(), "polystore-reproduce-"));
try {
  const hashes = ["one", "another place"].map((name) => {
    const clone = join(folder, name);
    heading(`In ${JSON.stringify(name)}`);
    run("git", ["clone", "--quiet", "--no-hardlinks", ".", clone]);
    run("node", [".tools/build.mjs"], { cwd: clone });
    const pack = ["pack", "--json", "--ignore-scripts", "--pack-destination", clone];
    const [{ filename }] = JSON.parse(execFileSync("npm", pack, { cwd: clone, encoding: "utf8" }));
    const hash = createHash("sha256")
      .update(readFileSync(join(clone, filename)))
      .digest("hex");
    console.log(`${filename}: SHA-256 ${hash}`);
    return hash;
  });
  if (hashes[0] !== hashes[1]) throw new Error("The two tarballs differ.");
  console.log("Both tarballs are the same.");
} finally {
  rmSync(folder, { recursive: true });
}
