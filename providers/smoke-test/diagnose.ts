import { SiteFacts, StreamFacts } from "./facts";

/** From facts to findings. Pure: the same facts give the same findings, so every rule is tested on its own. */

export interface Finding {
  /** Names the rule; documented in docs/findings.md. */
  code: FindingCode;
  /** "error": sourcing is not proven. "warning": it is, but something was lost or is about to be. */
  severity: "error" | "warning";
  site: string;
  /** What is wrong, as seen from outside. */
  symptom: string;
  cause: string;
  evidence: string;
  /** What to do next. */
  next: string;
}

export type FindingCode =
  | "hub-down"
  | "step-failed"
  | "site-down"
  | "seed-in-credentials"
  | "credentials-not-nkey"
  | "wrong-key"
  | "link-down"
  | "link-doubled"
  | "wrong-account-on-hub"
  | "wrong-account-at-site"
  | "equal-domains"
  | "wrong-domain"
  | "stream-missing-at-site"
  | "stream-missing-on-hub"
  | "source-missing"
  | "source-wrong-api"
  | "flow-control-blocked"
  | "source-never-active"
  | "source-silent"
  | "hub-store-lost"
  | "hub-store-rolled-back"
  | "site-store-rolled-back"
  | "probes-doubled"
  | "probe-failed"
  | "probes-lost"
  | "isolation-broken";

const UP = "run 'pulumi up', which repairs it";

type Draft = Omit<Finding, "site" | "severity" | "symptom"> & Partial<Pick<Finding, "severity" | "symptom">>;
type SiteRule = (facts: SiteFacts) => Draft | undefined;
type StreamRule = (stream: StreamFacts, facts: SiteFacts) => Draft | undefined;

const accounts = (links: readonly { account: string }[]): string =>
  links.map((link) => link.account).join(", ") || "none";

/** Whether any of the site's links stands in the hub at all. */
const linked = ({ hub }: SiteFacts): boolean => hub.links.length > 0;

const lastError = ({ leaf }: SiteFacts): string =>
  leaf.errors.length === 0 ? "" : `; the site logs: ${leaf.errors.at(-1) ?? ""}`;

/** What stands in the way of everything: the first that fits is the cause, the rest would only be its symptoms. */
const PATH_RULES: readonly SiteRule[] = [
  ({ hub }) =>
    hub.unreachable === undefined
      ? undefined
      : { code: "hub-down", cause: "the hub's server does not answer", evidence: hub.unreachable, next: UP },

  ({ failedSteps, leaf }) => {
    const [first] = failedSteps;
    if (first === undefined || leaf.unreachable === undefined) return undefined;
    return {
      code: "step-failed",
      cause: first,
      evidence: `${leaf.unreachable}${failedSteps.length > 1 ? `; also: ${failedSteps.slice(1).join("; ")}` : ""}`,
      next: "cure what it names, then run 'pulumi up'",
    };
  },

  (facts) =>
    facts.leaf.unreachable === undefined
      ? undefined
      : {
          code: "site-down",
          cause: "the site's server does not answer",
          evidence: `${facts.leaf.unreachable}${lastError(facts)}`,
          next: `${UP}, or declare the site expect: offline`,
        },

  (facts) => {
    const { remote } = facts.leaf;
    if (remote?.credentials !== "a seed" && remote?.credentials !== "a file that holds a bare seed") return undefined;
    return {
      code: "seed-in-credentials",
      cause:
        "the leaf remote has its nkey seed in 'credentials', which is the path of a JWT credentials file (nats-server issue 6723)",
      evidence: `credentials holds ${remote.credentials}; links on the hub: ${accounts(facts.hub.links)}${lastError(facts)}`,
      next: `put the seed in 'nkey' and remove 'credentials' (${UP}); the server may have logged the seed, so raise the site's rotation too`,
    };
  },

  (facts) => {
    const { remote } = facts.leaf;
    if (remote?.credentials === undefined) return undefined;
    return {
      code: "credentials-not-nkey",
      cause: "the leaf remote authenticates with a credentials file, and the hub knows the site by its nkey",
      evidence: `credentials holds ${remote.credentials}; links on the hub: ${accounts(facts.hub.links)}`,
      next: `use 'nkey' with the site's link seed (${UP})`,
    };
  },

  (facts) => {
    const { hub, declared, leaf } = facts;
    if (linked(facts)) return undefined;
    const key = leaf.remote?.key;
    // An older refusal, of a key that was changed since, says nothing about now.
    const last = leaf.errors.findLast((line) => /Authorization|Authentication|as leafnode|wrong port/i.test(line));
    const refused = last !== undefined && /Authorization|Authentication/i.test(last);
    if ((key === undefined || key === declared.linkKey) && !refused) return undefined;
    const shown =
      leaf.remote === undefined
        ? "its remote cannot be read"
        : `its remote has ${key === undefined ? "no nkey" : `key ${key}`}, declared is ${declared.linkKey}`;
    return {
      code: "wrong-key",
      cause: "the hub does not accept the site's link key",
      evidence: `${shown}; links on the hub: ${accounts(hub.links)}${lastError(facts)}`,
      next: UP,
    };
  },

  (facts) => {
    const { hub, declared } = facts;
    const wrong = hub.links.find((link) => link.account !== declared.account);
    if (wrong === undefined) return undefined;
    return {
      code: "wrong-account-on-hub",
      cause: `the hub put the link in account ${wrong.account}, not ${declared.account}`,
      evidence: `hub /leafz: ${facts.site} -> ${accounts(hub.links)}`,
      next:
        wrong.account === "$G"
          ? "the hub runs without users: restore its accounts (run 'pulumi up')"
          : `move the site's key to accounts.${declared.account}.users and remove no_auth_user from the hub (run 'pulumi up')`,
    };
  },

  ({ declared, leaf }) => {
    const wrong = leaf.links.find((link) => link.account !== declared.account);
    if (wrong === undefined) return undefined;
    return {
      code: "wrong-account-at-site",
      cause: `the site bound the link to its account ${wrong.account}, not ${declared.account}`,
      evidence: `site /leafz: ${accounts(leaf.links)}; account in the remote: ${leaf.remote?.account ?? "none"}`,
      next: `set account: "${declared.account}" in the leaf remote (run 'pulumi up')`,
    };
  },

  (facts) =>
    linked(facts)
      ? undefined
      : {
          code: "link-down",
          cause: "the site's leaf link never came up",
          evidence: `hub /leafz has no ${facts.site}; the site dials ${facts.leaf.remote?.urls.join(", ") ?? "an unknown address"}${lastError(facts)}`,
          next: "check that the address is the hub's leafnode port and can be reached from the site, then run 'pulumi up'",
        },

  (facts) =>
    facts.hub.links.length < 2
      ? undefined
      : {
          code: "link-doubled",
          cause: `${facts.hub.links.length} servers are linked under the name of this site`,
          evidence: `hub /leafz: ${facts.site} -> ${accounts(facts.hub.links)}`,
          next: "stop the copy (a cloned machine?); one key belongs to one server",
        },

  ({ leaf, hub, declared }) => {
    const equal = leaf.domain === (hub.domain ?? declared.hubDomain);
    if (leaf.domain === undefined || (leaf.domain === declared.domain && !equal)) return undefined;
    const [where, right] =
      leaf.domain === declared.domain ? ["the hub", declared.hubDomain] : ["the site", declared.domain];
    return {
      code: equal ? "equal-domains" : "wrong-domain",
      cause: equal
        ? `site and hub have the same JetStream domain '${leaf.domain}'`
        : `the site's JetStream domain is '${leaf.domain}', not '${declared.domain}'`,
      evidence: `domains: site '${leaf.domain}', hub '${hub.domain ?? "unknown"}'; the hub asks for '$JS.${declared.domain}.API'`,
      next: `set jetstream.domain of ${where} to "${right}" (run 'pulumi up')`,
    };
  },
];

const sourceOf = (stream: StreamFacts) =>
  stream.onHub === undefined || stream.onHub === "missing" ? undefined : stream.onHub.source;

/** Flow control blocks after about 2.1 MB; what is smaller passes even when it is blocked. */
const FLOW_CONTROL_ERROR = 10228;

const STREAM_RULES: readonly StreamRule[] = [
  ({ name, atSite }) =>
    atSite === "missing"
      ? {
          code: "stream-missing-at-site",
          cause: `the site has no stream ${name}`,
          evidence: `$JS.API.STREAM.INFO.${name} at the site: stream not found`,
          next: UP,
        }
      : undefined,

  ({ collectedAs, onHub }) =>
    onHub === "missing"
      ? {
          code: "stream-missing-on-hub",
          cause: `the hub has no stream ${collectedAs}`,
          evidence: "JetStream of the hub: stream not found",
          next: UP,
        }
      : undefined,

  (stream) =>
    stream.onHub !== undefined && stream.onHub !== "missing" && stream.onHub.source === undefined
      ? {
          code: "source-missing",
          cause: `the hub's stream ${stream.collectedAs} does not source the site`,
          evidence: "its sources name no stream of the site",
          next: UP,
        }
      : undefined,

  (stream) => {
    const source = sourceOf(stream);
    if (source?.api === undefined || source.api === stream.api) return undefined;
    return {
      code: "source-wrong-api",
      cause: `the hub's source asks '${source.api}', where no site answers`,
      evidence: `source ${source.name}: external.api '${source.api}', declared '${stream.api}'`,
      next: UP,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    const probe = stream.probe;
    const stalled = source?.error?.code === FLOW_CONTROL_ERROR;
    // Small probes arrived, the burst stopped on its way.
    const cut =
      probe !== undefined &&
      probe.burst > 0 &&
      probe.arrived > 0 &&
      probe.arrived < probe.sent &&
      probe.error === undefined;
    if (!stalled && !cut) return undefined;
    return {
      code: "flow-control-blocked",
      cause: "flow control does not get from the hub to the site, so that sourcing stalls after about 2 MB",
      evidence: stalled
        ? `source error ${FLOW_CONTROL_ERROR}: ${source.error?.text ?? ""}`
        : `${probe?.arrived ?? 0} of ${probe?.sent ?? 0} probes arrived, the rest of the burst did not`,
      next: "allow '$JS.FC.>' to the site's link key (subscribe), and export and import it in merged mode (run 'pulumi up')",
    };
  },

  (stream, facts) => {
    const source = sourceOf(stream);
    const { atSite } = stream;
    if (source?.seq === undefined || atSite === undefined || atSite === "missing" || source.seq <= atSite.lastSeq)
      return undefined;
    return {
      code: "site-store-rolled-back",
      cause: `site ${facts.site} lost acknowledged messages: the hub is ahead of it and will skip the next ${source.seq - atSite.lastSeq} silently`,
      evidence: `the hub took sequence ${source.seq}, the site's last is ${atSite.lastSeq}`,
      next: `publish nothing important until the site's stream is purged up to the hub's sequence ('nats stream purge ${stream.name} --seq ${source.seq + 1}' at the site, as its operator); keep sync_interval: always`,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    if (source === undefined || source.activeMs >= 0) return undefined;
    return {
      code: "source-never-active",
      cause: "the hub's source never heard from the site's stream, though the link is up in the right account",
      evidence: `source ${source.name}: active never, lag ${source.lag}${source.error === undefined ? "" : `, error ${source.error.text}`}`,
      next: "check that the link's key may subscribe to '$JS.<site>.API.CONSUMER.>' and publish '$JSC.R.>' and '$JS.S.>' on the hub (run 'pulumi up')",
    };
  },

  (stream, { site }) => {
    const { probe } = stream;
    const source = sourceOf(stream);
    const isSilent = probe?.through === "real" && probe.sent > 0 && probe.arrived === 0 && probe.error === undefined;
    if (source === undefined || source.seq !== undefined || !isSilent) return undefined;
    return {
      code: "source-never-active",
      cause: "the site answers the hub's source, and nothing of what it delivers arrives",
      evidence: `source ${source.name}: active ${source.activeMs} ms ago, and it never took a message`,
      next: `check that the link's key may publish '$JS.S.>', and in merged mode '_source.${site}.>', on the hub (run 'pulumi up')`,
    };
  },

  (stream) => {
    const source = sourceOf(stream);
    if (source === undefined || source.activeMs < 15_000) return undefined;
    return {
      code: "source-silent",
      cause: "the hub's source lost the site's stream and has not found it again",
      evidence: `source ${source.name}: last heard of ${Math.round(source.activeMs / 1000)} s ago`,
      next: `${UP} (it re-arms the source)`,
    };
  },

  ({ probe }) =>
    probe === undefined || probe.doubled === 0
      ? undefined
      : {
          code: "probes-doubled",
          cause: "the hub stores messages of the site twice",
          evidence: `${probe.doubled} of ${probe.sent} probes stand twice in the hub's stream`,
          next: "look for a second way into the hub's stream: it must have no subjects of its own and one source for each site",
        },

  ({ probe, name }) =>
    probe?.error === undefined
      ? undefined
      : {
          code: "probe-failed",
          cause: `probes could not be sent through stream ${name}`,
          evidence: probe.error,
          next: "cure what it names, then run 'pulumi up'",
        },

  (stream) => {
    const { probe } = stream;
    if (probe === undefined || probe.arrived >= probe.sent) return undefined;
    const source = sourceOf(stream);
    const seen =
      source === undefined
        ? "source unknown"
        : `source active ${source.activeMs} ms ago, lag ${source.lag}, sequence ${source.seq ?? "unknown"}`;
    return {
      code: "probes-lost",
      cause: "unknown: link, accounts, domains, streams and source look right",
      evidence: `${probe.arrived} of ${probe.sent} probes arrived; ${seen}`,
      next: "read the logs of both servers, and run 'pulumi up' again",
    };
  },
];

/** Losses that leave sourcing itself intact. */
const LOSS_RULES: readonly StreamRule[] = [
  ({ before, onHub, collectedAs }) => {
    if (before === undefined || onHub === undefined || onHub === "missing" || onHub.created === before.hubCreated)
      return undefined;
    const recovered = `${onHub.messages} of ${before.hubMessages} messages are there`;
    return {
      code: "hub-store-lost",
      severity: "warning",
      cause: `the hub lost its stream ${collectedAs} and has a new one`,
      evidence: `created ${onHub.created}, was ${before.hubCreated}; ${recovered} (the site delivers again what it still holds)`,
      next: "compare with a backup; what the sites no longer hold is gone",
    };
  },
  ({ before, onHub, collectedAs }) => {
    if (before === undefined || onHub === undefined || onHub === "missing") return undefined;
    if (onHub.created !== before.hubCreated || onHub.lastSeq >= before.hubLastSeq) return undefined;
    return {
      code: "hub-store-rolled-back",
      severity: "warning",
      cause: `the hub's stream ${collectedAs} went back in time`,
      evidence: `its last sequence is ${onHub.lastSeq}, was ${before.hubLastSeq}`,
      next: "the site delivers again what it still holds; compare with a backup, and keep sync_interval: always",
    };
  },
];

function complete(draft: Draft, { site }: SiteFacts, stream?: StreamFacts): Finding {
  const symptom = stream === undefined ? "no data reaches the hub" : `stream ${stream.name} is not proven`;
  return { severity: "error", symptom, ...draft, site };
}

/** What keeps everything of the site from the hub, so that probes need not be sent; undefined when nothing does. */
export function blockingFinding(facts: SiteFacts): Finding | undefined {
  for (const rule of PATH_RULES) {
    const draft = rule(facts);
    if (draft !== undefined) return complete(draft, facts);
  }
  return undefined;
}

/** All findings of a site, most likely cause first; empty when everything that was seen is right. */
export function diagnose(facts: SiteFacts): Finding[] {
  const blocking = blockingFinding(facts);
  if (blocking !== undefined) return [blocking];
  const findings = facts.streams.flatMap((stream) => {
    const losses = LOSS_RULES.flatMap((rule) => rule(stream, facts) ?? []);
    const first = STREAM_RULES.map((rule) => rule(stream, facts)).find((draft) => draft !== undefined);
    return [...(first === undefined ? [] : [first]), ...losses].map((draft) => complete(draft, facts, stream));
  });
  // A step may have failed although the servers are fine: a stream of somebody else, for instance.
  const steps = facts.failedSteps.map((cause) =>
    complete(
      {
        code: "step-failed",
        cause,
        evidence: "the step of this site in 'pulumi up' failed",
        next: "cure what it names, then run 'pulumi up'",
      },
      facts,
    ),
  );
  return [...steps, ...findings];
}

/** A finding as it is shown: what, cause, evidence, next. */
export const describeFinding = ({ site, symptom, cause, evidence, next, code }: Finding): string =>
  [
    `site ${site}: ${symptom}`,
    `  cause     ${cause}`,
    `  evidence  ${evidence}`,
    `  next      ${next}  [${code}]`,
  ].join("\n");
