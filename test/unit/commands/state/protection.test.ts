import assert from "node:assert/strict";
import * as fs from "node:fs";
import * as path from "node:path";
import type { PulumiStack } from "../../../../commands/stack/backend";
import type { Deployment, StateResource } from "../../../../commands/stack/pending";
import {
  holdsProtected,
  leavingSites,
  otherLosses,
  refuseUnconfirmed,
  refuseUnnamedRemoval,
} from "../../../../commands/state/protection";
import { inTempFolder, withEnvironment } from "../../providers/temp-folder";
import { type Kind, resource } from "../../toolchain/docker-state";

const ROOT = path.resolve(__dirname, "../../../..");

const kept = (kind: Kind, name: string, more: Partial<StateResource> = {}) =>
  resource(kind, name, { ...more, protect: true });
const identity = (server: string, roles = ["link", "reader"]) =>
  kept("identity", `${server}-identity`, { inputs: { roles } });
const stateOf = (...resources: StateResource[]): Deployment => ({ deployment: { resources } });

describe("a protected stack", () => {
  const temp = inTempFolder();
  withEnvironment(() => ({ CONFIRM: undefined, REMOVE: undefined }));
  let target: PulumiStack;
  const configure = (settings: Record<string, unknown>): void => {
    const entries = Object.entries(settings).map(([name, value]): [string, unknown] => [
      `nats-hub-leaf:${name}`,
      value,
    ]);
    fs.writeFileSync(temp.path("Pulumi.prod.yaml"), JSON.stringify({ config: Object.fromEntries(entries) }));
  };
  beforeEach(() => {
    fs.copyFileSync(path.join(ROOT, "Pulumi.yaml"), temp.path("Pulumi.yaml"));
    target = { binary: "pulumi", projectFolder: temp.path(), stack: "prod", env: {} };
  });

  describe("is changed only with its name", () => {
    const asked = /^Refusal: stack 'prod': it is protected, .*: make up STACK=prod CONFIRM=prod \(make preview/;

    it("by its settings, before it has any state", () => {
      configure({ protect: true, sites: [] });
      assert.throws(() => refuseUnconfirmed(target, "up", undefined), asked);
      process.env.CONFIRM = "prod";
      refuseUnconfirmed(target, "up", undefined);
    });

    it("by its state, also when the settings have just dropped `protect` or cannot be read", () => {
      configure({ protect: false });
      assert.throws(() => refuseUnconfirmed(target, "up", stateOf(identity("oslo"))), asked);
      fs.writeFileSync(temp.path("Pulumi.prod.yaml"), "config: [");
      assert.throws(() => refuseUnconfirmed(target, "up", stateOf(identity("oslo"))), asked);
    });

    it("and no other name will do", () => {
      configure({ protect: true, sites: [] });
      process.env.CONFIRM = "staging";
      assert.throws(
        () => refuseUnconfirmed(target, "down", undefined),
        /\(CONFIRM=staging names another\): make down STACK=/,
      );
    });

    it("which no other stack is asked for", () => {
      configure({ sites: [] });
      refuseUnconfirmed(target, "up", stateOf(resource("link", "oslo-link")));
      assert.equal(holdsProtected(stateOf(resource("link", "oslo-link"))), false);
    });
  });

  describe("loses a site only when the site is named", () => {
    beforeEach(() => configure({ protect: true, sites: [{ name: "bergen" }] }));
    const state = stateOf(identity("hub", ["system"]), identity("oslo"), identity("bergen"));

    it("knows the sites that the settings have no more, and not the hub for one", () => {
      assert.deepEqual(leavingSites(target, state), ["oslo"]);
      assert.deepEqual(
        leavingSites(target, stateOf(resource("identity", "oslo-identity", { inputs: { roles: ["link"] } }))),
        [],
      );
    });

    it("knows none when the settings cannot be read: the program says why", () => {
      configure({ sites: 7 });
      assert.deepEqual(leavingSites(target, state), []);
    });

    it("is refused without the name, with the command that has it", () => {
      assert.throws(
        () => refuseUnnamedRemoval(["oslo"], [], target),
        /no longer have site oslo, .* make up STACK=prod CONFIRM=prod REMOVE=oslo \(/,
      );
      assert.throws(() => refuseUnnamedRemoval(["oslo", "narvik"], ["oslo"], target), /no longer have site narvik/);
      refuseUnnamedRemoval(["oslo"], ["oslo"], target);
    });

    it("is refused with the name of one that stays", () => {
      assert.throws(() => refuseUnnamedRemoval([], ["bergen"], target), /REMOVE=bergen: the settings still have it/);
    });

    it("takes the name of one that is gone: the command is run again after an interruption", () => {
      refuseUnnamedRemoval([], ["oslo"], target);
    });
  });

  it("loses nothing protected besides the named site", () => {
    const planned: [StateResource, string[]][] = [
      [identity("oslo"), ["delete"]],
      [kept("volume", "oslo-data"), ["delete"]],
      [resource("link", "oslo-link"), ["delete"]],
      [identity("bergen"), ["same"]],
      [kept("server", "bergen-server"), ["update"]],
      [resource("container", "bergen-container"), ["delete"]],
      [kept("volume", "bergen-data"), ["create-replacement", "replace", "delete-replaced"]],
      [kept("streams", "oslo-north-streams"), ["delete"]],
    ];
    const plan = { resourcePlans: Object.fromEntries(planned.map(([{ urn }, steps]) => [urn, { steps }])) };
    const state = stateOf(...planned.map(([one]) => one));
    assert.deepEqual(otherLosses(plan, state, ["oslo"]), ["bergen-data", "oslo-north-streams"]);
    assert.deepEqual(otherLosses(plan, state, ["oslo", "oslo-north"]), ["bergen-data"]);
    assert.deepEqual(otherLosses({}, state, ["oslo"]), []);
  });
});
