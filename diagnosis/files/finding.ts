import type { Position } from "../../configs/format/parse";
import { maskSeeds } from "../../configs/seeds";
import { CONFIG_FINDINGS, ConfigFindingCode } from "./reference";
import type { ConfigReference } from "./reference-entry";

/** Findings over configuration files that were written by hand. */

export interface ConfigFinding {
  /** Names the rule; documented in docs/findings.md. */
  code: ConfigFindingCode;
  severity: ConfigReference["severity"];
  /** `file:line`. */
  where: string;
  /** The server's name, or its file's. */
  server: string;
  cause: string;
  evidence: string;
  /** What to do next. */
  next: string;
}

/** A finding as a rule makes it. */
export interface ConfigDraft extends Omit<ConfigFinding, "severity" | "where"> {
  at: Position;
  severity: ConfigFinding["severity"];
}

type Particulars = Pick<ConfigDraft, "evidence"> & Partial<Pick<ConfigDraft, "cause" | "next" | "severity">>;

/** What a rule found; fields that it leaves out come from `CONFIG_FINDINGS`. */
export function draft(
  code: ConfigFindingCode,
  { label }: { label: string },
  at: Position,
  particulars: Particulars,
): ConfigDraft {
  const { severity, cause, cure } = CONFIG_FINDINGS[code];
  const plain = (text: string): string => text.replaceAll("`", "'");
  return { code, at, server: label, severity, cause: plain(cause), next: plain(cure), ...particulars };
}

/** Without seeds, JWTs, and logins of urls, which nats-server repeats when it cannot read them. */
export const masked = (text: string): string =>
  maskSeeds(text)
    .replace(/\bey[\w-]+\.[\w-]+\.[\w-]+/g, "ey…(masked)")
    .replace(/(:\/\/)[^"\]\s]*(?:\s[^"\]]*)?@/g, "$1(masked)@");

/** The finding of a rule's draft, with every secret masked. */
export const finished = ({ at, server, cause, evidence, next, code, severity }: ConfigDraft): ConfigFinding => ({
  code,
  severity,
  where: `${at.file}:${at.line}`,
  server: masked(server),
  cause: masked(cause),
  evidence: masked(evidence),
  next: masked(next),
});

/** A finding as it is shown. */
export const describeConfigFinding = ({
  severity,
  where,
  server,
  cause,
  evidence,
  next,
  code,
}: ConfigFinding): string =>
  [
    `${where}: ${severity} in the configuration of ${server}`,
    `  cause     ${cause}`,
    `  evidence  ${evidence}`,
    `  next      ${next}  [${code}]`,
    `  see       docs/findings.md#config-${code}`,
  ].join("\n");
