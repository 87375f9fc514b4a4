import type { FindingCode } from "../../../diagnosis/diagnose";
import { HubStreamFacts, ProbeFacts, SiteFacts, StreamFacts } from "../../../diagnosis/facts";

const SOURCE = { name: "EVENTS", api: "$JS.oslo.API", activeMs: 300, lag: 0, seq: 10 };
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
const withLeaf = (leaf: Partial<SiteFacts["leaf"]>, hub: Partial<SiteFacts["hub"]> = {}): SiteFacts => ({
  ...withHub(hub),
  leaf: { ...HEALTHY.leaf, ...leaf },
});
const withRemote = (remote: Partial<NonNullable<SiteFacts["leaf"]["remote"]>>, hub: Partial<SiteFacts["hub"]> = {}) =>
  withLeaf({ remote: { ...HEALTHY.leaf.remote!, ...remote } }, hub);
export const withStream = (stream: Partial<StreamFacts>): SiteFacts => ({
  ...HEALTHY,
  streams: [{ ...STREAM, ...stream }],
});
export const withSource = (source: Partial<NonNullable<HubStreamFacts["source"]>>, probe: Partial<ProbeFacts> = {}) =>
  withStream({ onHub: { ...ON_HUB, source: { ...SOURCE, ...source } }, probe: { ...PROBE, ...probe } });
export const withProbe = (probe: Partial<ProbeFacts>) => withSource({}, probe);

interface Example {
  it: string;
  facts: SiteFacts;
  cause: RegExp;
  evidence: RegExp;
  next: RegExp;
  severity?: "warning";
}

const PULUMI_UP = /pulumi up/;

const LINK = { account: "OSLO", subjects: ["$JS.oslo.API.CONSUMER.>", "$JS.FC.EVENTS.c.*", ">"] };
const without = (prefix: string) => ({
  links: [{ ...LINK, subjects: LINK.subjects.filter((subject) => !subject.startsWith(prefix)) }],
});
const CONSUMER = { sent: 10, upTo: 10, pending: 0, bound: true, count: 1 };

/** Of what the link carries, of changed sources, and of limits. */
const CARRIED_EXAMPLES = {
  "link-stale": [
    {
      it: "a link that swallows what the hub sends",
      facts: { ...HEALTHY, unanswered: { hubSent: 2, siteReceived: 0, siteSent: 1, hubReceived: 1 } },
      cause: /what the hub sends does not reach the site/,
      evidence: /the hub sent 2 messages and the site received 0/,
      next: /network/,
    },
    {
      it: "a link that swallows what the site sends",
      facts: { ...HEALTHY, unanswered: { hubSent: 2, siteReceived: 2, siteSent: 3, hubReceived: 0 } },
      cause: /what the site sends does not reach the hub/,
      evidence: /the site sent 3 and the hub received 0/,
      next: /network/,
    },
  ],
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
      it: "a remote that denies the consumer API, and deliveries",
      facts: withRemote({ denyImports: ["$JS.oslo.API.>", "app.>"], denyExports: ["$JS.S.>"] }),
      cause: /denies what sourcing needs/,
      evidence: /deny_imports \$JS\.oslo\.API\.>, deny_exports \$JS\.S\.>$/,
      next: /remove it/,
    },
  ],
  "payload-limits": [
    {
      it: "a hub with a smaller max_payload",
      facts: withLeaf({ maxPayload: 2000 }, { maxPayload: 1000 }),
      cause: /larger messages than the hub/,
      evidence: /site 2000, hub 1000 bytes/,
      next: /same value/,
    },
    {
      it: "an account that refuses the burst",
      facts: {
        ...withLeaf({ errors: ["Leafnode Error 'Maximum Payload Violation'"] }),
        streams: withProbe({ arrived: 3 }).streams,
      },
      cause: /refuses large messages/,
      evidence: /3 of 28 probes arrived; .*Maximum Payload Violation/,
      next: /max_payload/,
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
  "replies-blocked": [
    {
      it: "a request that arrives and is not answered",
      facts: {
        ...withStream({ asked: "no answer" }),
        unanswered: { hubSent: 1, siteReceived: 1, siteSent: 0, hubReceived: 0 },
      },
      cause: /do not come back/,
      evidence: /site received 1 messages over the link and sent 0/,
      next: /\$JSC\.R/,
    },
  ],
  "source-wrong-stream": [
    {
      it: "a source of another name, with what the server says to it",
      facts: withSource({ name: "EVENT", error: { code: 10059, text: "stream not found" } }),
      cause: /takes stream EVENT, and the site's is EVENTS/,
      evidence: /declared 'EVENTS'; error 10059: stream not found/,
      next: PULUMI_UP,
    },
  ],
  "source-altered": [
    {
      it: "a source with a filter",
      facts: withSource({ altered: "it takes only a" }),
      cause: /not the declared one/,
      evidence: /source EVENTS: it takes only a/,
      next: PULUMI_UP,
    },
  ],
  "hub-has-subjects": [
    {
      it: "subjects on the hub's stream that it also sources",
      facts: withStream({ collects: ["events.>"], onHub: { ...ON_HUB, subjects: ["other", "events.a"] } }),
      cause: /stored twice/,
      evidence: /its subjects events\.a overlap/,
      next: /nats stream edit/,
    },
  ],
  "hub-full": [
    {
      it: "a hub stream that takes no more",
      facts: withStream({ onHub: { ...ON_HUB, full: "it is full" } }),
      cause: /takes no more messages/,
      evidence: /it is full/,
      next: /raise the limit/,
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
  ],
  backlog: [
    {
      it: "probes that stand behind what the site stored before",
      facts: withStream({
        consumer: { ...CONSUMER, pending: 700 },
        onHub: { ...ON_HUB, source: { ...SOURCE, lag: 500 } },
        probe: { ...PROBE, arrived: 0 },
      }),
      cause: /about 700 messages of the site come before the probes/,
      evidence: /lag 500.*700 wait/,
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
      cause: /nothing of what it delivers arrives/,
      evidence: /the last sent 10 messages up to 10/,
      next: /\$JS\.S/,
    },
    {
      it: "a consumer that stands, and a hub that may not be sent what it delivers",
      facts: {
        ...withLeaf({ links: [{ account: "OSLO", subjects: ["$JS.API.>"] }] }),
        streams: [{ ...STREAM, deliver: "$JS.S", consumer: { ...CONSUMER, bound: false } }],
      },
      cause: /nothing of what it delivers arrives/,
      evidence: /10 messages up to 10, to nobody/,
      next: /\$JS\.S/,
    },
  ],
  "site-store-lost": [
    {
      it: "a site's stream that was made anew since the last proof",
      facts: withStream({ before: { ...STREAM.before!, siteCreated: "2025-12-31T00:00:00Z" } }),
      severity: "warning" as const,
      cause: /lost its stream EVENTS and has a new one/,
      evidence: /was 2025-12-31/,
      next: /nothing to repair/,
    },
    {
      it: "a site's stream that is younger than the hub's, which still stands where the old one ended",
      facts: withStream({ atSite: { messages: 3, lastSeq: 3, created: "2026-03-01T00:00:00Z" } }),
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

/** What each rule finds. A code may have several examples; `isolation-broken` comes from attacks, not from facts. */
export const EXAMPLES: Record<Exclude<FindingCode, "isolation-broken">, Example[]> = {
  "hub-down": [
    {
      it: "a hub that does not answer",
      facts: withHub({ unreachable: "nats://127.0.0.1:4222: CONNECTION_REFUSED", links: [] }),
      cause: /hub's server does not answer/,
      evidence: /4222: CONNECTION_REFUSED/,
      next: PULUMI_UP,
    },
  ],
  "step-failed": [
    {
      it: "a step that failed and left the site down: the first reason first",
      facts: {
        ...withLeaf({ unreachable: "nats://127.0.0.1:4223: refused", links: [] }, { links: [] }),
        failedSteps: ["port 4223 is taken", "no streams"],
      },
      cause: /^port 4223 is taken$/,
      evidence: /4223: refused; also: no streams/,
      next: PULUMI_UP,
    },
    {
      it: "a step that failed although the servers are fine",
      facts: { ...HEALTHY, failedSteps: ["EVENTS belongs to stack prod"] },
      cause: /belongs to stack prod/,
      evidence: /step of this site in 'pulumi up' failed/,
      next: PULUMI_UP,
    },
  ],
  "site-down": [
    {
      it: "a site that does not answer, with its last error",
      facts: withLeaf({ unreachable: "nats://127.0.0.1:4223: refused", links: [], errors: ["disk full"] }),
      cause: /site's server does not answer/,
      evidence: /4223: refused; the site logs: disk full/,
      next: /expect: offline/,
    },
  ],
  "seed-in-credentials": [
    {
      it: "a seed in the field of a credentials file (issue 6723)",
      facts: withRemote({ credentials: "a seed" }, { links: [] }),
      cause: /seed in 'credentials'.*6723/,
      evidence: /credentials holds a seed; links on the hub: none/,
      next: /put the seed in 'nkey'.*raise the site's rotation/,
    },
    {
      it: "a file that holds nothing but a seed in that field",
      facts: withRemote({ credentials: "a file that holds a bare seed" }, { links: [] }),
      cause: /6723/,
      evidence: /a file that holds a bare seed/,
      next: /'nkey'/,
    },
  ],
  "credentials-not-nkey": [
    {
      it: "a link that authenticates by JWT",
      facts: withRemote({ credentials: "another file" }, { links: [] }),
      cause: /authenticates with a credentials file/,
      evidence: /holds another file/,
      next: /use 'nkey'/,
    },
    {
      it: "a link whose credentials file is missing",
      facts: withRemote({ credentials: "a missing file" }, { links: [] }),
      cause: /credentials file/,
      evidence: /holds a missing file/,
      next: /use 'nkey'/,
    },
  ],
  "wrong-key": [
    {
      it: "another key in the remote than the declared one",
      facts: withRemote({ key: "UOTHER" }, { links: [] }),
      cause: /not the one that is declared on the hub/,
      evidence: /key UOTHER, declared is UDECLARED/,
      next: PULUMI_UP,
    },
    {
      it: "a remote without an nkey",
      facts: withLeaf({ remote: { urls: [], account: "OSLO" }, errors: ["Authorization Violation"] }, { links: [] }),
      cause: /not the one that is declared/,
      evidence: /its remote has no nkey, declared is UDECLARED; .*Authorization Violation/,
      next: PULUMI_UP,
    },
  ],
  "key-refused": [
    {
      it: "the declared key, which the hub refuses",
      facts: withLeaf({ errors: ["Leafnode Error 'Authorization Violation'"] }, { links: [] }),
      cause: /the hub refuses the site's link key/,
      evidence: /its remote has key UDECLARED, declared is UDECLARED; .*Authorization Violation/,
      next: /LEAFNODE/,
    },
    {
      it: "a refused key of a remote that cannot be read: nothing is said of its nkey",
      facts: (() => {
        const { remote: _remote, ...leaf } = withLeaf({ errors: ["Authorization Violation"] }).leaf;
        return { ...withHub({ links: [] }), leaf };
      })(),
      cause: /refuses/,
      evidence: /^its remote cannot be read; /,
      next: PULUMI_UP,
    },
  ],
  "link-limit": [
    {
      it: "an account that takes no more links",
      facts: withLeaf({ errors: ["Leafnode Error 'maximum account leafnode connections exceeded'"] }, { links: [] }),
      cause: /takes no more connections/,
      evidence: /links on the hub: none; .*maximum account leafnode/,
      next: /max_connections/,
    },
  ],
  "wrong-account-on-hub": [
    {
      it: "a link that landed in another account of the hub",
      facts: withHub({ links: [{ account: "ANON" }] }),
      cause: /the hub put the link in account ANON, not OSLO/,
      evidence: /hub \/leafz: oslo -> ANON/,
      next: /remove no_auth_user/,
    },
    {
      it: "a link in the global account, where a hub without users puts everybody",
      facts: withHub({ links: [{ account: "$G" }] }),
      cause: /account \$G, not OSLO/,
      evidence: /oslo -> \$G/,
      next: /the hub runs without users/,
    },
  ],
  "wrong-account-at-site": [
    {
      it: "a link bound to another account at the site",
      facts: withLeaf({ links: [{ account: "$G" }], remote: { urls: [], key: "UDECLARED" } }),
      cause: /bound the link to its account \$G, not OSLO/,
      evidence: /site \/leafz: \$G; account in the remote: none/,
      next: /set account: "OSLO"/,
    },
  ],
  "link-down": [
    {
      it: "a link that never came up, with where it dials",
      facts: withLeaf({ links: [], errors: ["dial tcp: refused"] }, { links: [] }),
      cause: /is not up/,
      evidence: /dials nats-leaf:\/\/127\.0\.0\.1:7422; the site logs: dial tcp: refused/,
      next: /leafnode port/,
    },
  ],
  "link-doubled": [
    {
      it: "two servers under the name of one site",
      facts: withHub({ links: [{ account: "OSLO" }, { account: "OSLO" }] }),
      cause: /2 servers are linked/,
      evidence: /oslo -> OSLO, OSLO/,
      next: /stop the copy/,
    },
  ],
  "equal-domains": [
    {
      it: "a site that has the hub's JetStream domain",
      facts: withLeaf({ domain: "hub" }),
      cause: /the same JetStream domain 'hub'/,
      evidence: /site 'hub', hub 'hub'/,
      next: /of the site to "oslo"/,
    },
    {
      it: "a hub that has the site's JetStream domain",
      facts: withHub({ domain: "oslo" }),
      cause: /the same JetStream domain 'oslo'/,
      evidence: /site 'oslo', hub 'oslo'/,
      next: /of the hub to "hub"/,
    },
  ],
  "wrong-domain": [
    {
      it: "a site with another JetStream domain than the hub asks for",
      facts: withLeaf({ domain: "bergen" }),
      cause: /'bergen', not 'oslo'/,
      evidence: /asks for '\$JS\.oslo\.API'/,
      next: /of the site to "oslo"/,
    },
    {
      it: "a site with no JetStream domain",
      facts: withLeaf({ domain: "" }),
      cause: /has no domain/,
      evidence: /asks for '\$JS\.oslo\.API'/,
      next: /of the site to "oslo"/,
    },
  ],
  "stream-missing-at-site": [
    {
      it: "a stream that the site does not have",
      facts: withStream({ atSite: "missing" }),
      cause: /site has no stream EVENTS/,
      evidence: /STREAM\.INFO\.EVENTS/,
      next: PULUMI_UP,
    },
  ],
  "stream-missing-on-hub": [
    {
      it: "a stream that the hub does not have",
      facts: withStream({ onHub: "missing" }),
      cause: /hub has no stream OSLO\/EVENTS/,
      evidence: /not found/,
      next: PULUMI_UP,
    },
  ],
  "source-missing": [
    {
      it: "a hub stream that does not source the site",
      facts: withStream({ onHub: { messages: 0, lastSeq: 10, created: ON_HUB.created } }),
      cause: /OSLO\/EVENTS does not source the site/,
      evidence: /no stream of the site/,
      next: PULUMI_UP,
    },
  ],
  "source-wrong-api": [
    {
      it: "a source that asks another domain",
      facts: withSource({ api: "$JS.bergen.API" }),
      cause: /asks '\$JS\.bergen\.API'/,
      evidence: /declared '\$JS\.oslo\.API'/,
      next: PULUMI_UP,
    },
  ],
  "source-silent": [
    {
      it: "a source that never heard from the site, on a hub that has been up for long",
      facts: withSource({ activeMs: -1, error: { code: 1, text: "no responders" } }, { arrived: 0 }),
      cause: /never heard from the site's stream/,
      evidence: /active never, lag 0, sequence 10, error 1: no responders/,
      next: PULUMI_UP,
    },
    {
      it: "a source that lost the site, for longer than the server ever waits",
      facts: withSource({ activeMs: 200_000 }, { arrived: 0 }),
      cause: /lost the site's stream and has not found it/,
      evidence: /200000 ms ago/,
      next: /starts the source anew/,
    },
  ],
  "source-waiting": [
    {
      it: "a source that waits for its next attempt, in a look without probes",
      facts: (() => {
        const { probe: _probe, ...stream } = withSource({ activeMs: 42_000 }).streams[0]!;
        return { ...HEALTHY, streams: [stream] };
      })(),
      severity: "warning",
      cause: /not heard for 42 s, and the server tries again by itself within 108 s/,
      evidence: /active 42000 ms ago/,
      next: /starts the source at once/,
    },
    {
      it: "a source that never heard from the site yet, on a hub that was just started, while probes do not arrive",
      facts: (() => {
        const facts = withSource({ activeMs: -1 }, { arrived: 0, sent: 1, burst: 0 });
        return { ...facts, hub: { ...facts.hub, upMs: 20_000 } };
      })(),
      cause: /not heard for 20 s/,
      evidence: /active never/,
      next: /wait/,
    },
  ],
  "hub-store-lost": [
    {
      it: "a hub stream that was made anew since the last proof",
      facts: withStream({ onHub: { ...ON_HUB, created: "2026-02-02T00:00:00Z", messages: 4 } }),
      severity: "warning",
      cause: /lost its stream OSLO\/EVENTS and has a new one/,
      evidence: /4 of 10 messages are there/,
      next: /backup/,
    },
  ],
  "hub-store-rolled-back": [
    {
      it: "a hub stream that went back in time since the last proof",
      facts: withStream({ onHub: { ...ON_HUB, lastSeq: 6 } }),
      severity: "warning",
      cause: /went back in time/,
      evidence: /is 6, was 10/,
      next: /sync_interval: always/,
    },
  ],
  "site-store-rolled-back": [
    {
      it: "a site that lost acknowledged messages",
      facts: withStream({ atSite: { messages: 7, lastSeq: 7, created: "" } }),
      cause: /skip the next 3 silently/,
      evidence: /took sequence 10, the site's last is 7/,
      next: /sync_interval: always/,
    },
  ],
  "probes-doubled": [
    {
      it: "probes that the hub stored twice",
      facts: withProbe({ doubled: 2 }),
      cause: /stores messages of the site twice/,
      evidence: /2 of 28/,
      next: /second way into the hub's stream/,
    },
  ],
  "probe-failed": [
    {
      it: "probes that could not be sent",
      facts: withProbe({ sent: 1, arrived: 0, burst: 0, error: "the account has no room" }),
      cause: /could not be sent through stream EVENTS/,
      evidence: /no room/,
      next: PULUMI_UP,
    },
  ],
  unknown: [
    {
      it: "probes that are lost while everything looks right",
      facts: withProbe({ arrived: 0 }),
      cause: /^unknown: no rule fits\. Last good step: hub stream; first bad one: none was seen$/,
      evidence:
        /^0 of 28 probes arrived\nserver +good .*\nlink +good [^]*\nflow control +unknown [^]*\nhub stream +good /,
      next: /logs of both servers/,
    },
    {
      it: "probes that are lost with something bad on the way",
      facts: withStream({
        consumer: "missing",
        probe: { ...PROBE, arrived: 0 },
      }),
      cause: /Last good step: stream; first bad one: consumer$/,
      evidence: /consumer +bad +the source has none at the site/,
      next: /first step that is not good/,
    },
  ],
  ...CARRIED_EXAMPLES,
};
