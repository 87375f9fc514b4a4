import { BookFacts } from "../../../diagnosis/book/facts";
import { Difference } from "../../../diagnosis/book/ledger";
import { DriftFacts, HubStreamFacts, ProbeFacts, SiteFacts, StreamFacts } from "../../../diagnosis/facts/facts";

export const SOURCE = { name: "EVENTS", api: "$JS.oslo.API", activeMs: 300, lag: 0, seq: 10 };
export const ON_HUB: HubStreamFacts = { messages: 10, lastSeq: 10, created: "2026-01-01T00:00:00Z", source: SOURCE };
export const PROBE: ProbeFacts = { through: "real", sent: 28, arrived: 28, doubled: 0, burst: 25, latencyMs: 4 };
export const STREAM: StreamFacts = {
  name: "EVENTS",
  collectedAs: "OSLO/EVENTS",
  api: "$JS.oslo.API",
  atSite: { messages: 10, lastSeq: 10, created: "2026-01-01T00:00:00Z" },
  onHub: ON_HUB,
  before: { hubCreated: "2026-01-01T00:00:00Z", hubLastSeq: 10, hubMessages: 10 },
  probe: PROBE,
};
/** A site where all is right. */
export const HEALTHY: SiteFacts = {
  site: "oslo",
  declared: { account: "OSLO", domain: "oslo", hubDomain: "hub", linkKey: "UDECLARED" },
  failedSteps: [],
  hub: { domain: "hub", links: [{ account: "OSLO" }] },
  leaf: {
    domain: "oslo",
    links: [{ account: "OSLO" }],
    remote: { urls: ["nats-leaf://127.0.0.1:7422"], key: "UDECLARED", account: "OSLO" },
    errors: [],
  },
  streams: [STREAM],
};

export const withHub = (hub: Partial<SiteFacts["hub"]>): SiteFacts => ({ ...HEALTHY, hub: { ...HEALTHY.hub, ...hub } });
export const withLeaf = (leaf: Partial<SiteFacts["leaf"]>, hub: Partial<SiteFacts["hub"]> = {}): SiteFacts => ({
  ...withHub(hub),
  leaf: { ...HEALTHY.leaf, ...leaf },
});
export const withRemote = (
  remote: Partial<NonNullable<SiteFacts["leaf"]["remote"]>>,
  hub: Partial<SiteFacts["hub"]> = {},
) => withLeaf({ remote: { ...HEALTHY.leaf.remote!, ...remote } }, hub);
export const withStream = (stream: Partial<StreamFacts>): SiteFacts => ({
  ...HEALTHY,
  streams: [{ ...STREAM, ...stream }],
});
export const withSource = (source: Partial<NonNullable<HubStreamFacts["source"]>>, probe: Partial<ProbeFacts> = {}) =>
  withStream({ onHub: { ...ON_HUB, source: { ...SOURCE, ...source } }, probe: { ...PROBE, ...probe } });
export const withDriftAtSite = (drift: DriftFacts) =>
  withStream({ atSite: { messages: 10, lastSeq: 10, created: "2026-01-01T00:00:00Z", drift } });
export const withProbe = (probe: Partial<ProbeFacts>) => withSource({}, probe);

/** A book that tells one difference. */
export const bookWith = (kind: Difference["kind"], count: number, cause?: string): BookFacts => ({
  since: "2026-11-01T00:00:00.000Z",
  at: "2026-11-03T11:00:00.000Z",
  balance: {
    stored: 100,
    held: 60,
    gone: 0,
    taken: 100,
    waiting: 0,
    onHub: 61,
    hubHeld: 61,
    byLimits: 0,
    otherwise: 0,
    missing: 0,
    doubled: 0,
    own: 0,
  },
  open: [
    {
      kind,
      count,
      from: "2026-11-03T10:00:00.000Z",
      to: "2026-11-03T11:00:00.000Z",
      ...(cause === undefined ? {} : { cause }),
    },
  ],
});

export interface Example {
  it: string;
  facts: SiteFacts;
  cause: RegExp;
  evidence: RegExp;
  next: RegExp;
  severity?: "warning";
}

export const PULUMI_UP = /pulumi up/;
