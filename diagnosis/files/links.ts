import { present } from "../../configs/values";
import { publicKeyOf } from "../../configs/keys";
import { seedProblem } from "../../configs/seeds";
import type { Located } from "./section";
import { ConfigServer, GLOBAL_ACCOUNT, Listener, Remote, RemoteUrl, UserRead, ownAccounts, shownUrl } from "./server";

/** Which hub a leaf remote reaches, and what that hub makes of it. */

export interface Hub extends ConfigServer {
  listener: Listener;
}

export interface Link {
  leaf: ConfigServer;
  remote: Remote;
  /** The first URL that decides; absent when the remote has none that can be read. */
  url?: Located<RemoteUrl>;
  /** Absent when it is not among the files. */
  hub?: Hub;
  /** Whether the URL is the hub's port for clients. */
  dialsClients: boolean;
  /** The account that the link binds at the leaf. */
  local: string;
  /** Public key of the remote's seed, when it has one. */
  key?: string;
  landing: Landing;
}

/** What the hub does with the link. */
export type Landing =
  | { is: "unknown" }
  /** Let in, without a user of an account, into `account`. */
  | { is: "open" | "leaf-login" | "no-auth-user"; account: string }
  | { is: "user"; account: string; user: UserRead }
  | { is: "refused"; because: "key" | "user" | "connection-type" | "credentials" | "nothing"; user?: UserRead };

/** Where the link comes out on the hub; undefined when it does not, or nobody can tell. */
export const accountOf = ({ landing }: Link): string | undefined =>
  "account" in landing ? landing.account : undefined;

export interface LinkedFleet {
  servers: readonly ConfigServer[];
  links: Link[];
  /** What was taken for granted, or could not be judged. */
  notes: string[];
}

/** Pairs every remote with the hub that it dials. */
export function linkUp(servers: readonly ConfigServer[]): LinkedFleet {
  const hubs = servers.filter((server): server is Hub => server.listener !== undefined);
  const notes: string[] = [];
  const links = servers.flatMap((leaf) =>
    leaf.remotes.map((remote): Link => {
      const others = hubs.filter((hub) => hub !== leaf);
      const { hub, url, dialsClients = false, note } = pair(remote, others);
      if (note !== undefined) notes.push(`${remote.at.file}:${remote.at.line}: ${note}`);
      const key = keyOf(remote);
      return {
        leaf,
        remote,
        dialsClients,
        local: remote.account?.value ?? GLOBAL_ACCOUNT,
        landing: hub === undefined || dialsClients ? { is: "unknown" } : land(hub, remote, url?.value, key),
        ...present({ url, hub, key }),
      };
    }),
  );
  for (const { file, accountsElsewhere } of servers) {
    if (accountsElsewhere !== undefined) {
      notes.push(`${file}: its accounts and users stand in ${accountsElsewhere}, and were not judged`);
    }
  }
  if (hubs.length === 0 && links.length === 0) {
    notes.push("no file is a hub's (leafnodes with a port) or a leaf server's (leafnodes.remotes)");
  }
  return { servers, links, notes };
}

type Pairing = { hub?: Hub; url?: Located<RemoteUrl>; dialsClients?: boolean; note?: string };

function pair({ urls }: Remote, hubs: readonly Hub[]): Pairing {
  const [first] = urls;
  if (first === undefined) return { note: "the remote has no url that can be read, and was not followed" };
  const found = byPort(urls, hubs, ({ listener }) => listener);
  if (found !== undefined) return found;
  const atClients = byPort(urls, hubs, ({ client }) => client);
  if (atClients !== undefined) return { ...atClients, dialsClients: true };
  const [only, ...more] = hubs;
  if (only === undefined) {
    return {
      url: first,
      note: `the hub at ${shownUrl(first.value)} is not among the files, so that only this end was judged`,
    };
  }
  if (more.length > 0) {
    return {
      url: first,
      note: `which of the hubs is dialled as ${shownUrl(first.value)} cannot be told, so that only this end was judged`,
    };
  }
  const dialled = `${shownUrl(first.value)} is taken for ${only.file}, which listens at ${only.listener.port}`;
  return { hub: only, url: first, note: `${dialled}: it is the only hub among the files` };
}

/** The hub that listens at the port of one of the URLs; of several, the one whose host is dialled. */
function byPort(
  urls: readonly Located<RemoteUrl>[],
  hubs: readonly Hub[],
  at: (hub: Hub) => { host: string; port: number },
): Pairing | undefined {
  for (const url of urls) {
    const candidates = hubs.filter((hub) => at(hub).port === url.value.port);
    const [only] = candidates;
    if (candidates.length === 1 && only !== undefined) return { hub: only, url };
    const named = candidates.filter((hub) => isHost(at(hub).host, hub.name?.value, url.value.host));
    const [hub] = named;
    if (named.length === 1 && hub !== undefined) return { hub, url };
  }
  return undefined;
}

const isHost = (host: string, name: string | undefined, dialled: string): boolean =>
  host === dialled || name === dialled.split(".")[0];

function keyOf({ nkey }: Remote): string | undefined {
  return nkey === undefined || seedProblem(nkey.value) !== undefined ? undefined : publicKeyOf(nkey.value);
}

/** nats-server auth.go, isLeafNodeAuthorized and processClientOrLeafAuthentication. */
function land(hub: Hub, remote: Remote, url: RemoteUrl | undefined, key: string | undefined): Landing {
  if (hub.accountsElsewhere !== undefined || hub.listener.tls?.mapsUsers === true) return { is: "unknown" };
  // What is no seed is a finding of its own; nothing can be said of where it leads.
  if (remote.nkey !== undefined && key === undefined) return { is: "unknown" };
  if (hub.listener.authorization !== undefined) {
    const login = hub.listener.authorization.logins.find(({ id, isKey }) => id === (isKey ? key : url?.user));
    if (login !== undefined) return { is: "leaf-login", account: login.account?.value ?? GLOBAL_ACCOUNT };
    return refused(remote, url);
  }
  if (hub.users.length === 0) {
    if (hub.singleUser === undefined) return { is: "open", account: GLOBAL_ACCOUNT };
    return url?.user === undefined ? refused(remote, url) : { is: "leaf-login", account: GLOBAL_ACCOUNT };
  }
  const allows = ({ types }: UserRead): boolean => types === undefined || types.includes("LEAFNODE");
  const hasKeys = hub.users.some(({ isKey }) => isKey);
  const hasNames = hub.users.some(({ isKey }) => !isKey);
  if (key !== undefined && hasKeys) {
    const user = hub.users.find(({ id, isKey }) => isKey && id === key);
    if (user === undefined) return { is: "refused", because: "key" };
    return allows(user)
      ? { is: "user", account: user.account, user }
      : { is: "refused", because: "connection-type", user };
  }
  if (url?.user !== undefined && hasNames) {
    const user = hub.users.find(({ id, isKey }) => !isKey && id === url.user);
    if (user === undefined) return { is: "refused", because: "user" };
    return allows(user)
      ? { is: "user", account: user.account, user }
      : { is: "refused", because: "connection-type", user };
  }
  const anybody = url?.user === undefined ? anybodyOf(hub) : undefined;
  return anybody === undefined ? refused(remote, url) : { is: "no-auth-user", account: anybody };
}

/** The account of whoever brings nothing that the hub knows. */
function anybodyOf(hub: Hub): string | undefined {
  const { noAuthUser, users, systemAccount } = hub;
  if (noAuthUser !== undefined) return users.find(({ id }) => id === noAuthUser.value)?.account;
  // With nothing but a system account everybody else is let into $G (nats-server configureAccounts).
  const onlySystem = systemAccount !== undefined && ownAccounts(hub).length === 0 && hub.singleUser === undefined;
  return onlySystem && users.every(({ account }) => account !== GLOBAL_ACCOUNT) ? GLOBAL_ACCOUNT : undefined;
}

function refused({ nkey, credentials }: Remote, url: RemoteUrl | undefined): Landing {
  if (nkey !== undefined) return { is: "refused", because: "key" };
  if (credentials !== undefined) return { is: "refused", because: "credentials" };
  return { is: "refused", because: url?.user === undefined ? "nothing" : "user" };
}
