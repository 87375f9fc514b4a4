import { compareSync } from "bcryptjs";
import { present } from "../../configs/values";
import { publicKeyOf } from "../../configs/keys";
import { seedProblem } from "../../configs/seeds";
import { userOfOperator } from "./jwt";
import type { Located } from "./section";
import {
  Address,
  ConfigServer,
  GLOBAL_ACCOUNT,
  Listener,
  Remote,
  RemoteUrl,
  UserRead,
  areOne,
  isCoreOnly,
  ownAccounts,
  shownUrl,
} from "./server";
import type { Shown, ShownLink } from "./shown";

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
  /** What happened to it on real servers; absent when they were not asked. */
  seen?: ShownLink;
}

/** What the hub does with the link. */
export type Landing =
  | { is: "unknown" }
  /** Let in, without a user of an account, into `account`. */
  | { is: "open" | "leaf-login" | "no-auth-user"; account: string }
  | { is: "user"; account: string; user: UserRead }
  /** Let in, as the rehearsal showed, however that came about. */
  | { is: "seen"; account: string }
  | {
      is: "refused";
      because: "key" | "user" | "password" | "token" | "connection-type" | "credentials" | "nothing";
      user?: UserRead;
    };

/** The account of the link on the hub; undefined when the link is not up, or that is unknown. */
export const accountOf = ({ landing }: Link): string | undefined =>
  "account" in landing ? landing.account : undefined;

export interface LinkedFleet {
  servers: readonly ConfigServer[];
  links: Link[];
  /** Assumptions, and what could not be judged. */
  notes: string[];
}

/** What is known besides the files. */
export interface Known {
  /** Names of the network: of which file the server is that answers there. */
  hosts?: ReadonlyMap<string, string> | undefined;
  /** What real servers did with the files. */
  shown?: Shown | undefined;
  /** The text of a file that a configuration names. */
  readFile?: (named: string) => string | undefined;
  /** ms since 1970; without it no date is judged. */
  now?: number;
}

/** Pairs every remote with the hub that it dials. */
export function linkUp(servers: readonly ConfigServer[], { hosts, shown, readFile }: Known = {}): LinkedFleet {
  const hubs = servers.filter(isHub);
  const notes: string[] = [];
  const links = servers.flatMap((leaf) =>
    leaf.remotes.map((remote): Link => {
      const others = hubs.filter((hub) => hub !== leaf);
      const { hub: first, url: firstUrl, dialsClients = false, note } = pair(remote, others, hosts);
      if (note !== undefined) notes.push(`${remote.at.file}:${remote.at.line}: ${note}`);
      const key = keyOf(remote);
      const seen = shown?.links.get(remote);
      // Among several servers, the one where the link came up.
      const hub = others.find((one) => one === seen?.up?.hub) ?? first;
      const leadsThere = ({ value }: Located<RemoteUrl>): boolean => dialTarget(value, others, hosts)?.server === hub;
      const url = hub === first ? firstUrl : (remote.urls.find(leadsThere) ?? firstUrl);
      return {
        leaf,
        remote,
        dialsClients,
        local: remote.account?.value ?? GLOBAL_ACCOUNT,
        landing:
          hub === undefined || dialsClients
            ? { is: "unknown" }
            : landingOf(hub, remote, url?.value, key, seen, remote.credentials && readFile?.(remote.credentials.value)),
        ...present({ url, hub, key, seen }),
      };
    }),
  );
  for (const { file, accountsElsewhere } of servers) {
    if (accountsElsewhere !== undefined) {
      notes.push(`${file}: its accounts and users are in ${accountsElsewhere}, and were not checked`);
    }
  }
  for (const hub of hubs) {
    if (isCoreOnly(hub) && links.some((link) => link.hub === hub)) {
      notes.push(`${hub.file}: it has no JetStream, so its links carry core messages only`);
    }
  }
  if (hubs.length === 0 && links.length === 0) {
    notes.push("no file configures a hub (leafnodes with a port) or a leaf server (leafnodes.remotes)");
  }
  return { servers, links, notes };
}

const isHub = (server: ConfigServer): server is Hub => server.listener !== undefined;

/** What the server did takes precedence over what its file says. */
function landingOf(
  hub: Hub,
  remote: Remote,
  url: RemoteUrl | undefined,
  key: string | undefined,
  seen: ShownLink | undefined,
  credentials: string | undefined,
): Landing {
  const expected = ofOperator(hub, remote, url, credentials) ?? land(hub, remote, url, key);
  if (seen?.up === undefined) return seen === undefined || expected.is === "refused" ? expected : { is: "unknown" };
  const { account } = seen.up;
  return "account" in expected && expected.account === account ? expected : { is: "seen", account };
}

type Pairing = { hub?: Hub; url?: Located<RemoteUrl>; dialsClients?: boolean; note?: string };

function pair({ urls }: Remote, hubs: readonly Hub[], hosts: Known["hosts"]): Pairing {
  const [first] = urls;
  if (first === undefined) return { note: "the remote has no readable url, and was not followed" };
  for (const url of urls) {
    const target = dialTarget(url.value, hubs, hosts);
    if (target !== undefined) return { hub: target.server, url, dialsClients: target.listener === "client" };
  }
  const [only, ...more] = hubs;
  if (only === undefined) {
    return {
      url: first,
      note: `the hub at ${shownUrl(first.value)} is not among the files, so only this end was checked`,
    };
  }
  if (!more.every((hub) => areOne(only, hub))) {
    return {
      url: first,
      note: `which of the hubs is dialled as ${shownUrl(first.value)} is unclear, so only this end was checked; name it with --map ${first.value.host}=<file>`,
    };
  }
  const at = isWebsocket(first.value) ? only.websocket : only.listener;
  const taken = `${shownUrl(first.value)} is assumed to be ${only.file}, which listens at ${at?.port ?? "no such port"}`;
  return { hub: only, url: first, note: `${taken}: it is the only hub among the files` };
}

export const isWebsocket = ({ scheme }: RemoteUrl): boolean => /^wss?$/.test(scheme);

/** What the hub's user must be allowed to open. */
export const connectionType = (url: RemoteUrl | undefined): string =>
  url !== undefined && isWebsocket(url) ? "LEAFNODE_WS" : "LEAFNODE";

/** The server that answers at an address, and with which of its listeners. */
export interface Target<S = Hub> {
  server: S;
  listener: "leafnodes" | "client" | "websocket";
}

/** The hub that answers there: by the port and, among several, by the host; undefined when that is not certain. */
export function dialTarget(url: RemoteUrl, hubs: readonly Hub[], hosts: Known["hosts"]): Target | undefined {
  const mapped = hosts?.get(url.host);
  const named = mapped === undefined ? undefined : hubs.find(({ file }) => file === mapped);
  const usual = isWebsocket(url) ? "websocket" : "leafnodes";
  // A mapped name may have other ports outside.
  if (named !== undefined) {
    return { server: named, listener: url.port === named.client.port ? "client" : usual };
  }
  const at = (hub: Hub, listener: Target["listener"]): Address | undefined =>
    listener === "leafnodes" ? hub.listener : listener === "client" ? hub.client : hub.websocket;
  for (const listener of [usual, "client"] as const) {
    const candidates = hubs.filter((hub) => at(hub, listener)?.port === url.port);
    const [only, ...more] = candidates;
    if (only !== undefined && more.length === 0) return { server: only, listener };
    const byHost = candidates.filter((hub) => isHost(at(hub, listener)?.host ?? "", hub.name?.value, url.host));
    const [hub] = byHost;
    if (byHost.length === 1 && hub !== undefined) return { server: hub, listener };
    // Servers of one cluster are interchangeable.
    if (only !== undefined && more.every((other) => areOne(only, other))) return { server: only, listener };
  }
  return undefined;
}

const isHost = (host: string, name: string | undefined, called: string): boolean =>
  host === called || name === called.split(".")[0];

function keyOf({ nkey }: Remote): string | undefined {
  return nkey === undefined || seedProblem(nkey.value) !== undefined ? undefined : publicKeyOf(nkey.value);
}

/** Where a user of an operator lands; undefined where the files do not have what it takes. */
function ofOperator(
  hub: Hub,
  remote: Remote,
  url: RemoteUrl | undefined,
  credentials: string | undefined,
): Landing | undefined {
  const user = userOfOperator(hub, remote, credentials);
  if (user === undefined) return undefined;
  if (user.types !== undefined && !user.types.includes(connectionType(url))) {
    return { is: "refused", because: "connection-type", user };
  }
  return { is: "user", account: user.account, user };
}

/** nats-server auth.go, isLeafNodeAuthorized and processClientOrLeafAuthentication. */
function land(hub: Hub, remote: Remote, url: RemoteUrl | undefined, key: string | undefined): Landing {
  if (hub.accountsElsewhere !== undefined || hub.listener.tls?.mapsUsers === true) return { is: "unknown" };
  // What is no seed is a finding of its own; nothing can be said of where it leads.
  if (remote.nkey !== undefined && key === undefined) return { is: "unknown" };
  if (hub.listener.authorization !== undefined) {
    const login = hub.listener.authorization.logins.find(({ id, isKey }) => id === (isKey ? key : url?.user));
    if (login === undefined) return refused(remote, url);
    if (!login.isKey && !opens(login.secret, url?.password)) return { is: "refused", because: "password" };
    return { is: "leaf-login", account: login.account?.value ?? GLOBAL_ACCOUNT };
  }
  if (hub.users.length === 0) {
    const { singleUser } = hub;
    if (singleUser === undefined) return { is: "open", account: GLOBAL_ACCOUNT };
    if (url?.user === undefined) return refused(remote, url);
    if (singleUser.secret === undefined) {
      // A token: the login in a url without a password (leafnode.go, sendLeafConnect).
      const isRight = url.password === undefined && opens(singleUser.value, url.user);
      return isRight ? { is: "leaf-login", account: GLOBAL_ACCOUNT } : { is: "refused", because: "token" };
    }
    if (singleUser.value !== url.user) return { is: "refused", because: "user" };
    if (!opens(singleUser.secret, url.password)) return { is: "refused", because: "password" };
    return { is: "leaf-login", account: GLOBAL_ACCOUNT };
  }
  const type = connectionType(url);
  const allows = ({ types }: UserRead): boolean => types === undefined || types.includes(type);
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
    if (!opens(user.secret, url.password)) return { is: "refused", because: "password", user };
    return allows(user)
      ? { is: "user", account: user.account, user }
      : { is: "refused", because: "connection-type", user };
  }
  const anybody = url?.user === undefined ? anybodyOf(hub) : undefined;
  return anybody === undefined ? refused(remote, url) : { is: "no-auth-user", account: anybody };
}

/** Whether the password is the one that the server compares it with (nats-server comparePasswords). */
function opens(stored = "", given = ""): boolean {
  return /^\$2[abxy]\$\d\d\$/.test(stored) ? compareSync(given, stored.replace(/^\$2[xy]/, "$2b")) : stored === given;
}

/** The account of a remote whose login the hub does not know. */
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
