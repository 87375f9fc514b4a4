import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { MsgHdrs } from "nats";
import { probeSubject } from "../../../../configs/permissions";
import { StreamSettings } from "../../../../configs/settings";
import { StoredMessage } from "../../../../servers/nats/jetstream";
import { Prober, probeHeaders, probeNumber, probePayload } from "../../../../fleet/proof/probe-message";
import { newSeed, settingsOf } from "../../../support/rules/settings";

const [events, all] = settingsOf({
  sites: [{ name: "oslo" }],
  streams: [
    { name: "EVENTS", subjects: ["events.>"] },
    { name: "ALL", subjects: ["all.>"], collect: { mode: "merged" } },
  ],
}).streams as [StreamSettings, StreamSettings];

const operator = newSeed();
const OSLO: Prober = { stack: "dev", access: { site: "oslo", operator }, stream: events };
const SUBJECT = probeSubject("EVENTS", "r1");

const stored = (head: MsgHdrs, change: Partial<StoredMessage> = {}): StoredMessage => {
  const headerLines = [...head].map(([name, [value]]): [string, string] => [name, value ?? ""]);
  const headers = Object.fromEntries(headerLines);
  return { seq: 7, subject: SUBJECT, headers, headerLines, payload: probePayload(64), storedAt: 0, ...change };
};
const made = (change: Partial<StoredMessage> = {}, prober = OSLO): StoredMessage =>
  stored(probeHeaders(prober, SUBJECT, "r1", 3), change);

describe("a probe", () => {
  it("is known again, with its number, at the site and on the hub", () => {
    assert.equal(probeNumber(OSLO, "EVENTS", made()), 3);
  });

  it("is known again in a merged stream, where the site stands before its subject", () => {
    const prober = { ...OSLO, stream: all };
    const subject = probeSubject("ALL_OSLO", "r1");
    const message = stored(probeHeaders(prober, subject, "r1", 3), { subject: `oslo.${subject}` });
    assert.equal(probeNumber(prober, "ALL_OSLO", message), 3);
    assert.equal(probeNumber(prober, "ALL_OSLO", { ...message, subject: `bergen.${subject}` }), undefined);
  });

  const OTHERS: Record<string, StoredMessage> = {
    "a message without headers": made({ headers: {}, headerLines: [] }),
    "a message that says something": made({ payload: Buffer.from("..m1..") }),
    "a probe under another subject": made({ subject: "events.a" }),
    "a probe of another run": made({ subject: probeSubject("EVENTS", "r2") }),
    "a probe of another stack": made({}, { ...OSLO, stack: "prod" }),
    "a probe of another site": made({}, { ...OSLO, access: { site: "bergen", operator } }),
    "a probe made with another key": made({}, { ...OSLO, access: { site: "oslo", operator: newSeed() } }),
    "another number than its mark's": made({ headers: { ...made().headers, "Probe-Number": "4" } }),
    "a mark of its own making": made({
      headers: { ...made().headers, "Probe-Mark": createHmac("sha256", "").update("dev").digest("hex").slice(0, 32) },
    }),
  };
  for (const [name, message] of Object.entries(OTHERS)) {
    it(`is not ${name}`, () => {
      assert.equal(probeNumber(OSLO, "EVENTS", message), undefined);
    });
  }

  it("gives away nothing of the key that marks it", () => {
    assert.ok(!JSON.stringify([...probeHeaders(OSLO, SUBJECT, "r1", 3)]).includes(operator));
  });
});
