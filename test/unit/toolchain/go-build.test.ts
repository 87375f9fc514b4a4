import assert from "node:assert/strict";
import { isGoAtLeast } from "../../../commands/toolchain/go-build";

describe("the Go on this machine", () => {
  it("is new enough from 1.21 on", () => {
    assert.equal(isGoAtLeast("go1.21", [1, 21]), true);
    assert.equal(isGoAtLeast("go1.26.8", [1, 21]), true);
    assert.equal(isGoAtLeast("go2.0", [1, 21]), true);
  });

  it("is too old before, compared as numbers", () => {
    assert.equal(isGoAtLeast("go1.19.8", [1, 21]), false);
    assert.equal(isGoAtLeast("go1.9", [1, 21]), false);
  });
});
