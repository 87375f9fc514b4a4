import assert from "node:assert/strict";
import { deployedFleet } from "../../../../commands/state/deployed-fleet";
import type { Deployment } from "../../../../commands/stack/pending";
import { settingsOf } from "../../../support/rules/settings";

const SECRET = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const urn = (type: string, name: string): string =>
  `urn:pulumi:dev::nats-hub-leaf::nats-hub-leaf:index:Fleet$pulumi-nodejs:dynamic/nats:${type}::${name}`;

const { keys: _, ...settings } = settingsOf({
  sites: [{ name: "oslo" }, { name: "bergen", runtime: "docker", reach: "hub" }, { name: "unborn" }],
  streams: [{ name: "EVENTS", subjects: ["events.>"], collect: { mode: "merged" } }],
});

const identity = (owner: string, monitor: number) => ({
  urn: urn("Identity", `${owner}-identity`),
  outputs: { owner, seeds: SECRET({ operator: `seed of ${owner}` }), allocated: { monitor } },
});

const access = {
  hubUrl: "nats://h:1",
  sites: Object.fromEntries(["oslo", "bergen", "unborn"].map((name) => [name, { url: `nats://${name}:2` }])),
};

const STATE = {
  deployment: {
    resources: [
      { urn: urn("FleetCheck", "fleet-check"), inputs: { settings, access: SECRET(access) } },
      identity("hub", 8222),
      identity("oslo", 8223),
      identity("bergen", 8224),
    ],
  },
} as unknown as Deployment;

describe("the deployed fleet of a state", () => {
  const { fleet, seeds } = deployedFleet(STATE, "dev");

  it("has the servers' addresses, and monitoring where it is reached", () => {
    assert.deepEqual(fleet.hub, { name: "hub", url: "nats://h:1", monitor: "http://127.0.0.1:8222" });
    assert.deepEqual(fleet.sites, [
      {
        name: "oslo",
        url: "nats://oslo:2",
        monitor: "http://127.0.0.1:8223",
        account: "OSLO",
        reach: "direct",
        expect: "online",
      },
      { name: "bergen", url: "nats://bergen:2", account: "BERGEN", reach: "hub", expect: "online" },
    ]);
  });

  it("has the streams as they are collected", () => {
    assert.deepEqual(fleet.streams, [{ name: "EVENTS", subjects: ["events.>"], mode: "merged" }]);
  });

  it("has the seeds apart, in clear", () => {
    assert.equal(seeds.oslo?.operator, "seed of oslo");
    assert.doesNotMatch(JSON.stringify(fleet), /seed/);
  });

  it("is refused when nothing is deployed", () => {
    for (const state of [undefined, {}]) assert.throws(() => deployedFleet(state, "dev"), /run 'make up' first/);
  });
});
