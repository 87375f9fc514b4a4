import { DriftFacts } from "./facts/facts";
import { Draft, SiteRule, StreamRule, UP } from "./facts/finding";

/** Rules on whole configurations, of both servers and of both streams, against the declared ones. */

const listed = (items: readonly string[]): string => [...new Set(items)].join("; ");

/** What to do about it: the true cost first, where there is one. */
function nextOf({ stranger, refused, cost }: DriftFacts, site: string): string {
  if (stranger !== undefined) return "rename that stream, or set adopt: true to take it over, then run 'pulumi up'";
  if (refused !== undefined)
    return `JetStream cannot put back ${refused.fields.join(", ")}: ${refused.cure}, then run 'pulumi up'`;
  return cost === undefined ? UP : `'DISCARD=${site} make up' restores it, and loses messages: ${cost}`;
}

function draftOf(drift: DriftFacts | undefined, which: string, site: string): Draft | undefined {
  if (drift === undefined) return undefined;
  const { differences, stranger } = drift;
  const harms = listed(differences.flatMap(({ harm }) => harm ?? []));
  const isHarmless = harms === "" && stranger === undefined;
  return {
    ...(isHarmless ? { severity: "warning" as const } : {}),
    cause: `${which} ${stranger ?? "is not as declared"}${harms === "" ? "" : `: ${harms}`}`,
    evidence: listed(differences.map(({ words }) => words)),
    next: nextOf(drift, site),
  };
}

export const CONFIG_RULES: readonly SiteRule[] = [
  {
    code: "config-altered",
    by: "seen",
    find({ site, configChanges }) {
      const { hub = [], leaf = [] } = configChanges ?? {};
      if (hub.length + leaf.length === 0) return undefined;
      const whose = [...(hub.length > 0 ? ["the hub"] : []), ...(leaf.length > 0 ? [`site ${site}`] : [])];
      return {
        symptom: "a server's configuration is not what this program wrote",
        cause: `someone changed the configuration of ${whose.join(" and of ")}`,
        evidence: [...hub.map((change) => `hub: ${change}`), ...leaf.map((change) => `${site}: ${change}`)].join("; "),
        next: UP,
      };
    },
  },
];

export const DRIFT_RULES: readonly StreamRule[] = [
  {
    code: "site-stream-altered",
    by: "seen",
    find: ({ name, atSite }, { site }) =>
      atSite === "missing" ? undefined : draftOf(atSite?.drift, `the site's stream ${name}`, site),
  },
  {
    code: "hub-stream-altered",
    by: "seen",
    find: ({ collectedAs, onHub }, { site }) =>
      onHub === "missing" ? undefined : draftOf(onHub?.drift, `the hub's stream ${collectedAs}`, site),
  },
  {
    code: "hub-deduplicates",
    by: "seen",
    find({ collectedAs, onHub }) {
      const window = onHub === "missing" ? undefined : onHub?.window;
      return window === undefined
        ? undefined
        : {
            cause: `the hub's stream ${collectedAs} drops every message whose Nats-Msg-Id it already got within ${window}: equal ids from two sites, or from one site after an outage, lose messages`,
            evidence: `duplicate_window of the hub's stream, which has sources: ${window}`,
            next: "set duplicate_window of the hub's stream to 0: the sources need none",
          };
    },
  },
];
