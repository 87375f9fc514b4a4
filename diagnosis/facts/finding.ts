import { SiteFacts, StreamFacts } from "./facts";
import { FindingCode } from "../reference/reference";

/** What the diagnosis says, and the form of its rules. */

export interface Finding {
  /** Names the rule; documented in docs/findings.md. */
  code: FindingCode;
  /** "error": sourcing is not proven. "warning": it is, but something was lost or is about to be. */
  severity: "error" | "warning";
  site: string;
  /** Name of the stream at the site; absent when the finding is about the site as a whole. */
  stream?: string;
  /** What is wrong, as seen from outside. */
  symptom: string;
  cause: string;
  evidence: string;
  /** What to do next. */
  next: string;
}

/** The cure of what the program itself puts right. */
export const UP = "run 'pulumi up', which repairs it";

/** The cure of a source that is put back; `doubles`: what the hub's stream would store a second time then. */
export const putBack = (site: string, doubles: string | undefined): string =>
  doubles === undefined
    ? UP
    : `'DOUBLE=${site} make up' restores it, and the hub's stream stores ${doubles} of the site a second time`;

/** A finding as a rule makes it: the diagnosis adds the rest. */
export type Draft = Pick<Finding, "cause" | "evidence" | "next"> & Partial<Pick<Finding, "severity" | "symptom">>;

interface RuleOf<Find> {
  code: FindingCode;
  /**
   * "seen": the mistake itself was seen, and is always named. "inferred": something does not happen that should, which
   * any mistake before it on the path explains; it is named only when there is none.
   */
  by: "seen" | "inferred";
  /** Findings of which it would be a mere consequence, although it is seen. */
  unless?: readonly FindingCode[];
  find: Find;
}

export type SiteRule = RuleOf<(facts: SiteFacts) => Draft | undefined>;
export type StreamRule = RuleOf<(stream: StreamFacts, facts: SiteFacts) => Draft | undefined>;

/** A finding as it is shown: what, cause, evidence, next, and where more is said of it. */
export const describeFinding = ({ site, symptom, cause, evidence, next, code }: Finding): string =>
  [
    `site ${site}: ${symptom}`,
    `  cause     ${cause}`,
    `  evidence  ${evidence.replaceAll("\n", `\n${" ".repeat(12)}`)}`,
    `  next      ${next}  [${code}]`,
    `  see       docs/findings.md#${code}`,
  ].join("\n");
