import { DriftFacts } from "./facts";
import { Draft, StreamRule, UP } from "./finding";

/** Rules on the whole configuration of both streams, against the declared one. */

const listed = (items: readonly string[]): string => [...new Set(items)].join("; ");

/** What to do about it: the true cost first, where there is one. */
function nextOf({ stranger, refused, cost }: DriftFacts, site: string): string {
  if (stranger !== undefined) return "rename that stream, or set adopt: true to take it over, then run 'pulumi up'";
  if (refused !== undefined)
    return `JetStream cannot put back ${refused.fields.join(", ")}: ${refused.cure}, then run 'pulumi up'`;
  return cost === undefined ? UP : `'DISCARD=${site} make up' puts it back, and loses messages: ${cost}`;
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
];
