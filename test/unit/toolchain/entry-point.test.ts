import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";

const ROOT = path.resolve(__dirname, "../../..");

describe("the Pulumi program", () => {
  // Without `main` the SDK runs what package.json exports as "." (components/index.ts): no resource, and no error.
  it("is index.ts, said in Pulumi.yaml", () => {
    assert.match(fs.readFileSync(path.join(ROOT, "Pulumi.yaml"), "utf8"), /^main: index\.ts$/m);
  });
});
