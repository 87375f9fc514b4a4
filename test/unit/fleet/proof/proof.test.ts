import assert from "node:assert/strict";
import { Finding } from "../../../../diagnosis/diagnose";
import { ProbeFacts } from "../../../../diagnosis/facts/facts";
import { ProofRow, rowsOf, timed } from "../../../../fleet/proof/proof";
import { settingsOf } from "../../../support/rules/settings";

const { streams } = settingsOf({
  streams: [
    { name: "EVENTS", subjects: ["events.>"] },
    { name: "ALARMS", subjects: ["alarms.>"], collect: { mode: "merged" } },
  ],
});
const PROBE: ProbeFacts = { through: "real", sent: 28, arrived: 28, doubled: 0, burst: 25, latencyMs: 4.2 };

describe("the rows of the proof", () => {
  it("are one for each stream, with its names at the site and on the hub", () => {
    assert.deepEqual(
      rowsOf({ site: "oslo-2" }, streams, { probes: { EVENTS: PROBE, ALARMS_OSLO_2: PROBE }, findings: [] }),
      [
        {
          site: "oslo-2",
          account: "OSLO_2",
          stream: "EVENTS",
          collected: "OSLO_2/EVENTS",
          link: "up",
          messages: 28,
          latencyMs: 4.2,
          status: "proven",
          note: "",
        },
        {
          site: "oslo-2",
          account: "OSLO_2",
          stream: "ALARMS_OSLO_2",
          collected: "HUB/ALARMS",
          link: "up",
          messages: 28,
          latencyMs: 4.2,
          status: "proven",
          note: "",
        },
      ],
    );
  });

  it("of an offline site are pending and say why", () => {
    const [row] = rowsOf({ site: "oslo" }, streams);
    assert.deepEqual([row?.link, row?.status, row?.messages], ["pending", "pending", 0]);
    assert.match(row?.note ?? "", /declared offline/);
  });

  it("of a site whose machine is away are pending, one for each stream, and say that it was left as it is", () => {
    const rows = rowsOf({ site: "oslo" }, streams, undefined, true);
    assert.deepEqual(
      rows.map(({ stream, link, status, messages, latencyMs, note }) => [
        stream,
        link,
        status,
        messages,
        latencyMs,
        note,
      ]),
      ["EVENTS", "ALARMS_OSLO"].map((stream) => [
        ...[stream, "pending", "pending", 0, 0],
        "its machine cannot be reached: left as it is",
      ]),
    );
  });

  it("say when a probe stream stood in for the real one, and why", () => {
    const probe: ProbeFacts = { ...PROBE, through: "stand-in", why: "the stream at the site has retention workqueue" };
    const [row] = rowsOf({ site: "oslo" }, streams, { probes: { EVENTS: probe }, findings: [] });
    assert.equal(row?.note, "through a probe stream: the stream at the site has retention workqueue");
  });

  it("say what was lost", () => {
    const loss: Finding = {
      code: "hub-store-rolled-back",
      severity: "warning",
      site: "oslo",
      symptom: "x",
      cause: "the hub's stream went back in time",
      evidence: "x",
      next: "x",
    };
    const [row] = rowsOf({ site: "oslo" }, streams, { probes: { EVENTS: PROBE }, findings: [loss] });
    assert.deepEqual([row?.status, row?.note], ["proven", "the hub's stream went back in time"]);
  });

  it("are none without streams", () => {
    assert.deepEqual(rowsOf({ site: "oslo" }, []), []);
  });
});

describe("the time of a proof", () => {
  const rows = (away: boolean): ProofRow[] =>
    rowsOf({ site: "oslo" }, streams, away ? undefined : { probes: { EVENTS: PROBE }, findings: [] }, away);
  const times = (of: readonly ProofRow[]) => of.map(({ provenAt }) => provenAt);
  const [before, now] = ["2026-11-01T10:00:00Z", "2026-11-03T10:00:00Z"];

  it("is now for what was proven, whenever it was before", () => {
    assert.deepEqual(times(timed(rows(false), now, timed(rows(false), before))), [now, now]);
  });

  it("stays that of the last proof while a site is pending", () => {
    const pending = timed(rows(true), now, timed(rows(false), before));
    assert.deepEqual(times(timed(pending, now, pending)), [before, before]);
  });

  it("is absent until there was a proof", () => {
    assert.deepEqual(timed(rows(true), now), rows(true));
  });
});
