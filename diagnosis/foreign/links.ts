import { DoctorFinding } from "../facts/doctor-report";
import { ForeignSite } from "../../configs/reading/fleet-file";

/** Which of the links that a hub or a region lists are a site's, in fleets whose names somebody else gave. Pure. */

interface Link {
  name: string;
  account: string;
}

/** A leaf link that a server closed, with the reason in its own words. */
export interface ClosedLink {
  name: string;
  reason: string;
  ip: string;
  /** The user that the other end gave. */
  user?: string;
  stoppedMsAgo: number;
}

/** What a server says of its links. */
interface Listed {
  /** Those of its cluster; absent when it was not asked. */
  links?: readonly (Link & { is_spoke?: boolean })[];
}

/** The names of a site's servers, as its own server says them. */
interface Names {
  names: readonly string[];
  hasAllNames: boolean;
}

export interface SiteLinks {
  /** Links of the site's servers; absent when nobody could be asked for them. */
  own?: Link[];
  /** Names of links in the site's account that may be the site's under a name that the file does not have. */
  unclaimed: string[];
  /** Whether every name of the site's servers is known, so that another link cannot be the site's. */
  isSure: boolean;
}

/** The account that the site's link belongs in where it ends. */
export const linkAccount = ({ via, viaAccount, account }: ForeignSite): string | undefined =>
  via === undefined ? account : viaAccount;

const namesIn = ({ name, servers = [] }: ForeignSite): string[] => [name, ...servers];

export function siteLinks(
  site: ForeignSite,
  others: readonly ForeignSite[],
  upstream: Listed,
  atSite: Names,
): SiteLinks {
  const isSure = site.servers !== undefined || atSite.hasAllNames;
  const names = new Set([...(site.servers ?? [site.name]), ...atSite.names]);
  if (upstream.links === undefined) return { unclaimed: [], isSure };
  const links = upstream.links.filter(({ is_spoke: isOpenedThere }) => isOpenedThere !== true);
  const own = links.filter(({ name }) => names.has(name));
  const claimed = new Set(others.filter((other) => other !== site).flatMap(namesIn));
  const account = linkAccount(site);
  const unclaimed = links.filter(
    ({ name, account: of }) => !names.has(name) && !claimed.has(name) && (account === undefined || of === account),
  );
  return {
    own: own.map(({ name, account: of }) => ({ name, account: of })),
    unclaimed: [...new Set(unclaimed.map(({ name }) => name))],
    isSure,
  };
}

/**
 * The links to judge, of those of the site: a site may have more of them, into other accounts and from several servers.
 * Two that one server has in one account are two servers of one name, unless the site itself has as many (`atSite`).
 */
export function judgedLinks(own: readonly Link[], account: string | undefined, atSite: number | undefined): Link[] {
  const wanted = account ?? own[0]?.account;
  const right = own.filter((link) => link.account === wanted);
  if (right.length === 0) return [...own];
  const most = right
    .map(({ name }) => right.filter((link) => link.name === name))
    .reduce((one, other) => (other.length > one.length ? other : one));
  return most.length > Math.max(1, atSite ?? 1) ? most : most.slice(0, 1);
}

/**
 * In a site of several servers, a link of one server carries the hub's requests to that server alone: a stream that another
 * server leads is not reached. Undefined where that is not so.
 */
export function unlinkedLeader(
  own: readonly Pick<Link, "name">[] | undefined,
  leader: string | undefined,
  isHeard: boolean,
): Pick<DoctorFinding, "code" | "cause" | "evidence" | "next"> | undefined {
  if (own === undefined || own.length === 0 || leader === undefined || leader === "" || isHeard) return undefined;
  const linked = [...new Set(own.map(({ name }) => name))];
  if (linked.includes(leader)) return undefined;
  return {
    code: "stream-leader-unlinked",
    cause: `server ${leader} leads the site's stream and has no link to the hub: the hub's requests end at ${linked.join(", ")}`,
    evidence: `stream info at the site: leader ${leader}; hub /leafz: links of ${linked.join(", ")}`,
    next: `give ${leader} the leaf remote as well, as every server of the site needs it; or move the stream to a server that is linked`,
  };
}

/** Reasons that say nothing of why a link does not come up: an end was stopped, or a connection went. */
const USUAL = /^(Client Closed|Server Shutdown|Stale Connection|Read Error|Write Error|Kicked)$/;

/** The server's own reasons for the last links of these names that it closed, in words; undefined when it has none. */
export function closedWords(closed: readonly ClosedLink[], names: readonly string[]): string | undefined {
  const ofSite = closed.filter(({ name }) => names.includes(name));
  const [last] = [...ofSite.filter(({ reason }) => !USUAL.test(reason)), ...ofSite];
  if (last === undefined) return undefined;
  const { name, reason, ip, user, stoppedMsAgo } = last;
  const login = user === undefined || user === "" ? "" : `, login ${user}`;
  return `/connz: it closed a link of ${name} from ${ip} ${Math.round(stoppedMsAgo / 1000)} s ago with '${reason}'${login}`;
}

/** Within what time a link that was pushed out says that another server pushes now. */
const PUSHES_WITHIN_MS = 2_500;

/** Whether another server of one of these names pushes their link out, again and again. */
export const isPushedOut = (closed: readonly ClosedLink[], names: readonly string[]): boolean =>
  closed.some(
    ({ name, reason, stoppedMsAgo }) =>
      names.includes(name) && /^Duplicate Remote/.test(reason) && stoppedMsAgo < PUSHES_WITHIN_MS,
  );

/** What to do about a link that does not come up, by the reason that the hub has for closing it. */
const BY_REASON: readonly (readonly [RegExp, string])[] = [
  [
    /region's server/,
    "start the server of the region that the site is linked through: the site's link comes back by itself",
  ],
  [
    /'Authentication (Failure|Timeout|Expired)'|'(Credentials|User JWT) (Revoked|Expired)'/,
    "the hub refuses the login of the site's leaf remote: correct it there (an nkey seed belongs in 'nkey', not in 'credentials'), or put back that user at the hub, with the right to open leaf connections",
  ],
  [
    /'Cluster Names Identical'/,
    "give the site's cluster another name than the hub's (cluster.name), and restart the site",
  ],
  [
    /'Duplicate (Remote LeafNode Connection|Server Name)'/,
    "another server is linked under the site's name: give each server a server_name of its own, or stop the copy",
  ],
  [
    /'Maximum [\w ]*Connections/,
    "raise the limit of connections at the hub (max_connections, or the account's), or close what holds them",
  ],
  [/'Wrong Port'/, "give the hub's leafnode port in the site's leaf remote"],
  [/'Minimum Version Required'/, "update the site's server, or lower leafnodes.min_version of the hub"],
];

export const linkCure = (evidence: string): string | undefined =>
  BY_REASON.find(([reason]) => reason.test(evidence))?.[1];
