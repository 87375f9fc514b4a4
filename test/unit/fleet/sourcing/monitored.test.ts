import assert from "node:assert/strict";
import { monitorMetadata } from "../../../../configs/monitor/metadata";
import { sourceOf } from "../../../../configs/streams";
import { monitoredBy, monitoredWithout } from "../../../../fleet/sourcing/monitored";
import { settingsOf } from "../../../support/rules/settings";

const [ALL] = settingsOf({ streams: [{ name: "ALL", subjects: ["all.>"], collect: { mode: "merged" } }] }).streams;
const sourcesOf = (...sites: string[]) => sites.map((site) => sourceOf(ALL!, site));
const having = (sources: number, ...offline: string[]) => ({
  metadata: monitorMetadata({ sources, offline, replicas: 1 }),
});
const FLEET = new Set(["oslo", "bergen", "hamar"]);
const OSLO = { site: "oslo", expect: "online" as const, sites: FLEET };

describe("the number of sources that a merged stream is checked for", () => {
  const count = (live: number, ...sites: string[]): number =>
    monitoredBy(OSLO, having(live), sourcesOf(...sites), 1).sources;

  it("is that of the list that is written", () => assert.equal(count(1, "bergen", "oslo"), 2));
  it("does not fall when another site's source is missing", () => assert.equal(count(3, "bergen", "oslo"), 3));
  it("is corrected where the fleet does not have so many sites", () => assert.equal(count(4, "bergen", "oslo"), 2));
  it("is what is left when a site leaves", () =>
    assert.equal(monitoredWithout("oslo", having(3), sourcesOf("bergen"), 1).sources, 1));
});

describe("the sites that a merged stream calls offline", () => {
  const offline = (expect: "online" | "offline", ...live: string[]): readonly string[] =>
    [...monitoredBy({ ...OSLO, expect }, having(2, ...live), sourcesOf("bergen", "oslo"), 1).offline].sort();

  it("are the others as they were, and this one as it is declared", () => {
    assert.deepEqual(offline("online", "bergen", "oslo"), ["bergen"]);
    assert.deepEqual(offline("offline", "bergen"), ["bergen", "oslo"]);
  });
  it("have a source", () => assert.deepEqual(offline("online", "hamar"), []));
  it("are without the one that leaves", () =>
    assert.deepEqual(monitoredWithout("oslo", having(2, "bergen", "oslo"), sourcesOf("bergen"), 1).offline, [
      "bergen",
    ]));
});
