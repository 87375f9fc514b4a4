import { SiteFacts, StreamFacts } from "./facts";

/** What the diagnosis says, and the form of its rules. */

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

/** The cure of what the program itself puts right. */
export const UP = "run 'pulumi up', which repairs it";

/** A finding as a rule makes it: the diagnosis adds the rest. */
export type Draft = Omit<Finding, "site" | "severity" | "symptom"> & Partial<Pick<Finding, "severity" | "symptom">>;
export type SiteRule = (facts: SiteFacts) => Draft | undefined;
export type StreamRule = (stream: StreamFacts, facts: SiteFacts) => Draft | undefined;

/** A finding as it is shown: what, cause, evidence, next. */
export const describeFinding = ({ site, symptom, cause, evidence, next, code }: Finding): string =>
  [
    `site ${site}: ${symptom}`,
    `  cause     ${cause}`,
    `  evidence  ${evidence}`,
    `  next      ${next}  [${code}]`,
  ].join("\n");
