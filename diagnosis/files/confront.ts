import { present } from "../../configs/values";
import { ConfigDraft, draft } from "./finding";
import { Link, LinkedFleet, accountOf } from "./links";
import type { ConfigFindingCode } from "./reference";
import { place } from "./rule";
import type { ConfigServer } from "./server";
import type { Shown } from "./shown";

/** Brings together what the rules say of files and what real servers did with them: the servers are right. */

/** What a rule said, and of what. */
export interface Judged extends ConfigDraft {
  link?: Link;
  of?: ConfigServer;
}

/** What a link that is up shows to be wrong. */
const OF_LINKS: ReadonlySet<ConfigFindingCode> = new Set([
  "unknown-key",
  "unknown-user",
  "wrong-password",
  "user-not-for-leafnodes",
  "credentials-not-nkey",
  "authorization-shadows-accounts",
  "hub-client-port",
  "equal-cluster-name",
  "tls-one-end",
  "tls-authority",
  "tls-client-certificate",
  "handshake-first",
]);

/** What explains that a link is not there, besides. */
const ALSO_OF_LINKS: ReadonlySet<ConfigFindingCode> = new Set([
  "seed-in-credentials",
  "seed-file-in-credentials",
  "credentials-malformed",
  "credentials-and-nkey",
  "nkey-not-a-seed",
  "no-authentication",
  "user-key-invalid",
  "variable-quoted",
  "setting-repeated",
  "websocket-compression",
  "dialled-elsewhere",
  "hub-without-leafnodes",
  "account-not-preloaded",
  "account-of-another-operator",
  "jwt-expired",
  "jwt-not-valid-yet",
  "user-revoked",
  "credentials-of-two-users",
  "signer-unknown",
  "preloaded-under-another-key",
  "no-leaf-links-allowed",
]);

/** What a stream that came through shows to be wrong. */
const OF_DATA: ReadonlySet<ConfigFindingCode> = new Set([
  "leaf-without-domain",
  "hub-account-without-jetstream",
  "leaf-account-without-jetstream",
  "leaf-without-jetstream",
  "sourcing-blocked",
  "flow-control-blocked",
]);

/** What explains that none came through, besides. */
const ALSO_OF_DATA: ReadonlySet<ConfigFindingCode> = new Set([
  "equal-domains",
  "domain-doubled",
  "wrong-account",
  "remote-without-account",
  "server-name-doubled",
  "hub-without-users",
  "max-payload",
  "no-room-for-streams",
]);

/** What keeps a server from starting. */
const OF_STARTS: ReadonlySet<ConfigFindingCode> = new Set([
  "local-account-unknown",
  "authorization-account-unknown",
  "system-account-unknown",
  "no-auth-user-unknown",
  "domain-with-dot",
  "user-key-invalid",
  "nkey-not-a-seed",
  "credentials-and-nkey",
  "port-twice",
  "account-of-another-operator",
  "signer-unknown",
  "preloaded-under-another-key",
]);

export function confront(
  judged: readonly Judged[],
  fleet: LinkedFleet,
  shown: Shown | undefined,
): { drafts: ConfigDraft[]; notes: string[] } {
  if (shown === undefined) return { drafts: [...judged], notes: [] };
  const drafts = judged.filter((one) => !isContradicted(one, fleet));
  const more: ConfigDraft[] = [];
  const notes = [...shown.untried];
  for (const [server, reason] of shown.refused) {
    const explained = drafts.filter((one) => OF_STARTS.has(one.code) && isAbout(one, server));
    if (explained.length > 0) explained.forEach((one) => add(one, `nats-server: ${reason}`));
    else more.push(draft("start-refused", server, server.at, { evidence: reason }));
  }
  for (const [server, said] of shown.incomplete) {
    if (drafts.some((one) => OF_CLUSTERS.has(one.code))) break;
    const at = server.cluster?.at ?? server.at;
    more.push(draft("cluster-incomplete", server, at, { evidence: said.join("; ") || "no route came up within 3 s" }));
  }
  const hasCluster = [...drafts, ...more].some(({ code }) => OF_CLUSTERS.has(code));
  for (const link of fleet.links) {
    const { seen, leaf, remote } = link;
    if (seen === undefined) continue;
    const explains = (codes: ReadonlySet<ConfigFindingCode>, also: ReadonlySet<ConfigFindingCode>): Judged[] =>
      drafts.filter(
        (one) =>
          one.severity === "error" &&
          (codes.has(one.code) || also.has(one.code)) &&
          (one.link === link || isAbout(one, link.leaf) || isAbout(one, link.hub)),
      );
    for (const { hub, reasons } of seen.refusedAt) {
      if (seen.up === undefined) break;
      more.push(
        draft("link-refused", hub, hub.at, {
          cause: "the leaf remote names several servers, and this one does not let it in",
          evidence: [`${leaf.label} links at ${seen.up.hub.label} alone`, ...reasons].join("; "),
          next: "give every server of the hub the same accounts, users and tls",
        }),
      );
    }
    if (seen.up === undefined) {
      const silent =
        seen.reasons.length === 0 ? ["no link came up within 5 s, and neither server says why"] : seen.reasons;
      const words = [...silent, ...hintsFor(silent), ...unusualSettings(link)].join("; ");
      const explained = explains(OF_LINKS, ALSO_OF_LINKS);
      if (explained.length > 0) explained.filter((one) => one.link === link).forEach((one) => add(one, words));
      else more.push(refusal(link, words));
      continue;
    }
    const { sourcing } = seen;
    const where = `the link is up, in account ${link.local} of ${leaf.label} and ${accountOf(link) ?? ""} of ${seen.up.hub.label}`;
    if (sourcing.is === "proven") {
      // It worked this time; the server itself calls it a mistake (leafnode.go).
      for (const one of drafts) if (one.code === "equal-domains" && isAbout(one, leaf)) one.severity = "warning";
      // A login for everybody that is meant so, with the rights of a link.
      for (const one of drafts) if (one.code === "no-authentication" && one.link === link) one.severity = "warning";
      notes.push(`${place(remote.at)}: ${where}, and carries a stream`);
    }
    if (sourcing.is === "not-tried") notes.push(`${place(remote.at)}: ${where}; no stream was tried: ${sourcing.why}`);
    if (sourcing.is === "failed") {
      const explained = explains(OF_DATA, ALSO_OF_DATA);
      if (explained.length > 0) explained.filter((one) => one.link === link).forEach((one) => add(one, sourcing.what));
      else if (!hasCluster) {
        const { next, what } = sourcing;
        const [, hint, end] = HINTS.find(([pattern]) => pattern.test(what)) ?? [];
        const at = sourcing.at ?? (end === "hub" ? seen.up.hub : leaf);
        const cure = next ?? hint;
        const particulars = { evidence: `${where}; ${what}`, ...present({ next: cure }) };
        more.push(draft("sourcing-failed", at, at === leaf ? remote.at : at.at, particulars));
      }
    }
  }
  return { drafts: [...drafts, ...more], notes };
}

/** What keeps servers from being one cluster. */
const OF_CLUSTERS: ReadonlySet<ConfigFindingCode> = new Set([
  "cluster-names-differ",
  "route-to-other-listener",
  "cluster-incomplete",
  "cluster-domains",
]);

/** What settings are behind the words of nats-server, and at which end they stand. */
const HINTS: readonly [words: RegExp, hint: string, end: "hub" | "leaf"][] = [
  [/maximum account active connections/, "limits { max_leafnodes } of the account on the hub says how many", "hub"],
  [/maximum \w*\s?subscriptions exceeded/i, "a limit of subscriptions (max_subs) is in the way", "hub"],
  [
    /maximum payload exceeded|Payload Violation/i,
    "a max_payload of the hub, or of the account there, is too small",
    "hub",
  ],
  [/Authentication Timeout/, "authorization { timeout } of the hub is too short", "hub"],
  [/minimum version required/, "leafnodes { min_version } of the hub says which", "hub"],
  [/unknown authority/, "ca_file of that end's tls is not the CA that signed the other end's certificate", "leaf"],
  [/not pinned/, "pinned_certs of the hub has another certificate", "hub"],
];

/** A link that is not there, told at the end whose setting is behind it, as far as the words tell. */
function refusal({ leaf, hub, remote, landing }: Link, words: string): ConfigDraft {
  const [, , end] = HINTS.find(([pattern]) => pattern.test(words)) ?? [];
  const needsProxy = landing.is === "unknown" && hub?.users.some(({ needsProxy: needs }) => needs === true);
  const evidence = needsProxy === true ? `${words}; users of the hub are proxy_required` : words;
  if (hub !== undefined && (end === "hub" || needsProxy === true))
    return draft("link-refused", hub, hub.at, { evidence });
  return draft("link-refused", leaf, remote.at, { evidence });
}

const hintsFor = (reasons: readonly string[]): string[] =>
  HINTS.flatMap(([pattern, hint]) => (reasons.some((reason) => pattern.test(reason)) ? [hint] : []));

const USUAL = /^(urls?|account|local|nkey|seed|credentials|creds|tls|deny_\w+)$/i;

/** Settings of the remote that few people touch: one of them may be why. */
function unusualSettings({ remote }: Link): string[] {
  const unusual = remote.others.filter((name) => !USUAL.test(name));
  return unusual.length === 0 ? [] : [`the remote also sets ${unusual.join(", ")}`];
}

const add = (one: Judged, words: string): void => {
  one.evidence = `${one.evidence}; in the rehearsal: ${words}`;
};

const isAbout = (one: Judged, server: ConfigServer | undefined): boolean =>
  server !== undefined && (one.of === server || (one.link?.leaf === server && one.server === server.label));

/** Whether the hub lets the link in as it lets in everybody: that is no sign of a right login. */
const isAnybody = ({ is }: Link["landing"]): boolean => is === "open" || is === "no-auth-user";

function isContradicted({ code, link, of }: Judged, { links }: LinkedFleet): boolean {
  const concerned = link === undefined ? links.filter(({ hub }) => hub !== undefined && hub === of) : [link];
  if (concerned.length === 0) return false;
  if (OF_LINKS.has(code)) return concerned.every(({ seen, landing }) => seen?.up !== undefined && !isAnybody(landing));
  return OF_DATA.has(code) && concerned.every(({ seen }) => seen?.sourcing.is === "proven");
}
