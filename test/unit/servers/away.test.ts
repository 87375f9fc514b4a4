import assert from "node:assert/strict";
import { isAway } from "../../../servers/away";
import { withEnvironment } from "../providers/temp-folder";

describe("a site that is away", () => {
  withEnvironment(() => ({ NATS_HUB_LEAF_AWAY: undefined }));

  it("is one that the run names", () => {
    process.env.NATS_HUB_LEAF_AWAY = "oslo,bergen";
    assert.deepEqual(["oslo", "bergen", "narvik"].map(isAway), [true, true, false]);
  });

  it("is known by its whole name", () => {
    process.env.NATS_HUB_LEAF_AWAY = "oslo-2";
    assert.deepEqual(["oslo", "oslo-2", "oslo-22"].map(isAway), [false, true, false]);
  });

  it("is none when the run names none", () => {
    assert.equal(isAway("oslo"), false);
  });
});
