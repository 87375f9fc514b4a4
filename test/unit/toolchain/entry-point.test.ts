import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import * as fs from "node:fs";
import * as path from "node:path";
import { ROOMS } from "../../support/rules/rooms";

const ROOT = path.resolve(__dirname, "../../..");

describe("the Pulumi program", () => {
  // Without `main` the SDK runs what package.json exports as "." (components/index.ts): no resource, and no error.
  it("is index.ts, said in Pulumi.yaml", () => {
    assert.match(fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8"), /^main: index\.ts$/m);
  });
});

describe("the package", () => {
  it("has every room, what Pulumi reads, and no test", () => {
    const packed = execFileSync("npm", ["pack", "--dry-run", "--json"], { cwd: ROOT, encoding: "utf8", stdio: "pipe" });
    const [{ files }] = JSON.parse(packed) as [{ files: { path: string }[] }];
    const folders = new Set(files.map(({ path: file }) => file.split("/")[0]));
    for (const needed of [
      ...ROOMS.map(({ room }) => room),
      "index.ts",
      "Pulumi.yaml",
      "package.json",
      "LICENSE",
      "README.md",
      "docs",
    ])
      assert.ok(folders.has(needed), needed);
    assert.deepEqual(
      ["test", "bench", ".github", "Pulumi.dev.yaml"].filter((name) => folders.has(name)),
      [],
    );
  });
});
