import assert from "node:assert/strict";
import { Lead } from "../../../../diagnosis/facts/facts";
import { leadLines, leadWords } from "../../../../views/topology/leads";
import { mermaidOf } from "../../../../views/topology/mermaid";
import { pageOf } from "../../../../views/topology/page";
import { Topology } from "../../../../views/topology/topology";
import { ALARMS, EVENTS, drawn, fleetOfSize, manySites } from "../../../support/pages/topologies";

const three = (sites = manySites(2)): Topology => drawn({ hub: { servers: 3 }, sites, streams: [EVENTS, ALARMS] });
const lead = (stream: string, leader: string, at = "2026-11-03T10:11:12Z"): Lead => ({ stream, leader, at });
const SEEN = [lead("HUB/ALARMS", "hub-2"), lead("SITE_1/EVENTS", "hub-2"), lead("SITE_2/EVENTS", "hub-3")];

describe("the servers of a hub of three", () => {
  it("have a line each with what they lead, and when that was seen", () => {
    assert.deepEqual(leadLines(three(), SEEN), [
      "hub-1 leads no stream",
      "hub-2 leads HUB/ALARMS, SITE_1/EVENTS",
      "hub-3 leads SITE_2/EVENTS",
      "seen 3 Nov 2026, 10:11 UTC",
    ]);
  });

  it("are named where nothing was seen yet", () => {
    assert.deepEqual(leadLines(three(), []), ["hub-1, hub-2, hub-3", "which one leads was not seen yet"]);
  });

  it("have the times between which that was seen, and the streams without a leader", () => {
    const seen = [lead("HUB/ALARMS", ""), lead("SITE_1/EVENTS", "hub-1", "2026-11-02T10:11:12Z")];
    assert.deepEqual(leadLines(three(), seen).slice(-2), [
      "without a leader: HUB/ALARMS",
      "seen between 2 Nov 2026, 10:11 UTC and 3 Nov 2026, 10:11 UTC",
    ]);
  });

  it("lead no stream that the fleet does not have any more", () => {
    assert.equal(leadLines(three(), [...SEEN, lead("GONE/EVENTS", "hub-1")])[0], "hub-1 leads no stream");
  });

  it("are followed by one that the settings do not have any more and that led when it was seen", () => {
    assert.deepEqual(leadLines(three(), [lead("HUB/ALARMS", "hub-5")]).slice(3), [
      "hub-5 leads HUB/ALARMS",
      "seen 3 Nov 2026, 10:11 UTC",
    ]);
  });

  it("name a few streams, merged ones first, and count them", () => {
    const sites = manySites(40);
    const seen = [...sites.map((_, i) => lead(`SITE_${i + 1}/EVENTS`, "hub-1")), lead("HUB/ALARMS", "hub-1")];
    assert.equal(
      leadLines(three(sites), seen)[0],
      "hub-1 leads 41 streams: HUB/ALARMS, SITE_1/EVENTS, SITE_2/EVENTS, …",
    );
  });

  it("are none for a hub of one", () => {
    assert.deepEqual(leadLines(drawn({ sites: manySites(1), streams: [EVENTS] }), SEEN), []);
  });

  it("are on the page, beside each stream too, and in the Mermaid text", () => {
    const topology = three();
    const page = pageOf({ ...fleetOfSize(2), topology, leads: SEEN });
    assert.match(page, /hub-2 leads HUB\/ALARMS, SITE_1\/EVENTS/);
    assert.match(page, /in the site's own account; led by hub-3, seen 3 Nov 2026, 10:11 UTC/);
    assert.match(
      mermaidOf(topology, new Map(), SEEN),
      /hub\["hub<br\/>3 processes<br\/>.*<br\/>hub-1 leads no stream<br\//,
    );
    assert.doesNotMatch(mermaidOf(topology), /leads/);
  });

  it("say nothing of a stream that nobody looked at", () => {
    const [stream = assert.fail()] = three().sites[0]!.streams;
    assert.equal(leadWords(stream, []), "");
    assert.equal(leadWords(stream, [lead("SITE_1/EVENTS", "")]), "without a leader, seen 3 Nov 2026, 10:11 UTC");
  });
});
