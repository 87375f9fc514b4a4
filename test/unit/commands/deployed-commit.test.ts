import assert from "node:assert/strict";
import { deployedCommit } from "../../../commands/deployed-commit";

describe("the commit that a stack was deployed from", () => {
  const COMMIT = "4b825dc642cb6eb9a060e54bf8d69288fbee4904";
  const update = (environment: Record<string, string>, kind = "update") => ({ kind, environment });

  it("is the last update's, whatever was refreshed or previewed since", () => {
    const history = [
      update({ "git.head": "of the refresh" }, "refresh"),
      update({ "git.head": COMMIT, "git.dirty": "false" }),
      update({ "git.head": "an older one" }),
    ];
    assert.equal(deployedCommit(history, "qa"), COMMIT);
  });

  it("is unknown for a stack that was never deployed", () => {
    assert.throws(() => deployedCommit([], "qa"), /stack 'qa': it was never deployed/);
  });

  it("is unknown when it was deployed from a folder without git", () => {
    assert.throws(() => deployedCommit([update({})], "qa"), /without git; take it down from there/);
  });

  it("is refused when there were changes that no commit has", () => {
    const history = [update({ "git.head": COMMIT, "git.dirty": "true" })];
    assert.throws(() => deployedCommit(history, "qa"), /changes that were not committed/);
  });
});
