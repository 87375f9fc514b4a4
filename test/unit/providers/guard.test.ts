import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as guard from "../../../providers/guard";
import { closedPort, resourcesOf } from "./fleet-inputs";
import { withEnvironment } from "./temp-folder";

describe("the guard of destroy", () => {
  withEnvironment(() => ({ DISCARD: undefined }));
  const outputs = async (change: Partial<guard.GuardInputs> = {}) => {
    const { inputs } = resourcesOf("/tmp/none", await closedPort()).guard;
    return (await guard.create({ ...inputs, ...change })).outs;
  };

  it("refuses while it is unknown what would be lost, and names every place", async () => {
    await assert.rejects(guard.delete("guard", await outputs()), (error: Error) => {
      const lines = error.message.split("\n");
      assert.equal(lines[0], "destroy would lose messages:");
      assert.match(lines[1] ?? "", /^ {2}site oslo: stream EVENTS cannot be read \(.+\)$/);
      assert.match(lines[2] ?? "", /^ {2}hub: its streams cannot be read \(.+\)$/);
      assert.equal(lines[3], "save them first, or allow the loss with DISCARD=1 (make down DISCARD=1)");
      return true;
    });
  });

  it("passes over an offline site, and not over the hub", async () => {
    const offline = await outputs({ sites: [{ site: "oslo", expect: "offline" }] });
    await assert.rejects(guard.delete("guard", offline), (error: Error) => {
      assert.equal(error.message.includes("site oslo"), false);
      assert.match(error.message, /hub: its streams cannot be read/);
      return true;
    });
  });

  it("lets everything go when the loss of everything is allowed", async () => {
    process.env.DISCARD = "1";
    await guard.delete("guard", await outputs());
  });

  it("lets nothing go when only the loss of a site is allowed", async () => {
    process.env.DISCARD = "oslo";
    await assert.rejects(guard.delete("guard", await outputs()), /destroy would lose messages/);
  });

  it("refuses on another machine, whatever is allowed", async () => {
    process.env.DISCARD = "1";
    await assert.rejects(guard.delete("guard", { ...(await outputs()), machine: "another" }), /another machine/);
  });

  it("refuses in another folder, where the processes are not known, unless the old one is gone", async () => {
    process.env.DISCARD = "1";
    const outs = await outputs({ root: tmpdir() });
    await guard.delete("guard", outs);
    await assert.rejects(
      guard.delete("guard", { ...outs, root: ".fleet/dev" }),
      /servers run from .*, but this is another/,
    );
    await guard.delete("guard", { ...outs, folder: join(tmpdir(), "moved away") });
  });

  it("refuses when the environment names another engine than the one that has the containers", async () => {
    process.env.DISCARD = "1";
    const outs = await outputs({ onUnnamedEngine: true });
    await guard.delete("guard", outs);
    await assert.rejects(guard.delete("guard", { ...outs, engine: "tcp://10.0.0.7:2376" }), /set it as before/);
  });

  it("shows no seed in its refusal", async () => {
    const outs = await outputs();
    await assert.rejects(guard.delete("guard", outs), (error: Error) => {
      assert.equal(error.message.includes(outs.hub.seed), false);
      assert.equal(error.message.includes(outs.access.sites.oslo!.operator), false);
      return true;
    });
  });
});
