import type { FindingCode } from "../../../diagnosis/diagnose";
import {
  HEALTHY,
  ON_HUB,
  PROBE,
  STREAM,
  SOURCE,
  Example,
  PULUMI_UP,
  withDriftAtSite,
  withHub,
  withLeaf,
  withProbe,
  withRemote,
  withSource,
  withStream,
} from "./fixtures";

const LINK = { account: "OSLO", subjects: ["$JS.oslo.API.CONSUMER.>", "$JS.FC.EVENTS.c.*", ">"] };
const without = (prefix: string) => ({
  links: [{ ...LINK, subjects: LINK.subjects.filter((subject) => !subject.startsWith(prefix)) }],
});
const CONSUMER = { sent: 10, upTo: 10, pending: 0, bound: true, count: 1 };

/** Of what the link carries, of changed sources, and of limits. */
export const CARRIED_EXAMPLES = {
  "jetstream-off": [
    {
      it: "an account of the hub without JetStream, and a site's server without it",
      facts: withLeaf({ jetStream: "off in the server", domain: "" }, { jetStream: "off in account OSLO" }),
      cause: /off on the hub off in account OSLO, and at the site off in the server/,
      evidence: /ACCOUNTZ/,
      next: PULUMI_UP,
    },
  ],
  "remote-denies": [
    {
      it: "a remote that denies flow control in the form that the site's server uses",
      facts: withLeaf({
        flowControl: "v2",
        remote: { ...HEALTHY.leaf.remote!, denyImports: ["$JS.FC.oslo.>", "$JS.FC.EVENTS.>"] },
      }),
      cause: /denies what sourcing needs/,
      evidence: /deny_imports \$JS\.FC\.oslo\.>$/,
      next: /remove it/,
    },
    {
      it: "a remote that denies the consumer API, and deliveries",
      facts: withRemote({ denyImports: ["$JS.oslo.API.>", "app.>"], denyExports: ["$JS.S.>"] }),
      cause: /denies what sourcing needs/,
      evidence: /deny_imports \$JS\.oslo\.API\.>, deny_exports \$JS\.S\.>$/,
      next: /remove it/,
    },
  ],
  "export-missing": [
    {
      it: "an import that is missing",
      facts: withStream({ notPassedOn: ["HUB does not import x"] }),
      cause: /do not pass on/,
      evidence: /^HUB does not import x$/,
      next: PULUMI_UP,
    },
  ],
  "requests-blocked": [
    {
      it: "a link on which the site takes no requests, whatever wildcard its applications listen to",
      facts: { ...withHub(without("$JS.oslo")), streams: [{ ...STREAM, asked: "no answer" }] },
      cause: /does not carry the source's requests/,
      evidence: /not \$JS\.oslo\.API\.CONSUMER\.CREATE\.EVENTS; asked over the link: no answer/,
      next: /subscribe/,
    },
  ],
  "source-altered": [
    {
      it: "a source with a filter",
      facts: withSource({ altered: "it takes only a" }),
      cause: /is not as declared/,
      evidence: /source EVENTS: it takes only a/,
      next: PULUMI_UP,
    },
  ],
  "config-altered": [
    {
      it: "limits and users that somebody changed",
      facts: { ...HEALTHY, configChanges: { hub: ["a is 1, this program wrote 2"], leaf: ["users also has x"] } },
      cause: /changed the configuration of the hub and of site oslo/,
      evidence: /^hub: a is 1, this program wrote 2; oslo: users also has x$/,
      next: PULUMI_UP,
      severity: "warning",
    },
  ],
  "hub-deduplicates": [
    {
      it: "a window of equal ids beside sources",
      facts: withStream({ onHub: { ...ON_HUB, window: "2m" } }),
      cause: /drops every message whose Nats-Msg-Id it already got within 2m/,
      evidence: /duplicate_window .*2m/,
      next: /to 0/,
      severity: "warning",
    },
  ],
  "site-stream-altered": [
    {
      it: "fields that somebody edited, each with what it does",
      facts: withDriftAtSite({
        differences: [{ words: "retention is interest, declared limits", harm: "messages go" }, { words: "b" }],
      }),
      cause: /the site's stream EVENTS is not as declared: messages go$/,
      evidence: /^retention is interest, declared limits; b$/,
      next: PULUMI_UP,
    },
    {
      it: "a field that does nothing to messages",
      facts: withDriftAtSite({ differences: [{ words: "description is x, declared none" }] }),
      cause: /is not as declared$/,
      evidence: /description/,
      next: PULUMI_UP,
      severity: "warning",
    },
    {
      it: "what JetStream never puts back, with the way out",
      facts: withDriftAtSite({
        differences: [{ words: "sealed is true, declared false" }],
        refused: { fields: ["sealed"], cure: "have it made anew with REMAKE=oslo/EVENTS" },
      }),
      cause: /not as declared/,
      evidence: /sealed/,
      next: /^JetStream cannot put back sealed: have it made anew with REMAKE=oslo\/EVENTS, then run 'pulumi up'$/,
      severity: "warning",
    },
    {
      it: "a limit that drops messages when it is put back",
      facts: withDriftAtSite({ differences: [{ words: "max_bytes is 9, declared 1" }], cost: "it holds 5" }),
      cause: /not as declared/,
      evidence: /max_bytes/,
      next: /^'DISCARD=oslo make up' restores it, and loses messages: it holds 5$/,
      severity: "warning",
    },
  ],
  "hub-stream-altered": [
    {
      it: "a second source of the same site",
      facts: withStream({
        onHub: { ...ON_HUB, drift: { differences: [{ words: "a source of stream EVENTS", harm: "doubled" }] } },
      }),
      cause: /the hub's stream OSLO\/EVENTS is not as declared: doubled/,
      evidence: /a source of stream EVENTS/,
      next: PULUMI_UP,
    },
    {
      it: "a stream of somebody else",
      facts: withStream({
        onHub: { ...ON_HUB, drift: { differences: [{ words: "its owner is none" }], stranger: "was not made here" } },
      }),
      cause: /OSLO\/EVENTS was not made here/,
      evidence: /owner/,
      next: /adopt: true/,
    },
  ],
  "hub-full": [
    {
      it: "a hub stream that takes no more",
      facts: withStream({ onHub: { ...ON_HUB, full: "it is full" } }),
      cause: /accepts no more messages/,
      evidence: /it is full/,
      next: /raise collect\.maxBytes .* then run .pulumi up./,
    },
  ],
  "flow-control-blocked": [
    {
      it: "a source that the server itself calls stalled on flow control",
      facts: withSource({ error: { code: 10228, text: "stalled on flow control" } }, { arrived: 3 }),
      cause: /stalls after about 2 MB/,
      evidence: /10228: stalled on flow control/,
      next: /\$JS\.FC\.>/,
    },
    {
      it: "a burst that stopped on its way after the small probes arrived",
      facts: withProbe({ arrived: 23 }),
      cause: /flow control/,
      evidence: /23 of 28 probes arrived/,
      next: /\$JS\.FC\.>/,
    },
    {
      it: "a link on which the site takes no flow control, before any burst",
      facts: { ...withHub(without("$JS.FC")), streams: [{ ...STREAM, consumer: CONSUMER }] },
      cause: /flow control/,
      evidence: /nothing of \$JS\.FC\.EVENTS/,
      next: /\$JS\.FC\.>/,
    },
    {
      it: "a link on which the site takes no flow control in the form that its server uses",
      facts: {
        ...withLeaf({ flowControl: "v2" }, { links: [LINK] }),
        streams: [{ ...STREAM, consumer: CONSUMER }],
      },
      cause: /flow control/,
      evidence: /nothing of \$JS\.FC\.oslo\.\*\.EVENTS\.>/,
      next: /\$JS\.FC\.>/,
    },
  ],
  backlog: [
    {
      it: "a slow network, over which flow control stalls and goes on",
      facts: {
        ...withHub({ links: [LINK] }),
        streams: [
          {
            ...STREAM,
            consumer: { ...CONSUMER, pending: 700 },
            onHub: {
              ...ON_HUB,
              source: { ...SOURCE, lag: 500, error: { code: 10228, text: "stalled on flow control" } },
            },
            probe: { ...PROBE, arrived: 0 },
          },
        ],
      },
      cause: /about 700 messages of the site come before the probes/,
      evidence: /10228/,
      next: /wait until/,
    },
  ],
  "delivery-blocked": [
    {
      it: "a consumer that sends what never arrives",
      facts: withStream({
        consumer: CONSUMER,
        onHub: { ...ON_HUB, source: { name: "EVENTS", api: "$JS.oslo.API", activeMs: 300, lag: 0 } },
        probe: { ...PROBE, arrived: 0, sent: 1, burst: 0 },
      }),
      cause: /nothing that it delivers arrives/,
      evidence: /the last sent 10 messages up to 10/,
      next: /\$JS\.S/,
    },
    {
      it: "a consumer that stands, and a hub that may not be sent what it delivers",
      facts: {
        ...withLeaf({ links: [{ account: "OSLO", subjects: ["$JS.API.>"] }] }),
        streams: [{ ...STREAM, deliver: "$JS.S", consumer: { ...CONSUMER, bound: false } }],
      },
      cause: /nothing that it delivers arrives/,
      evidence: /10 messages up to 10, to no one/,
      next: /\$JS\.S/,
    },
  ],
  "site-store-lost": [
    {
      it: "a site's stream that is younger than the hub's last message of it, before anything was proven",
      facts: withStream({ atSite: { messages: 3, lastSeq: 3, created: "2026-03-01T00:00:00Z" }, remade: true }),
      severity: "warning" as const,
      cause: /has a new one/,
      evidence: /its last sequence is 3, the hub took 10/,
      next: /half a minute/,
    },
  ],
  "site-full": [
    {
      it: "a site's stream that refuses messages",
      facts: withStream({ atSite: { messages: 10, lastSeq: 10, created: "2026-01-01T00:00:00Z", full: "it is full" } }),
      severity: "warning" as const,
      cause: /applications are refused/,
      evidence: /it is full/,
      next: /discard: old/,
    },
  ],
} satisfies Partial<Record<FindingCode, Example[]>>;
