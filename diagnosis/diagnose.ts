import { APPLICATION_RULES } from "./application-rules";
import { BOOK_RULES } from "./book-rules";
import { CLUSTER_RULES } from "./cluster-rules";
import { SiteFacts, StreamFacts } from "./facts/facts";
import { CONFIG_RULES, DRIFT_RULES } from "./drift-rules";
import { Finding, FleetRule, SiteRule, StreamRule, findingOf } from "./facts/finding";
import { LINK_RULES } from "./link-rules";
import { LOSS_RULES } from "./loss-rules";
import { PATH_RULES } from "./path-rules";
import { SOURCE_RULES } from "./source-rules";
import { STORE_RULES } from "./store-rules";
import { STREAM_RULES } from "./stream-rules";
import { WATCH_RULES } from "./watch-rules";

/** From facts to findings. Pure: the same facts give the same findings, so every rule is tested on its own. */

export { describeFinding, type Finding } from "./facts/finding";
export { type FindingCode } from "./reference/reference";

/** The rules in the order of the path: of the whole site, then of each stream. */
export interface Rules {
  site: readonly SiteRule[];
  stream: readonly StreamRule[];
}

export const RULES: Rules = {
  site: [
    ...STORE_RULES,
    ...APPLICATION_RULES,
    ...PATH_RULES,
    ...CLUSTER_RULES,
    ...LINK_RULES,
    ...CONFIG_RULES,
    ...WATCH_RULES,
  ],
  stream: [...STREAM_RULES, ...DRIFT_RULES, ...SOURCE_RULES, ...LOSS_RULES, ...BOOK_RULES],
};

/** Whether the finding explains that nothing arrives: a step that failed does so only when it left the site down. */
const blocks = ({ severity, code }: Finding, { leaf }: SiteFacts): boolean =>
  severity === "error" && code !== "payload-lowered" && (code !== "step-failed" || leaf.unreachable !== undefined);

function apply<Subject>(
  rules: readonly FleetRule<Subject>[],
  subject: Subject,
  facts: SiteFacts,
  before: readonly Finding[],
  of: Pick<Finding, "symptom" | "stream">,
): Finding[] {
  const found: Finding[] = [];
  for (const rule of rules) {
    const known = [...before, ...found];
    if (rule.by === "inferred" && known.some((finding) => blocks(finding, facts))) continue;
    if (known.some(({ code }) => code === rule.code || rule.unless?.includes(code) === true)) continue;
    const draft = rule.find(subject, facts);
    if (draft !== undefined) found.push(findingOf(rule.code, draft, { site: facts.site, ...of }));
  }
  return found;
}

const ofSite = (facts: SiteFacts, { site }: Rules): Finding[] =>
  apply(site, facts, facts, [], { symptom: "no data reaches the hub" });

const ofStream = (stream: StreamFacts, facts: SiteFacts, rules: Rules, before: readonly Finding[]): Finding[] =>
  apply(rules.stream, stream, facts, before, { symptom: `stream ${stream.name} is not proven`, stream: stream.name });

/** What keeps everything of the site from the hub, so that probes need not be sent; undefined when nothing does. */
export const blockingFinding = (facts: SiteFacts): Finding | undefined =>
  ofSite(facts, RULES).find((finding) => blocks(finding, facts));

/**
 * All findings of a site: errors first, each in the order of the path; empty when everything that was seen is right.
 * Independent mistakes are all named; what only follows from another is not.
 */
export function diagnose(facts: SiteFacts, rules: Rules = RULES): Finding[] {
  const onPath = ofSite(facts, rules);
  const all = [...onPath, ...facts.streams.flatMap((stream) => ofStream(stream, facts, rules, onPath))];
  return [
    ...all.filter(({ severity }) => severity === "error"),
    ...all.filter(({ severity }) => severity === "warning"),
  ];
}
