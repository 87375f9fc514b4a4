import assert from "node:assert/strict";
import type { Deployment } from "../../../../commands/stack/pending";
import { fleetOf, opened } from "../../../../commands/state/fleet-state";

const SECRET = (value: unknown) => ({
  "4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270",
  plaintext: JSON.stringify(value),
});
const urn = (type: string, name: string): string =>
  `urn:pulumi:dev::nats-hub-leaf::nats-hub-leaf:index:Leaf$pulumi-nodejs:dynamic/nats:${type}::${name}`;

describe("the fleet of a state", () => {
  const STATE = {
    deployment: {
      resources: [
        {
          urn: urn("HubServer", "hub-server"),
          inputs: {
            place: { kind: "process", folder: ".fleet/dev/hub" },
            declaration: { restart: { name: "centre" } },
            secrets: SECRET({ system: "system-seed" }),
          },
        },
        {
          urn: urn("LeafServer", "oslo-server"),
          inputs: {
            place: { kind: "process", folder: ".fleet/dev/sites/oslo" },
            declaration: { restart: { name: "oslo" } },
            access: SECRET({ link: "link-seed" }),
          },
        },
        {
          urn: urn("Streams", "oslo-streams"),
          inputs: {
            site: "oslo",
            expect: "online",
            root: ".fleet/dev",
            streams: [{ name: "EVENTS", collect: { mode: "merged" } }],
            access: { url: "nats://s", hubUrl: "nats://h", operator: SECRET("operator-seed") },
          },
        },
        {
          urn: urn("SmokeTest", "smoke-test"),
          outputs: {
            proven: { streams: { "oslo HUB/EVENTS": { hubCreated: "then", hubLastSeq: 3, hubMessages: 2 } } },
          },
        },
      ],
    },
  } as unknown as Deployment;
  const [oslo] = fleetOf(STATE, "dev", "/project");

  it("has the addresses and keys of each site", () => {
    const access = { url: "nats://s", hubUrl: "nats://h", operator: "operator-seed" };
    assert.deepEqual(oslo?.access, { site: "oslo", expect: "online", ...access });
    assert.deepEqual([oslo.system, oslo.linkSeed, oslo.hubDomain], ["system-seed", "link-seed", "centre"]);
  });

  it("has its folders in the project's, wherever the command runs", () => {
    assert.deepEqual(oslo?.place, { kind: "process", folder: "/project/.fleet/dev/sites/oslo" });
    assert.deepEqual(oslo?.hubPlace, { kind: "process", folder: "/project/.fleet/dev/hub" });
    assert.equal(oslo?.root, "/project/.fleet/dev");
  });

  it("has what the last proof saw, by the stream's name at the site", () => {
    assert.deepEqual(oslo?.before, { EVENTS_OSLO: { hubCreated: "then", hubLastSeq: 3, hubMessages: 2 } });
  });

  it("is refused when there is nothing to look at", () => {
    assert.throws(() => fleetOf({}, "dev", "/project"), /stack 'dev': .* nothing to look at; run 'make up' first/);
  });

  it("has secrets within secrets in clear", () => {
    assert.deepEqual(opened(SECRET({ a: [SECRET("b")] })), { a: ["b"] });
  });
});
