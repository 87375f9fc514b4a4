import { accountNames, exportsToAll, remoteAccount } from "./account-rules";
import { ConfigDraft, ConfigFinding, finished } from "../finding";
import {
  accountsWithStreams,
  clusterDomains,
  clusterQuorum,
  domains,
  doubledDomains,
  linkLimits,
  linksOfSite,
  payloads,
  roomForStreams,
  sharedStores,
  storage,
  storageLimits,
} from "./jetstream-rules";
import { Judged, confront } from "../confront";
import { clusterNames, encryption, monitoring, ports, serverNames, websocketCompression } from "./link-rules";
import { Known, Link, linkUp } from "../links";
import { hubLogin, hubUsers, remoteLogin } from "./login-rules";
import { credentialsOfOperators, preloadedAccounts, preloadedRemotes } from "./operator-rules";
import { dialledPlace, disabledRemotes, portsOnce, routes, takesNoLinks } from "./place-rules";
import { flowControlForms, importedForms } from "./flow-control-rules";
import { denials, importedSources, linkRights } from "./rights-rules";
import { ConfigContext, Rule } from "../rule";
import type { ConfigServer } from "../server";
import { notTexts, quotedVariables, repeats } from "./text-rules";

/** Judges configuration files that were written by hand: each by itself, and all of them as one fleet. */

const SERVER_RULES: readonly Rule<ConfigServer>[] = [
  repeats,
  quotedVariables,
  notTexts,
  portsOnce,
  routes,
  preloadedAccounts,
  disabledRemotes,
  hubUsers,
  accountNames,
  exportsToAll,
  importedSources,
  importedForms,
  domains,
  clusterDomains,
  clusterQuorum,
  linksOfSite,
  storageLimits,
  storage,
  sharedStores,
  serverNames,
  monitoring,
];

const LINK_RULES: readonly Rule<Link>[] = [
  remoteLogin,
  ports,
  dialledPlace,
  takesNoLinks,
  credentialsOfOperators,
  preloadedRemotes,
  clusterNames,
  websocketCompression,
  hubLogin,
  remoteAccount,
  linkRights,
  flowControlForms,
  denials,
  accountsWithStreams,
  linkLimits,
  roomForStreams,
  doubledDomains,
  payloads,
  encryption,
];

export interface ConfigVerdict {
  /** In the order of files and lines. */
  findings: ConfigFinding[];
  /** What was taken for granted, could not be judged, or was shown to work. */
  notes: string[];
}

export function judgeConfigs(
  servers: readonly ConfigServer[],
  readFile: ConfigContext["readFile"],
  known: Known = {},
): ConfigVerdict {
  const fleet = linkUp(servers, { ...known, readFile });
  const context: ConfigContext = { fleet, readFile, now: known.now };
  const ofLinks = fleet.links.flatMap((link) =>
    LINK_RULES.flatMap((rule) => [...rule(link, context)].map((draft): Judged => ({ ...draft, link }))),
  );
  const ofServers = servers.flatMap((server) =>
    SERVER_RULES.flatMap((rule) => [...rule(server, context)].map((draft): Judged => ({ ...draft, of: server }))),
  );
  const { drafts, notes } = confront([...ofLinks, ...ofServers], fleet, known.shown);
  const files = servers.map(({ file }) => file);
  const order = ({ at }: ConfigDraft): number => (files.includes(at.file) ? files.indexOf(at.file) : files.length);
  drafts.sort((a, b) => order(a) - order(b) || a.at.file.localeCompare(b.at.file) || a.at.line - b.at.line);
  return { findings: withoutRepeats(drafts.map(finished)), notes: [...fleet.notes, ...notes] };
}

/** The same thing seen from two links is one finding. */
function withoutRepeats(findings: ConfigFinding[]): ConfigFinding[] {
  const seen = new Map(findings.map((finding) => [JSON.stringify(finding), finding]));
  return [...seen.values()];
}
