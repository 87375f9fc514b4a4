import assert from "node:assert/strict";
import {
  Known,
  ProofOfStream,
  SiteStanding,
  latencyWords,
  standingOf,
  timeWords,
} from "../../../../views/topology/standing";
import { ALARMS, EVENTS, drawn } from "../../../support/pages/topologies";

const DAY = 86_400_000;
const TWO = drawn({ sites: [{ name: "oslo" }, { name: "bergen", expect: "offline" }], streams: [EVENTS, ALARMS] });

const proofOf = (stream: string, more: Partial<ProofOfStream> = {}): ProofOfStream => ({
  ...{ site: "oslo", stream, status: "proven", messages: 28, latencyMs: 3.6, note: "" },
  ...{ provenAt: "2026-11-03T10:11:12Z", ageMs: DAY },
  ...more,
});
const BOTH = [proofOf("EVENTS"), proofOf("ALARMS_OSLO", { latencyMs: 1200 })];

function standing(known: Partial<Known>, site = "oslo", topology = TWO): SiteStanding {
  const found = standingOf(topology, { unproven: [], ...known }).find((one) => one.site.name === site);
  assert.ok(found);
  return found;
}
const words = ({ state, said, latency, when }: SiteStanding) => [state, said, latency, when];

describe("the standing of a site", () => {
  it("is proven with all its streams: messages in all, the slowest, and when", () => {
    assert.deepEqual(words(standing({ proof: BOTH })), ["proven", "56 messages", "1.2 s", "3 Nov 2026, 10:11 UTC"]);
  });

  it("is unproven when one stream has no proof", () => {
    const { state, said } = standing({ proof: BOTH.slice(0, 1) });
    assert.deepEqual([state, said], ["unproven", "not proven yet"]);
  });

  for (const changed of ["oslo", "hub"]) {
    it(`is unproven when ${changed} changed since its last proof`, () => {
      assert.deepEqual(words(standing({ proof: BOTH, unproven: [changed] })), [
        ...["unproven", "changed since", "", "3 Nov 2026, 10:11 UTC"],
      ]);
    });
  }

  it("is not touched by what changed elsewhere", () => {
    assert.equal(standing({ proof: BOTH, unproven: ["bergen"] }).state, "proven");
  });

  it("is old when one of its proofs is, from 30 days on", () => {
    const aged = (ageMs: number) => standing({ proof: [proofOf("EVENTS"), proofOf("ALARMS_OSLO", { ageMs })] }).state;
    assert.deepEqual([aged(30 * DAY - 1), aged(30 * DAY)], ["proven", "old"]);
  });

  it("has the time of its oldest proof", () => {
    const old = proofOf("ALARMS_OSLO", { provenAt: "2026-09-01T00:00:00Z", ageMs: 60 * DAY });
    assert.equal(standing({ proof: [proofOf("EVENTS"), old] }).when, "1 Sep 2026, 00:00 UTC");
  });

  it("says when the time of a proof was not recorded", () => {
    const { provenAt: _at, ageMs: _age, ...old } = proofOf("EVENTS");
    assert.deepEqual(words(standing({ proof: [old, { ...old, stream: "ALARMS_OSLO" }] })).slice(2), [
      ...["3.6 ms", "time not recorded"],
    ]);
  });

  it("is pending where the site is expected offline, whatever was proven before", () => {
    const before = [proofOf("EVENTS", { site: "bergen" }), proofOf("ALARMS_BERGEN", { site: "bergen" })];
    const { state, said } = standing({ proof: before }, "bergen");
    assert.deepEqual([state, said], ["pending", "expected offline"]);
  });

  it("is pending while its machine is away, with the time of its last proof", () => {
    const away = BOTH.map((proof): ProofOfStream => ({ ...proof, status: "pending" }));
    assert.deepEqual(words(standing({ proof: away, unproven: ["oslo"] })), [
      ...["pending", "its machine was away", "", "3 Nov 2026, 10:11 UTC"],
    ]);
  });

  it("says nothing of proofs where only the settings are known", () => {
    assert.deepEqual(words(standing({})), ["none", "planned", "", ""]);
    assert.equal(standing({}, "bergen").state, "pending");
  });

  it("has nothing to prove without streams", () => {
    const { state, said } = standing({ proof: [] }, "oslo", drawn({ sites: [{ name: "oslo" }] }));
    assert.deepEqual([state, said], ["none", "no streams, nothing to prove"]);
  });

  it("has what the smoke test noted, once and without a seed", () => {
    const note = `lost SUAM${"A".repeat(54)}`;
    const { notes } = standing({ proof: BOTH.map((proof) => ({ ...proof, note })) });
    assert.deepEqual(notes, ["lost SU…(masked)"]);
  });
});

describe("a time", () => {
  it("is read as people write it, in UTC", () => {
    assert.equal(timeWords("2026-01-09T08:05:00Z"), "9 Jan 2026, 08:05 UTC");
  });

  it("stays as it is when it is none", () => {
    assert.equal(timeWords("yesterday"), "yesterday");
  });
});

it("a latency is in milliseconds below a second", () => {
  assert.deepEqual([latencyWords(999.9), latencyWords(1000)], ["999.9 ms", "1.0 s"]);
});
