import { WATCHER_PORT } from "../container";
import { HUB_ACCOUNT, SYSTEM_ACCOUNT, accountOf, isOnline } from "../names";
import { firstOfHub, hasProcesses, hubServers, isElsewhere } from "../placement";
import { AccountConfig, AccountImport, ServiceExport, SubjectRule } from "../server-config";
import { Settings } from "../settings";
import { WATCH_PREFIX } from "../subjects";

/** What the hub's configuration holds for the watcher: an account of its own, with one key that reaches only this. */

/** No site's account can have this name: a site's name begins with a letter. */
export const WATCH_ACCOUNT = "_WATCH";

/** The name of the watcher's key, of its folder and of its resources. */
export const WATCHER = "watcher";
/** The role of its only key, and the listener of its health. */
export const WATCH_ROLE = "watch";

/** What the watcher may ask of a stream: how its sources are, and to write its configuration. */
const STREAM_REQUESTS = ["STREAM.INFO", "STREAM.UPDATE"];

/** What the watcher may ask of the hub as a server: its leaf links. */
const LINKS_REQUEST = "$SYS.REQ.SERVER.PING.LEAFZ";
/** A hub of several servers is asked server by server: an account that imports a request gets one answer to it. */
const LINKS_REQUESTS = "$SYS.REQ.SERVER.*.LEAFZ";

/** @param id of the server, if the hub has several. */
export const linksRequest = (id: string | undefined): string =>
  id === undefined ? LINKS_REQUEST : LINKS_REQUESTS.replace("*", id);

/** What the hub tells of a connection that comes or goes, as the watcher subscribes to it. */
export const LINK_EVENTS = ["$SYS.ACCOUNT.*.CONNECT", "$SYS.ACCOUNT.*.DISCONNECT"];

/** The watcher on the hub: its public key, and the streams that the hub collects, by their names there. */
export interface WatchDeclaration {
  key: string;
  perSite: string[];
  merged: string[];
}

/** The part of a declaration that follows from the settings. */
export const watchedStreams = ({ streams }: Pick<Settings, "streams">): Omit<WatchDeclaration, "key"> => {
  const named = (mode: string) => streams.filter(({ collect }) => collect.mode === mode).map(({ name }) => name);
  return { perSite: named("perSite"), merged: named("merged") };
};

/** What a watcher watches: the sites that are expected online. */
export const watchOf = ({ sites, streams }: Pick<Settings, "sites" | "streams">, stack: string) => ({
  stack,
  sites: sites.filter(isOnline).map(({ name }) => name),
  streams: streams.map(({ name, collect }) => ({ name, mode: collect.mode })),
});

/** Whether the settings deploy a watcher. */
export const isWatched = ({ watch }: Pick<Settings, "watch">): boolean => watch?.deploy === true;

/** Where a deployed watcher runs: on this machine, or in a container on the engine of the hub, or of its first server. */
export const watcherRuntime = ({ watch, hub }: Pick<Settings, "watch" | "hub">): "process" | "docker" =>
  watch?.runtime ?? (hubServers(hub).every(isElsewhere) ? "docker" : "process");

/** Whether a watcher is deployed into a container. */
export const isWatcherInDocker = (settings: Pick<Settings, "watch" | "hub">): boolean =>
  isWatched(settings) && watcherRuntime(settings) === "docker";

/** The port of its health and metrics, where it needs no search: the given one, or the default of another machine. */
export const watcherPort = (settings: Pick<Settings, "watch" | "hub">): number | undefined =>
  settings.watch?.port ?? (isWatcherInDocker(settings) && isElsewhere(firstOfHub(settings)) ? WATCHER_PORT : undefined);

/** Whether anything of the stack is a process of the machine that deploys, and so has files there. */
export const runsHere = (settings: Pick<Settings, "hub" | "sites" | "runtime" | "watch">): boolean =>
  hasProcesses(settings) || (isWatched(settings) && !isWatcherInDocker(settings));

/** Where the watcher asks the JetStream of an account on the hub: `_watch.OSLO.STREAM.INFO.EVENTS`. */
export const watchedApi = (account: string): string => `${WATCH_PREFIX}.${account}`;

/** The least that the watcher needs. */
export const watcherPermissions = (isOfSeveral: boolean): { publish: SubjectRule; subscribe: SubjectRule } => ({
  publish: { allow: [`${WATCH_PREFIX}.>`, isOfSeveral ? LINKS_REQUESTS : LINKS_REQUEST] },
  subscribe: { allow: ["_INBOX.>", ...LINK_EVENTS] },
});

/**
 * The accounts of the hub with what the watcher reaches of them.
 *
 * @param sites those with a link; the accounts of removed sites are not watched.
 * @param isOfSeveral whether the hub has several servers.
 */
export function withWatcher(
  accounts: Readonly<Record<string, AccountConfig>>,
  { key, perSite, merged }: WatchDeclaration,
  sites: readonly string[],
  isOfSeveral: boolean,
): Record<string, AccountConfig> {
  const links = isOfSeveral ? LINKS_REQUESTS : LINKS_REQUEST;
  const watched: Record<string, readonly string[]> = {
    ...Object.fromEntries(sites.map((site) => [accountOf(site), perSite])),
    [HUB_ACCOUNT]: merged,
  };
  const only = { accounts: [WATCH_ACCOUNT] };
  const requestsIn = (account: string): string[] =>
    (watched[account] ?? []).flatMap((stream) => STREAM_REQUESTS.map((request) => `${request}.${stream}`));
  const exportsOf = (account: string): NonNullable<AccountConfig["exports"]> =>
    account === SYSTEM_ACCOUNT
      ? [{ service: links, ...only }, ...LINK_EVENTS.map((stream) => ({ stream, ...only }))]
      : requestsIn(account).map((request): ServiceExport => ({ service: `$JS.API.${request}`, ...only }));
  const exporting = Object.entries(accounts).map(([account, config]): [string, AccountConfig] => {
    const exports = [...(config.exports ?? []), ...exportsOf(account)];
    return [account, exports.length === 0 ? config : { ...config, exports }];
  });
  const imports: AccountImport[] = [
    { service: { account: SYSTEM_ACCOUNT, subject: links } },
    ...LINK_EVENTS.map((subject) => ({ stream: { account: SYSTEM_ACCOUNT, subject } })),
    ...Object.keys(watched).flatMap((account) =>
      requestsIn(account).map((request) => ({
        service: { account, subject: `$JS.API.${request}` },
        to: `${watchedApi(account)}.${request}`,
      })),
    ),
  ];
  return {
    ...Object.fromEntries(exporting),
    // Without the connection type the key would also open the port of leaf links.
    [WATCH_ACCOUNT]: {
      users: [{ nkey: key, allowed_connection_types: ["STANDARD"], permissions: watcherPermissions(isOfSeveral) }],
      imports,
    },
  };
}
