import assert from "node:assert/strict";
import { existsSync, statSync, writeFileSync } from "node:fs";
import {
  failedSteps,
  markProven,
  markUnproven,
  removeMarks,
  siteStep,
  unproven,
} from "../../../../fleet/observation/unproven";
import { reported } from "../../providers/reported";
import { inTempFolder } from "../../providers/temp-folder";

describe("marks of what is not proven", () => {
  const temp = inTempFolder();
  const root = () => temp.path("dev");

  it("are none before anything changed", () => {
    assert.deepEqual(unproven(root()), []);
  });

  it("name the servers that changed, in order", () => {
    markUnproven(root(), "oslo");
    markUnproven(root(), "bergen");
    assert.deepEqual(unproven(root()), ["bergen", "oslo"]);
  });

  it("are lifted one by one", () => {
    markUnproven(root(), "oslo");
    markUnproven(root(), "bergen");
    markProven(root(), "oslo");
    assert.deepEqual(unproven(root()), ["bergen"]);
  });

  it("are lifted without an error when there are none", () => {
    markProven(root(), "oslo");
  });

  it("keep why a step failed when the server changes again", () => {
    markUnproven(root(), "oslo", { server: "port 20001 is taken" });
    markUnproven(root(), "oslo");
    assert.deepEqual(failedSteps(root(), "oslo"), ["port 20001 is taken"]);
  });

  it("lie in a private folder, and go with all that is in it", () => {
    markUnproven(root(), "oslo");
    assert.equal(statSync(temp.path("dev", "unproven")).mode & 0o777, 0o700);
    removeMarks(root());
    assert.equal(existsSync(root()), false);
  });

  it("say what is in the way when they cannot be set", () => {
    writeFileSync(root(), "");
    assert.throws(() => markUnproven(root(), "oslo"), /dev\/unproven: a part of the path is a file; remove it or/);
  });

  describe("of a step of one site", () => {
    it("stay after a step that succeeded: only a proof lifts them", async () => {
      assert.equal(await siteStep(root(), "oslo", "server", async () => undefined), undefined);
      assert.deepEqual([unproven(root()), failedSteps(root(), "oslo")], [["oslo"], []]);
    });

    it("are there while the step runs, so that an interrupted one is proven later", async () => {
      let during: string[] = [];
      await siteStep(root(), "oslo", "server", async () => void (during = unproven(root())));
      assert.deepEqual(during, ["oslo"]);
    });

    it("keep why it failed; the failure is shown and returned, not thrown", async () => {
      let problem: string | undefined;
      const lines = await reported(async () => {
        problem = await siteStep(root(), "oslo", "server", () => Promise.reject(new Error("no link")));
      });
      assert.equal(problem, "no link");
      assert.deepEqual(lines, ["site oslo: no link"]);
      assert.deepEqual(failedSteps(root(), "oslo"), ["no link"]);
    });

    it("forget the failure of a step that succeeded since, and of no other step", async () => {
      const fail = (step: string) => siteStep(root(), "oslo", step, () => Promise.reject(new Error(`no ${step}`)));
      await reported(async () => {
        await fail("server");
        await fail("streams");
        await siteStep(root(), "oslo", "server", async () => undefined);
      });
      assert.deepEqual(failedSteps(root(), "oslo"), ["no streams"]);
    });

    it("name the site once where the failure names it too", async () => {
      const fail = () => siteStep(root(), "oslo", "server", () => Promise.reject(new Error("oslo: no link")));
      assert.deepEqual(await reported(fail), ["site oslo: no link"]);
      assert.deepEqual(failedSteps(root(), "oslo"), ["no link"]);
    });

    it("say nothing of another site", async () => {
      await reported(() => siteStep(root(), "oslo", "server", () => Promise.reject(new Error("no link"))));
      assert.deepEqual([failedSteps(root(), "bergen"), unproven(root())], [[], ["oslo"]]);
    });
  });
});
