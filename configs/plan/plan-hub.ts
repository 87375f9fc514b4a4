import { ROUTES_KEY } from "../keys";
import { hostPort } from "../text/address";
import { present } from "../values";
import { atLeast } from "./limits";
import { linkTls, routesTls } from "../link-tls";
import { HUB_ACCOUNT, SYSTEM_ACCOUNT, accountOf, probeStreamName } from "../names";
import { deliverPrefix, linkPermissions, readerPermissions } from "../permissions";
import { ReloadSettings, RestartSettings, ServerPaths, StoreLimits, jetStreamLimits, planServer } from "./plan-server";
import { AccountConfig, AccountImport, ServerConfig, UserConfig } from "../server-config";
import { flowControlSubjects } from "../subjects";
import { WatchDeclaration, withWatcher } from "../watch/watch";

/** The hub's own, site-independent settings. What the server takes only at start is under `restart`. */
export interface HubDeclaration {
  restart: RestartSettings & {
    ports: { leafnodes: number; cluster?: number };
    /** Whether leaf links use TLS; absent for no. The listener cannot change it by reload (nats-server reload.go). */
    tls?: true;
    /**
     * Of a server of a hub of several: the cluster's name, `host:port` of every server of it, and the address where it
     * listens for them; absent for loopback. With `tls`, routes leave their machine; `routes` are then taken by reload.
     */
    cluster?: { name: string; routes?: string[]; host?: string; tls?: true };
  };
  reload: ReloadSettings & {
    /** `host:port` of every server of a hub whose servers are on machines of their own: one may move to another machine. */
    routes?: string[];
    /** `host:port` at which the others find such a server: in its container it cannot know. */
    advertise?: string;
    /** Limits of the account HUB. */
    merged: StoreLimits;
    /** Public keys. */
    keys: { system: string; operator: string; reader: string };
    /** Absent without a watcher. */
    watch?: WatchDeclaration;
  };
}

/** One site as the hub knows it: its account and one link key. During a rotation a site has two of them. */
export interface HubLinkDeclaration {
  site: string;
  /** Public keys. Without `link` the account is kept for the data in it and no leaf can log in. */
  keys: { link?: string; operator: string; reader: string };
  rotation: number;
  limits: StoreLimits;
  /** The site's streams that the account HUB sources. */
  merged: string[];
  /** Whether the site is reached through the hub; absent for no. */
  throughHub?: true;
}

/** What the hub's streams need besides what is declared: those that leave are still filled until they are released. */
export interface Held {
  /** By account: what it must be able to store at least. */
  limits: Readonly<Record<string, StoreLimits>>;
  /** By site: its streams that the account HUB sources. */
  merged: Readonly<Record<string, readonly string[]>>;
}

export const NOTHING_HELD: Held = { limits: {}, merged: {} };

/** The declaration with what is held besides. */
export const withHeld = (link: HubLinkDeclaration, { limits, merged }: Held): HubLinkDeclaration => ({
  ...link,
  limits: atLeast(link.limits, limits[accountOf(link.site)]),
  merged: [...new Set([...link.merged, ...(merged[link.site] ?? [])])],
});

/** The site's account on the hub, with every link key that is valid now. */
function siteAccount(links: readonly HubLinkDeclaration[], newest: HubLinkDeclaration): AccountConfig {
  const { site, keys, limits, merged, throughHub = false } = newest;
  const isMerged = merged.length > 0;
  const linkUsers = links.flatMap(({ keys: { link } }): UserConfig[] =>
    // Without the connection type the link's key would also open the hub's client port.
    link === undefined
      ? []
      : [
          {
            nkey: link,
            allowed_connection_types: ["LEAFNODE"],
            permissions: linkPermissions(site, isMerged, throughHub),
          },
        ],
  );
  const account: AccountConfig = {
    jetstream: jetStreamLimits(limits),
    users: [...linkUsers, { nkey: keys.operator }, { nkey: keys.reader, permissions: readerPermissions() }],
  };
  if (isMerged) {
    const accounts = [HUB_ACCOUNT];
    account.exports = [
      { service: consumerApi(site), response_type: "stream", accounts },
      ...flowControl(site, merged).map((service) => ({ service, accounts })),
      { stream: `${deliverPrefix(site)}.>`, accounts },
    ];
  }
  return account;
}

const consumerApi = (site: string): string => `$JS.${site}.API.CONSUMER.>`;

/** The server that holds the streams decides by its version and flags which of the two forms is used. */
const flowControl = (site: string, streams: readonly string[]): string[] =>
  streams
    .flatMap((stream) => [stream, probeStreamName(stream)])
    .flatMap((stream) => Object.values(flowControlSubjects(site, stream)));

function hubImports({ site, merged }: HubLinkDeclaration): AccountImport[] {
  if (merged.length === 0) return [];
  const account = accountOf(site);
  return [
    ...[consumerApi(site), ...flowControl(site, merged)].map((subject) => ({ service: { account, subject } })),
    { stream: { account, subject: `${deliverPrefix(site)}.>` } },
  ];
}

/** The newest declaration of each site. The rotation does not show it, because a given key may change without a rotation. */
const newestLinks = (links: readonly HubLinkDeclaration[]): HubLinkDeclaration[] => [
  ...new Map(links.map((link) => [link.site, link])).values(),
];

/** What an account on the hub may store, and whose it is. */
export interface Reservation {
  owner: string;
  limits: StoreLimits;
}

/** What the hub's accounts may store: the server exits at start if it has no room for all of it. */
export const reservationsOf = (
  hub: HubDeclaration,
  links: readonly HubLinkDeclaration[],
  held: Held = NOTHING_HELD,
): Reservation[] => [
  { owner: "merged streams", limits: atLeast(hub.reload.merged, held.limits[HUB_ACCOUNT]) },
  ...newestLinks(links).map((link) => ({
    owner: link.keys.link === undefined ? `${link.site}, which was removed and whose data is kept` : link.site,
    limits: withHeld(link, held).limits,
  })),
];

/**
 * What makes a server one of a cluster. With the flag a copy of a stream that is built anew knows how far the sources were:
 * without it the copy stores what was collected and dropped again a second time, when it leads (nats-server feature_flags.go).
 */
function clusterOf({ restart, reload }: HubDeclaration, routesKey: string): Partial<ServerConfig> {
  const { ports, cluster } = restart;
  if (cluster === undefined || ports.cluster === undefined) return {};
  const { name, routes = reload.routes ?? [], host = "127.0.0.1", tls } = cluster;
  return {
    cluster: {
      name,
      listen: hostPort(host, ports.cluster),
      no_advertise: true,
      authorization: { user: ROUTES_KEY, password: routesKey },
      // Other routes have none: they are on loopback, or on a Docker network of the stack's own and not published.
      ...(tls === true ? { tls: routesTls() } : {}),
      ...present({ advertise: reload.advertise }),
      routes: routes.map((address) => `nats://${ROUTES_KEY}:${routesKey}@${address}`),
    },
    feature_flags: { js_snapshot_sources: true },
  };
}

/**
 * The configuration of the hub, or of one of its servers, from its own settings and what each site declared; of each site
 * the newest last. `routesKey` is what the servers of a cluster authenticate each other with.
 */
export function planHub(
  hub: HubDeclaration,
  links: readonly HubLinkDeclaration[],
  paths: ServerPaths,
  held: Held = NOTHING_HELD,
  routesKey = "",
): ServerConfig {
  const { restart, reload } = hub;
  const accounts: Record<string, AccountConfig> = {
    [SYSTEM_ACCOUNT]: { users: [{ nkey: reload.keys.system }] },
    [HUB_ACCOUNT]: {
      jetstream: jetStreamLimits(atLeast(reload.merged, held.limits[HUB_ACCOUNT])),
      users: [{ nkey: reload.keys.operator }, { nkey: reload.keys.reader, permissions: readerPermissions() }],
    },
  };
  const imports: AccountImport[] = [];
  for (const declared of newestLinks(links).sort((a, b) => (a.site < b.site ? -1 : 1))) {
    const newest = withHeld(declared, held);
    const { site } = newest;
    accounts[accountOf(site)] = siteAccount(
      links.filter((link) => link.site === site),
      newest,
    );
    imports.push(...hubImports(newest));
  }
  const hubAccount = accounts[HUB_ACCOUNT];
  if (hubAccount !== undefined && imports.length > 0) hubAccount.imports = imports;
  const linked = links.filter(({ keys }) => keys.link !== undefined).map(({ site }) => site);
  return {
    ...planServer(restart, reload, paths),
    ...clusterOf(hub, routesKey),
    leafnodes: {
      listen: hostPort(restart.host, restart.ports.leafnodes),
      no_advertise: true,
      ...(restart.tls === true ? { tls: { ...linkTls(), verify: true as const } } : {}),
    },
    accounts:
      reload.watch === undefined
        ? accounts
        : withWatcher(accounts, reload.watch, [...new Set(linked)].sort(), restart.cluster !== undefined),
  };
}
