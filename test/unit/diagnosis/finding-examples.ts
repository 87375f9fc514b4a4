import { BOOK_EXAMPLES } from "./book-examples";
import type { FindingCode } from "../../../diagnosis/diagnose";
import { CARRIED_EXAMPLES } from "./carried-examples";
import { SERVER_EXAMPLES } from "./server-examples";
import {
  HEALTHY,
  ON_HUB,
  PROBE,
  Example,
  PULUMI_UP,
  withHub,
  withLeaf,
  withProbe,
  withRemote,
  withSource,
  withStream,
} from "./fixtures";

/** What rules find in facts that no row of the catalogue has; what it has is in recorded/. A code may have several. */
export const EXAMPLES: Partial<Record<FindingCode, Example[]>> = {
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
      cause: /not the one that the hub has for it/,
      evidence: /key UOTHER, declared UDECLARED/,
      next: PULUMI_UP,
    },
    {
      it: "a remote without an nkey",
      facts: withLeaf({ remote: { urls: [], account: "OSLO" }, errors: ["Authorization Violation"] }, { links: [] }),
      cause: /not the one that the hub has/,
      evidence: /its remote has no nkey, declared UDECLARED; .*Authorization Violation/,
      next: PULUMI_UP,
    },
  ],
  "key-refused": [
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
      cause: /accepts no more connections/,
      evidence: /links on the hub: none; .*maximum account leafnode/,
      next: /max_connections/,
    },
  ],
  "wrong-account-on-hub": [
    {
      it: "a link in the global account, where a hub without users puts everybody",
      facts: withHub({ links: [{ account: "$G" }] }),
      cause: /account \$G, not OSLO/,
      evidence: /oslo -> \$G/,
      next: /the hub runs without users/,
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
      it: "a link that is replaced again and again",
      facts: withLeaf({ errors: ["Duplicate Remote LeafNode Connection"] }, { replaced: true, links: [] }),
      cause: /keeps closing the other's link/,
      evidence: /replaced the link of oslo .*; the site logs: Duplicate/,
      next: /stop the copy/,
    },
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
  ],
  "source-missing": [
    {
      it: "a hub stream that does not source the site, and would store messages twice",
      facts: withStream({
        onHub: { messages: 0, lastSeq: 10, created: ON_HUB.created, doubles: "at most 10 messages" },
      }),
      cause: /OSLO\/EVENTS does not source the site/,
      evidence: /no stream of the site/,
      next: /^'DOUBLE=oslo make up' restores it, .* at most 10 messages/,
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
  "source-paused": [
    {
      it: "a consumer of the hub's source that somebody paused",
      facts: withStream({ consumer: { sent: 0, upTo: 10, pending: 5, bound: true, count: 1, pausedMs: 600_000 } }),
      cause: /paused the consumer .* for 600 s more/,
      evidence: /sequence 10.*5 wait/,
      next: /make repair SITE=oslo STREAM=EVENTS/,
    },
  ],
  "source-at-rest": [
    {
      it: "a source that takes nothing of what waits, while the probes pass beside it",
      facts: withProbe({ through: "stand-in", why: "it is nearly full", real: { before: 10, after: 10, waits: true } }),
      cause: /own source takes nothing of what waits/,
      evidence: /it is nearly full; source EVENTS: .*no further than before/,
      next: /make repair SITE=oslo STREAM=EVENTS/,
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
      next: /restarts the source/,
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
      cause: /not heard for 42 s, and the server retries on its own within 108 s/,
      evidence: /active 42000 ms ago/,
      next: /starts the source immediately/,
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
  "site-store-rolled-back": [
    {
      it: "the same, when the hub's stream was made first",
      facts: withStream({ atSite: { messages: 7, lastSeq: 7, created: "2026-03-01T00:00:00Z" }, remade: false }),
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
  ...SERVER_EXAMPLES,
  ...CARRIED_EXAMPLES,
  ...BOOK_EXAMPLES,
};
