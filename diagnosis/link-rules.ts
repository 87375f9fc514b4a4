import { covers } from "../configs/subjects";
import { SiteFacts } from "./facts/facts";
import { SiteRule, UP } from "./facts/finding";

/** Rules about a link that stands: who else uses it, what it carries, and JetStream at its two ends. */

/** What the site must be able to receive and to send over the link, with a word for each. */
const needs = ({ declared, leaf, streams }: SiteFacts) => ({
  imports: [
    `$JS.${declared.domain}.API.CONSUMER.CREATE`,
    ...streams.map(({ name }) =>
      leaf.flowControl === "v2" ? `$JS.FC.${declared.domain}.x.${name}.x` : `$JS.FC.${name}.x`,
    ),
  ],
  exports: ["$JSC.R.x", "$JS.S.x"],
});

/** Patterns that keep one of the subjects away. */
const inTheWay = (denied: readonly string[], subjects: readonly string[]): string[] =>
  denied.filter((pattern) => subjects.some((subject) => covers(pattern, subject) || covers(pattern, `${subject}.x`)));

export const LINK_RULES: readonly SiteRule[] = [
  {
    code: "link-doubled",
    by: "seen",
    find({ hub: { links, strangers = [] }, declared, site }) {
      const names = [...links.map(() => site), ...strangers];
      if (names.length < 2 || links.length === 0) return undefined;
      return {
        cause:
          strangers.length > 0
            ? `other servers are linked into this site's account ${declared.account}: ${strangers.join(", ")}`
            : `${links.length} servers are linked under the name of this site`,
        evidence: `hub /leafz: ${names.map((name) => `${name} -> ${name === site ? links.map(({ account }) => account).join(", ") : declared.account}`).join("; ")}`,
        next: "stop the copy (a cloned machine?), or give it a key and an account of its own; if the hub was changed by hand, 'pulumi up' restores its users and accounts",
      };
    },
  },
  {
    code: "link-stale",
    by: "seen",
    find({ unanswered, leaf, site }) {
      if (unanswered === undefined || leaf.unreachable !== undefined) return undefined;
      const { hubSent, siteReceived, siteSent, hubReceived } = unanswered;
      const [toSite, toHub] = [hubSent > 0 && siteReceived === 0, siteSent > 0 && hubReceived === 0];
      if (!toSite && !toHub) return undefined;
      const dead = toSite ? "what the hub sends does not reach the site" : "what the site sends does not reach the hub";
      return {
        cause: `the link of ${site} is up at both ends, but ${dead}: the network between them drops it`,
        evidence: `while a request went unanswered the hub sent ${hubSent} messages and the site received ${siteReceived}; the site sent ${siteSent} and the hub received ${hubReceived}`,
        next: "check the network between site and hub (a firewall or NAT that drops the connection silently); then kill the site's server (its process, or with 'docker kill') and run 'pulumi up', which starts it again with a new link",
      };
    },
  },
  {
    code: "jetstream-off",
    by: "seen",
    unless: ["store-failed"],
    find({ hub, leaf }) {
      const off = [
        ...(hub.jetStream === undefined || hub.jetStream === "on" ? [] : [`on the hub ${hub.jetStream}`]),
        ...(leaf.jetStream === undefined || leaf.jetStream === "on" ? [] : [`at the site ${leaf.jetStream}`]),
      ].join(", and ");
      return off === ""
        ? undefined
        : { cause: `JetStream is off ${off}`, evidence: `JSZ and ACCOUNTZ: JetStream is off ${off}`, next: UP };
    },
  },
  {
    code: "equal-domains",
    by: "seen",
    find({ hub, leaf, declared }) {
      const ofHub = hub.domain ?? declared.hubDomain;
      if (leaf.domain === undefined || leaf.domain === "" || leaf.domain !== ofHub) return undefined;
      const [where, right] =
        leaf.domain === declared.domain ? ["the hub", declared.hubDomain] : ["the site", declared.domain];
      return {
        cause: `site and hub have the same JetStream domain '${leaf.domain}'`,
        evidence: `domains: site '${leaf.domain}', hub '${hub.domain ?? "unknown"}'; the hub asks for '$JS.${declared.domain}.API'`,
        next: `set jetstream.domain of ${where} to "${right}" (run 'pulumi up')`,
      };
    },
  },
  {
    code: "wrong-domain",
    by: "seen",
    unless: ["equal-domains"],
    find({ hub, leaf, declared }) {
      if (leaf.domain === undefined || leaf.domain === declared.domain) return undefined;
      // Without JetStream there is no domain either.
      if (leaf.jetStream === "off in the server") return undefined;
      return {
        cause: `the site's JetStream ${leaf.domain === "" ? "has no domain" : `domain is '${leaf.domain}', not '${declared.domain}'`}`,
        evidence: `domains: site '${leaf.domain}', hub '${hub.domain ?? "unknown"}'; the hub asks for '$JS.${declared.domain}.API'`,
        next: `set jetstream.domain of the site to "${declared.domain}" (run 'pulumi up')`,
      };
    },
  },
  {
    code: "remote-denies",
    by: "seen",
    find(facts) {
      const { denyImports = [], denyExports = [] } = facts.leaf.remote ?? {};
      const { imports, exports } = needs(facts);
      const denied = [
        ...inTheWay(denyImports, imports).map((subject) => `deny_imports ${subject}`),
        ...inTheWay(denyExports, exports).map((subject) => `deny_exports ${subject}`),
      ].join(", ");
      return denied === ""
        ? undefined
        : {
            cause: "the site's leaf remote denies what sourcing needs",
            evidence: `its remote has ${denied}`,
            next: `remove it from the leaf remote (${UP})`,
          };
    },
  },
  {
    code: "payload-limits",
    by: "seen",
    find({ hub, leaf }) {
      if (hub.maxPayload === undefined || leaf.maxPayload === undefined || leaf.maxPayload <= hub.maxPayload)
        return undefined;
      return {
        cause: "the site accepts larger messages than the hub: the first of them breaks the link, again and again",
        evidence: `max_payload: site ${leaf.maxPayload}, hub ${hub.maxPayload} bytes`,
        next: `raise max_payload of the hub, or lower the site's, to the same value (${UP})`,
      };
    },
  },
];
