import type { Position } from "../../configs/format/parse";
import { withoutSeeds } from "../../configs/seeds";
import { Particulars, Statement, filled, shown } from "../engine/finding";
import { CONFIG_FINDINGS, ConfigFindingCode } from "./reference";

/** What is said of configuration files that were written by hand. */

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

/** What a rule found; what it does not say itself is what `CONFIG_FINDINGS` says. */
export const draft = (
  code: ConfigFindingCode,
  { label: server }: { label: string },
  at: Position,
  particulars: Particulars,
): ConfigDraft => ({ code, at, server, ...filled(CONFIG_FINDINGS[code], particulars) });

/** The finding of a rule's draft. */
export const finished = ({ at, server, cause, evidence, next, code, severity }: ConfigDraft): ConfigFinding =>
  withoutSeeds({ code, severity, where: `${at.file}:${at.line}`, server, cause, evidence, next });

/** A finding as it is shown. */
export const describeConfigFinding = (finding: ConfigFinding): string => {
  const { where, severity, server, code } = finding;
  return shown(`${where}: ${severity} in the configuration of ${server}`, finding, `config-${code}`);
};
