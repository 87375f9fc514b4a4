import type { Position } from "../../configs/format/parse";
import { maskSeeds } from "../../configs/seeds";
import { Particulars, Statement, filled, shown } from "../engine/finding";
import { CONFIG_FINDINGS, ConfigFindingCode } from "./reference";

/** Findings over configuration files that were written by hand. */

interface Judgement extends Statement {
  /** Names the rule; documented in docs/findings.md. */
  code: ConfigFindingCode;
  /** The server's name, or its file's. */
  server: string;
}

export interface ConfigFinding extends Judgement {
  /** `file:line`. */
  where: string;
}

/** A finding as a rule makes it. */
export interface ConfigDraft extends Judgement {
  at: Position;
}

/** What a rule found; fields that it leaves out come from `CONFIG_FINDINGS`. */
export const draft = (
  code: ConfigFindingCode,
  { label: server }: { label: string },
  at: Position,
  particulars: Particulars,
): ConfigDraft => ({ code, at, server, ...filled(CONFIG_FINDINGS[code], particulars) });

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
export const describeConfigFinding = (finding: ConfigFinding): string => {
  const { where, severity, server, code } = finding;
  return shown(`${where}: ${severity} in the configuration of ${server}`, finding, `config-${code}`);
};
