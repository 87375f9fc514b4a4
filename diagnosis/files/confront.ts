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
]);

export function confronted(
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
    if (seen.up === undefined) {
      const words = seen.reasons.length === 0 ? "none came within 5 s, and no end says why" : seen.reasons.join("; ");
      const explained = explains(OF_LINKS, ALSO_OF_LINKS);
      if (explained.length > 0) explained.filter((one) => one.link === link).forEach((one) => add(one, words));
      else more.push(draft("link-refused", leaf, remote.at, { evidence: words }));
      continue;
    }
    const { sourcing } = seen;
    const where = `the link is up, in account ${link.local} of ${leaf.label} and ${accountOf(link) ?? ""} of ${seen.up.hub.label}`;
    if (sourcing.is === "proven") notes.push(`${place(remote.at)}: ${where}, and carries a stream`);
    if (sourcing.is === "not-tried") notes.push(`${place(remote.at)}: ${where}; no stream was tried: ${sourcing.why}`);
    if (sourcing.is === "failed") {
      const explained = explains(OF_DATA, ALSO_OF_DATA);
      if (explained.length > 0) explained.filter((one) => one.link === link).forEach((one) => add(one, sourcing.what));
      else more.push(draft("sourcing-failed", leaf, remote.at, { evidence: `${where}; ${sourcing.what}` }));
    }
  }
  return { drafts: [...drafts, ...more], notes };
}

const add = (one: Judged, words: string): void => {
  one.evidence = `${one.evidence}; in the rehearsal: ${words}`;
};

const isAbout = (one: Judged, server: ConfigServer | undefined): boolean =>
  server !== undefined && (one.of === server || (one.link?.leaf === server && one.server === server.label));

function isContradicted({ code, link, of }: Judged, { links }: LinkedFleet): boolean {
  const concerned = link === undefined ? links.filter(({ hub }) => hub !== undefined && hub === of) : [link];
  if (concerned.length === 0) return false;
  if (OF_LINKS.has(code)) return concerned.every(({ seen }) => seen?.up !== undefined);
  return OF_DATA.has(code) && concerned.every(({ seen }) => seen?.sourcing.is === "proven");
}
