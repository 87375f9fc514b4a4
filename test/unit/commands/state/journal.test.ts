import assert from "node:assert/strict";
import { addsMany } from "../../../../commands/state/journal";
import type { Deployment, StateResource } from "../../../../commands/stack/pending";
import type { RawSettings, Settings } from "../../../../configs/settings";
import { readSettings } from "../../../../configs/reading/read-settings";

const settingsOf = (count: number, more: Partial<RawSettings> = {}): Settings => {
  const sites = Array.from({ length: count }, (_, i) => ({ name: `site-${i + 1}` }));
  const { settings } = readSettings({ sites, streams: [], ...more }, undefined);
  assert.ok(settings);
  return settings;
};
const CHECK = "urn:pulumi:dev::p::nats-hub-leaf:index:Fleet$pulumi-nodejs:dynamic/nats:FleetCheck::fleet-check";
const stateOf = ({ keys: _none, ...settings }: Settings, more: Partial<StateResource> = {}): Deployment => ({
  deployment: { resources: [{ urn: CHECK, inputs: { settings }, ...more }] },
});
const TEN = stateOf(settingsOf(10));

describe("a run adds many sites, and nothing else,", () => {
  const yes = (what: string, settings: Settings, state: Deployment) =>
    it(`when ${what}`, () => assert.equal(addsMany(settings, state), true));
  const no = (what: string, settings: Settings, state: Deployment) =>
    it(`not when ${what}`, () => assert.equal(addsMany(settings, state), false));

  yes("the stack has ten sites, and nothing yet", settingsOf(10), {});
  yes("ten sites join ten", settingsOf(20), TEN);
  no("the stack has nine sites, and nothing yet", settingsOf(9), {});
  no("nine sites join ten", settingsOf(19), TEN);
  no("nothing has changed", settingsOf(10), TEN);
  no(
    "a site leaves",
    settingsOf(30, {
      sites: settingsOf(30)
        .sites.slice(1)
        .map(({ name }) => ({ name })),
    }),
    TEN,
  );
  no(
    "the key of a site rotates",
    settingsOf(20, { sites: settingsOf(20).sites.map(({ name }, i) => ({ name, rotation: i === 3 ? 2 : 1 })) }),
    TEN,
  );
  no("the hub gets another limit", settingsOf(20, { hub: { maxFile: "20GiB" } }), TEN);
  no("keys are given", { ...settingsOf(20), keys: { "site-1": { link: "a seed" } } }, TEN);
  no("an earlier run has not finished to delete", settingsOf(20), stateOf(settingsOf(10), { delete: true }));
  no("an earlier run made keys only", settingsOf(20), {
    deployment: { resources: [{ urn: CHECK.replaceAll("FleetCheck", "Identity") }] },
  });
});
