/** What all findings have, those over running fleets and those over hand-written files. */

/** What is said of a finding in general, for the docs; and in a finding, where its rule does not say it itself. */
export interface Reference {
  /** "error": sourcing is not proven, or data is lost or leaks. "warning": a loss, or a risk. @default "error" */
  severity?: "error" | "warning";
  /** What is wrong. */
  cause: string;
  /** How it shows: what is seen of it. */
  shows: string;
  /** What to do, in a person's words. */
  cure: string;
}

/** Entries of findings that are warnings. */
export const warnings = <Code extends string>(entries: Record<Code, Reference>): Record<Code, Reference> => {
  const all = Object.entries<Reference>(entries).map(([code, entry]) => [code, { severity: "warning", ...entry }]);
  return Object.fromEntries(all) as Record<Code, Reference>;
};

export interface Statement {
  severity: "error" | "warning";
  cause: string;
  evidence: string;
  /** What to do next. */
  next: string;
}

/** What a rule says itself. */
export type Particulars = Pick<Statement, "evidence"> & Partial<Statement>;

const plain = (text: string): string => text.replaceAll("`", "'");

/** The statement of a rule, with what it leaves to its reference. */
export const filled = (reference: Reference, { severity, cause, evidence, next }: Particulars): Statement => ({
  severity: severity ?? reference.severity ?? "error",
  cause: cause ?? plain(reference.cause),
  evidence,
  next: next ?? plain(reference.cure),
});

/** A finding as it is shown: its title, cause, evidence, next, and where more is said of it in docs/findings.md. */
export const shown = (
  title: string,
  { code, cause, evidence, next }: Omit<Statement, "severity"> & { code: string },
  heading = code,
): string =>
  [
    title,
    `  cause     ${cause}`,
    `  evidence  ${evidence.replaceAll("\n", `\n${" ".repeat(12)}`)}`,
    `  next      ${next}  [${code}]`,
    `  see       docs/findings.md#${heading}`,
  ].join("\n");
