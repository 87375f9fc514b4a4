import { withoutSeeds } from "../../configs/seeds";
import { Statement, filled, shown } from "../engine/finding";
import { SiteFacts, StreamFacts } from "./facts";
import { DOCTOR_FINDINGS, DoctorCode, FINDINGS, FindingCode } from "../reference/reference";

/** What the diagnosis of a running fleet says, and the form of its rules. */

/** "error": sourcing is not proven. "warning": it is, but something was lost or is about to be. */
export interface Finding extends Statement {
  /** Names the rule; documented in docs/findings.md. */
  code: FindingCode;
  site: string;
  /** Name of the stream at the site; absent when the finding is about the site as a whole. */
  stream?: string;
  /** What is wrong, as seen from outside. */
  symptom: string;
}

/** The cure of what the program itself puts right. */
export const UP = "run 'pulumi up', which repairs it";

/** The cure of a source that is put back; `doubles`: what the hub's stream would store a second time then. */
export const putBack = (site: string, doubles: string | undefined): string =>
  doubles === undefined
    ? UP
    : `'DOUBLE=${site} make up' restores it, and the hub's stream stores ${doubles} of the site a second time`;

/** A finding as a rule makes it: the diagnosis adds the rest. */
export type Draft = Omit<Statement, "severity"> & Partial<Pick<Finding, "severity" | "symptom">>;

export interface FleetRule<Subject> {
  code: FindingCode;
  /**
   * "seen": the mistake itself was seen, and is always named. "inferred": something does not happen that should, which
   * any mistake before it on the path explains; it is named only when there is none.
   */
  by: "seen" | "inferred";
  /** Findings of which it would be a mere consequence, although it is seen. */
  unless?: readonly FindingCode[];
  find(subject: Subject, facts: SiteFacts): Draft | undefined;
}

export type SiteRule = FleetRule<SiteFacts>;
export type StreamRule = FleetRule<StreamFacts>;

const REFERENCES = { ...FINDINGS, ...DOCTOR_FINDINGS };

/** The finding of a draft; `of` says where, and what is seen of it unless the draft does. */
export function findingOf<Code extends FindingCode | DoctorCode>(
  code: Code,
  { symptom, ...draft }: Draft,
  { symptom: usual, ...place }: Pick<Finding, "site" | "symptom" | "stream">,
): Omit<Finding, "code"> & { code: Code } {
  const { severity, ...statement } = filled(REFERENCES[code], draft);
  return withoutSeeds({ code, severity, symptom: symptom ?? usual, ...statement, ...place });
}

/** A finding as it is shown. */
export const describeFinding = (finding: Omit<Finding, "code"> & { code: string }): string =>
  shown(`site ${finding.site}: ${finding.symptom}`, finding);
