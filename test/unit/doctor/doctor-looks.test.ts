import assert from "node:assert/strict";
import { SiteFacts, StreamFacts } from "../../../diagnosis/facts/facts";
import { Seen, SiteLooks } from "../../../doctor/doctor-looks";
import { SiteReport, statusOf } from "../../../diagnosis/facts/doctor-report";

/** A good site with one stream, at so many sequences at the site and at the hub's source. */
function seen(siteSeq: number, sourceSeq: number, more: Partial<Seen> & { activeMs?: number } = {}): Seen {
  const { activeMs = 300, ...rest } = more;
  const source = { name: "EVENTS", api: "$JS.oslo.API", activeMs, lag: 0, seq: sourceSeq };
  const stream: StreamFacts = {
    name: "EVENTS",
    collectedAs: "OSLO/EVENTS",
    api: "$JS.oslo.API",
    atSite: { messages: siteSeq, lastSeq: siteSeq, created: "c" },
    onHub: { messages: sourceSeq, lastSeq: sourceSeq, created: "h", source },
  };
  const facts: SiteFacts = {
    site: "oslo",
    declared: { account: "OSLO", domain: "oslo", hubDomain: "hub", linkKey: "" },
    failedSteps: [],
    hub: { domain: "hub", links: [{ account: "OSLO" }] },
    leaf: { domain: "oslo", links: [{ account: "OSLO" }], errors: [] },
    streams: [stream],
  };
  const waiting = { EVENTS: siteSeq - sourceSeq };
  return { facts, links: ["OSLO"], waiting, unseen: [], notGiven: [], ...rest };
}

const STANDS_MS = 4_000;

describe("what becomes of a site from look to look", () => {
  /** One look a second. */
  function after(...all: Seen[]): { report: SiteReport; isSettled: boolean } {
    const looks = new SiteLooks("oslo", false);
    all.forEach((one, i) => looks.add(one, i * 1_000));
    return { report: looks.report("late"), isSettled: looks.isSettled((all.length - 1) * 1_000, STANDS_MS) };
  }
  const codes = ({ findings }: SiteReport): string[] => findings.map(({ code }) => code);
  const times = (count: number, one: Seen): Seen[] => Array.from({ length: count }, () => one);

  it("is good at the first look when nothing waits", () => {
    const { report, isSettled } = after(seen(20, 20));
    assert.deepEqual([report.verdict, isSettled], ["good", true]);
  });

  it("has every independent finding, also when nothing of it reaches the hub", () => {
    const lost = seen(10, 20);
    lost.facts.hub.links = [];
    const found = after(lost).report.findings.map(({ code, stream }) => [code, stream]);
    assert.deepEqual(found, [
      ["link-down", undefined],
      ["site-store-rolled-back", "EVENTS"],
    ]);
  });

  it("has no finding of a stream that only follows from another of the site", () => {
    const unlinked = seen(20, 20, { activeMs: -1 });
    unlinked.facts.hub.links = [];
    assert.deepEqual(codes(after(unlinked).report), ["link-down"]);
  });

  it("is looked at again while messages wait: one look cannot show whether they move", () => {
    assert.equal(after(seen(20, 10)).isSettled, false);
  });

  it("is catching up when the hub came closer and is not there yet", () => {
    const { report, isSettled } = after(seen(1000, 10), seen(1000, 300));
    assert.deepEqual([codes(report), report.verdict, isSettled], [[], "catching up", true]);
  });

  it("is good when the hub follows what is published", () => {
    const { report } = after(seen(100, 95), seen(200, 195));
    assert.equal(report.verdict, "good");
  });

  it("is stuck when messages wait and the hub stays where it is", () => {
    const { report, isSettled } = after(...times(5, seen(20, 10)));
    assert.deepEqual([codes(report), report.verdict, isSettled], [["backlog-stuck"], "error", true]);
    assert.match(report.findings[0]!.evidence, /at sequence 10 for 4\.0 s/);
  });

  it("is not held stuck before it stood for a while", () => {
    assert.equal(after(...times(4, seen(20, 10))).isSettled, false);
  });

  it("is stuck from its last move on, not from the first look", () => {
    assert.equal(after(seen(20, 5), seen(20, 10), ...times(3, seen(20, 10))).isSettled, false);
  });

  it("has no backlog where purged messages left a gap", () => {
    assert.equal(after(seen(20, 10, { waiting: { EVENTS: 0 } })).report.verdict, "good");
  });

  it("warns of a source that is silent for a moment, and goes on looking", () => {
    const { report, isSettled } = after(...times(9, seen(20, 20, { activeMs: 3_000 })));
    assert.deepEqual([codes(report), report.verdict, isSettled], [["source-waiting"], "warning", false]);
  });

  it("is good as soon as the silent source is heard of", () => {
    const { report, isSettled } = after(seen(20, 20, { activeMs: 3_000 }), seen(20, 20));
    assert.deepEqual([report.verdict, isSettled], ["good", true]);
  });

  it("forgets a finding that passed", () => {
    const down = seen(20, 20);
    down.facts.hub.links = [];
    const { report, isSettled } = after(down, seen(20, 20));
    assert.deepEqual([codes(report), isSettled], [[], true]);
  });

  it("has one finding where something stands in the way of everything", () => {
    const down = seen(20, 10);
    down.facts.hub.links = [];
    assert.deepEqual(codes(after(...times(5, { ...down, links: [] })).report), ["link-down"]);
  });

  it("has the verdict of each stream from its own findings", () => {
    const two = seen(20, 20);
    const [stream] = two.facts.streams;
    two.facts.streams.push({ ...stream!, name: "ALARMS", onHub: "missing" });
    const { streams } = after(two).report;
    assert.deepEqual(
      streams.map(({ verdict }) => verdict),
      ["good", "error"],
    );
  });

  it("is unknown where something could not be looked at, after a second look", () => {
    const blind = seen(20, 20, { unseen: [{ what: "hub stream OSLO/EVENTS", why: "no answer" }] });
    assert.equal(after(blind).isSettled, false);
    const { report, isSettled } = after(blind, blind);
    assert.deepEqual([report.verdict, isSettled], ["unknown", true]);
  });

  it("is unknown without any look", () => {
    const report = new SiteLooks("oslo", false).report("no answer within 3 s");
    assert.deepEqual(
      [report.verdict, report.unseen],
      ["unknown", [{ what: "everything", why: "no answer within 3 s" }]],
    );
  });

  it("is pending when it is declared offline, whatever is missing at the site", () => {
    const looks = new SiteLooks("oslo", true);
    const down = seen(20, 20);
    down.facts.leaf.unreachable = "refused";
    looks.add({ ...down, links: [] }, 0);
    const report = looks.report("late");
    assert.deepEqual([report.verdict, report.link, report.findings], ["pending", "pending", []]);
  });

  describe("together", () => {
    const good = after(seen(20, 20)).report;
    const warning = after(seen(20, 20, { activeMs: 3_000 })).report;
    const error = after(seen(20, 10)).report;
    const unknown = new SiteLooks("oslo", false).report("late");
    const partial = after(seen(20, 20, { notGiven: ["links"] })).report;

    it("is good only when every site is", () => assert.equal(statusOf([good, good]), "good"));
    it("is partial when something was not given", () => assert.equal(statusOf([good, partial]), "partial"));
    it("is a warning before it is partial", () => assert.equal(statusOf([partial, warning]), "warning"));
    it("is unknown before it is a warning", () => assert.equal(statusOf([warning, unknown]), "unknown"));
    it("is an error before anything else", () => assert.equal(statusOf([unknown, error]), "error"));
  });
});
