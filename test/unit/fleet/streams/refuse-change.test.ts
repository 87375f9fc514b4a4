import assert from "node:assert/strict";
import { StreamConfig, siteStreamConfig } from "../../../../configs/streams";
import { StreamInfo } from "../../../../servers/nats/jetstream";
import { refuseChange } from "../../../../fleet/streams/refuse-change";
import { siteEnd } from "../../../../fleet/sourcing/stream-ends";
import { settingsOf } from "../../../support/rules/settings";
import { withEnvironment } from "../../providers/temp-folder";

const [settings] = settingsOf({ streams: [{ name: "EVENTS", subjects: ["events.>"], maxBytes: "1MB" }] }).streams;
const CONFIG: StreamConfig = siteStreamConfig(settings!, "oslo", "dev");

describe("a change of a stream", () => {
  withEnvironment(() => ({ DISCARD: undefined, REMAKE: undefined }));

  const existing = (change: Partial<StreamConfig> = {}, state: Partial<StreamInfo["state"]> = {}): StreamInfo => ({
    config: { ...CONFIG, ...change },
    created: "",
    state: { messages: 10, bytes: 500_000, first_seq: 1, last_seq: 10, ...state },
  });
  const change = (info: StreamInfo, wanted: Partial<StreamConfig> = {}, adopt = false) => {
    const end = siteEnd({ ...settings!, adopt }, { site: "oslo", expect: "online", stack: "dev", root: "/none" });
    refuseChange({ ...end, wanted: { ...end.wanted, ...wanted } }, info);
  };

  it("is let through when there is none", () => {
    change(existing());
  });

  it("is let through when JetStream makes it in place and nothing is lost", () => {
    change(existing(), { subjects: ["other.>"], max_bytes: 2_000_000, discard: "new", max_age: 0, num_replicas: 3 });
  });

  it("is refused when JetStream cannot make it, with what a new stream would lose", () => {
    assert.throws(() => change(existing(), { storage: "memory" }), {
      message:
        "stream EVENTS at site oslo: JetStream cannot change storage file -> memory in place; declare a stream of another name, or have the stream recreated with REMAKE=oslo/EVENTS: the 10 messages that it holds are lost at the site, with its consumers (save them first with 'nats stream backup')",
    });
  });

  it("that JetStream cannot make is let through when this very stream may be made anew", () => {
    process.env.REMAKE = "1,bergen/EVENTS";
    assert.throws(() => change(existing(), { storage: "memory" }), /REMAKE=oslo\/EVENTS/);
    process.env.REMAKE = "bergen/EVENTS, oslo/EVENTS";
    change(existing(), { storage: "memory" });
  });

  it("that JetStream cannot make may be kept where nothing declared depends on it", () => {
    const edited = (field: string) => () => change(existing({ [field]: true }));
    assert.throws(
      edited("allow_msg_ttl"),
      /allow_msg_ttl true -> false in place; .* keep it with adopt: true, or have/,
    );
    assert.throws(edited("sealed"), /another name, or have the stream recreated/);
  });

  it("is refused on a stream that this program did not make", () => {
    assert.throws(() => change(existing({ metadata: {} })), {
      message:
        "stream EVENTS at site oslo: a stream of this name exists and was not made by this program; rename yours, or set adopt: true to take it over",
    });
  });

  it("is refused on a stream of another stack, which is named", () => {
    assert.throws(
      () => change(existing({ metadata: { "nats-hub-leaf.stack": "prod" } })),
      /a stream of this name exists and belongs to stack prod; rename yours, or set adopt: true/,
    );
  });

  it("is let through on a stream of somebody else with adopt", () => {
    change(existing({ metadata: {} }), {}, true);
  });

  it("is refused on an adopted stream too when JetStream cannot make it", () => {
    assert.throws(() => change(existing({ metadata: {}, storage: "memory" }), {}, true), /cannot change storage/);
  });

  it("is refused when a smaller limit would drop what is there", () => {
    assert.throws(() => change(existing(), { max_bytes: 400_000 }), {
      message:
        "stream EVENTS at site oslo: max_bytes 400000 is less than the 500000 bytes that it holds; keep the limit, or allow the loss with DISCARD=oslo",
    });
  });

  it("is refused when a limit that somebody took off would drop what is there", () => {
    assert.throws(() => change(existing({ max_bytes: -1 }), { max_bytes: 400_000 }), /less than the 500000 bytes/);
  });

  it("is let through to a smaller limit that holds what is there", () => {
    change(existing(), { max_bytes: 600_000 });
  });

  it("is refused when a first or shorter age would drop older messages", () => {
    assert.throws(() => change(existing(), { max_age: 60e9 }), /a shorter max_age drops older messages/);
    assert.throws(() => change(existing({ max_age: 90e9 }), { max_age: 60e9 }), /a shorter max_age/);
  });

  it("is let through to a longer age, to none, and to a shorter one of an empty stream", () => {
    change(existing({ max_age: 60e9 }), { max_age: 90e9 });
    change(existing({ max_age: 60e9 }), { max_age: 0 });
    change(existing({}, { messages: 0, bytes: 0 }), { max_age: 60e9 });
  });

  it("that loses messages is let through when the loss at this site is allowed", () => {
    process.env.DISCARD = "oslo";
    change(existing(), { max_bytes: 1 });
    process.env.DISCARD = "bergen";
    assert.throws(() => change(existing(), { max_bytes: 1 }), /DISCARD=oslo/);
  });
});
