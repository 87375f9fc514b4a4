import { accountNames, exportsToAll, remoteAccount } from "./account-rules";
import { ConfigDraft, ConfigFinding, finished } from "./finding";
import { flowControlForms, importedForms } from "./flow-control-rules";
import { accountsWithStreams, domains, doubledDomains, payloads, sharedStores, storage } from "./jetstream-rules";
import { encryption, monitoring, ports, serverNames } from "./link-rules";
import { Link, linkUp } from "./links";
import { hubLogin, hubUsers, remoteLogin } from "./login-rules";
import { denials, importedSources, linkRights } from "./rights-rules";
import { ConfigContext, Rule } from "./rule";
import type { ConfigServer } from "./server";

/** Judges configuration files that were written by hand: each by itself, and all of them as one fleet. */

const SERVER_RULES: readonly Rule<ConfigServer>[] = [
  hubUsers,
  accountNames,
  exportsToAll,
  importedSources,
  importedForms,
  domains,
  storage,
  sharedStores,
  serverNames,
  monitoring,
];

const LINK_RULES: readonly Rule<Link>[] = [
  remoteLogin,
  ports,
  hubLogin,
  remoteAccount,
  linkRights,
  flowControlForms,
  denials,
  accountsWithStreams,
  doubledDomains,
  payloads,
  encryption,
];

export interface ConfigVerdict {
  /** In the order of files and lines. */
  findings: ConfigFinding[];
  /** What was taken for granted, or could not be judged. */
  notes: string[];
}

export function judgeConfigs(servers: readonly ConfigServer[], readFile: ConfigContext["readFile"]): ConfigVerdict {
  const fleet = linkUp(servers);
  const context: ConfigContext = { fleet, readFile };
  const drafts: ConfigDraft[] = [
    ...fleet.links.flatMap((link) => LINK_RULES.flatMap((rule) => [...rule(link, context)])),
    ...servers.flatMap((server) => SERVER_RULES.flatMap((rule) => [...rule(server, context)])),
  ];
  const files = servers.map(({ file }) => file);
  const order = ({ at }: ConfigDraft): number => (files.includes(at.file) ? files.indexOf(at.file) : files.length);
  drafts.sort((a, b) => order(a) - order(b) || a.at.file.localeCompare(b.at.file) || a.at.line - b.at.line);
  return { findings: withoutRepeats(drafts.map(finished)), notes: fleet.notes };
}

/** The same thing seen from two links is one finding. */
function withoutRepeats(findings: ConfigFinding[]): ConfigFinding[] {
  const seen = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return [...seen.values()];
}
