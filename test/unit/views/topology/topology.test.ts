import assert from "node:assert/strict";
import { placeWords } from "../../../../views/topology/mermaid";
import { topologyOf } from "../../../../views/topology/topology";
import { newSeed, settingsOf } from "../../../support/rules/settings";
import { ALARMS, EVENTS, drawn } from "../../../support/pages/topologies";

describe("the topology of a fleet", () => {
  it("has the hub, its account for merged streams and its domain", () => {
    const { hub } = drawn({ hub: { name: "center" }, sites: [] });
    assert.deepEqual(hub, { name: "center", account: "HUB", domain: "center", runtime: "process" });
  });

  it("has how many servers form a hub of several, and shows it in words", () => {
    const { hub } = drawn({ hub: { servers: 3 }, sites: [] });
    assert.equal(hub.servers, 3);
    assert.equal(placeWords(hub), "3 processes");
  });

  it("has of each site its account, its domain, where it runs and whether it is expected", () => {
    const [{ link: _link, streams: _streams, ...site } = assert.fail()] = drawn({
      sites: [{ name: "oslo-2", runtime: "docker", engine: "ssh://edge@oslo.example", expect: "offline" }],
    }).sites;
    assert.deepEqual(site, {
      ...{ name: "oslo-2", account: "OSLO_2", domain: "oslo-2", expect: "offline" },
      ...{ runtime: "docker", engine: "ssh://edge@oslo.example" },
    });
  });

  it("says who dials whom, and where", () => {
    const { sites } = drawn({
      hub: { ports: { leafnodes: 7422 } },
      sites: [{ name: "oslo" }, { name: "bergen", hubAddress: "hub.example:7000" }],
    });
    assert.deepEqual(
      sites.map(({ link }) => link),
      [
        { from: "oslo", to: "hub", dials: "127.0.0.1:7422", security: "loopback" },
        { from: "bergen", to: "hub", dials: "hub.example:7000", security: "plain" },
      ],
    );
  });

  it("names no port that is not known yet", () => {
    assert.equal(drawn({ sites: [{ name: "oslo" }] }).sites[0]?.link.dials, "127.0.0.1");
  });

  it("knows links with TLS", () => {
    const { sites } = drawn({ links: { tls: "generated" }, sites: [{ name: "oslo" }] });
    assert.equal(sites[0]?.link.security, "tls");
  });

  it("has each stream of a site and the hub's that collects it", () => {
    const { sites } = drawn({ sites: [{ name: "oslo" }], streams: [EVENTS, ALARMS] });
    assert.deepEqual(sites[0]?.streams, [
      {
        name: "EVENTS",
        subjects: ["events.>"],
        collected: { account: "OSLO", stream: "EVENTS", mode: "perSite" },
      },
      {
        name: "ALARMS_OSLO",
        subjects: ["alarms.>"],
        collected: { account: "HUB", stream: "ALARMS", mode: "merged" },
      },
    ]);
  });

  it("has no secret: neither a seed nor the password of an engine's address", () => {
    const seed = newSeed();
    const settings = settingsOf({
      sites: [
        { name: "oslo", runtime: "docker", engine: "tcp://edge:pass%20word@oslo.example:2376" },
        { name: "bergen", runtime: "docker", engine: `ssh://${seed}@bergen.example` },
      ],
      keys: { oslo: { link: seed } },
    });
    const text = JSON.stringify(topologyOf(settings));
    assert.equal(text.includes("pass%20word"), false, text);
    assert.equal(text.includes(seed), false, text);
    assert.match(text, /"tcp:\/\/edge@oslo\.example:2376"/);
  });
});
