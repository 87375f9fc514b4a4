import { present } from "./values";
import { addressParts } from "./text/address";
import { CONTAINER_PORTS, ROUTES_PORT } from "./container";
import { HubSettings, ListedServer, Settings, SiteSettings } from "./settings";

/** Where each server runs, and how the servers find each other. */

export type Placement =
  | { kind: "process" }
  | {
      kind: "docker";
      /** Its engine's address; "" is the engine of this machine. */
      engine: string;
      /**
       * "bridge": on the stack's own network, with published ports. "host": on its machine's network, for a site beside
       * a hub that is a process of this machine and listens on loopback, which no other network reaches.
       */
      network: "bridge" | "host";
    };

/**
 * What makes a server's place, as it crosses Pulumi's boundary, another one: with other certificates for the way to its
 * engine it is where it was.
 */
export function spotOf(place: object): object {
  if (!("engine" in place) || typeof place.engine !== "object") return place;
  const { certificates: _certificates, ...engine } = place.engine as { certificates?: unknown };
  return { ...place, engine };
}

const runtimeOf = ({ runtime }: Pick<Settings, "runtime">, server: HubSettings | SiteSettings) =>
  server.runtime ?? runtime;

export const isLoopback = (host: string): boolean =>
  host === "localhost" || host === "::1" || /^127(\.\d{1,3}){3}$/.test(host);

/** Whether the server runs on another machine; an engine's socket is of this one. */
export const isElsewhere = ({ engine }: OnEngine): boolean => engine !== undefined && !engine.startsWith("unix://");

type OnEngine = Pick<HubSettings | SiteSettings, "engine">;

/** The machine that a server's ports are on; "" for this one. */
export const machineOf = ({ engine = "" }: OnEngine): string =>
  isElsewhere({ engine }) && engine !== "" ? new URL(engine).hostname : "";

const isSite = (server: HubSettings | SiteSettings): server is SiteSettings => "expect" in server;

/** Where the server runs; for the hub as a whole: where the first of its servers runs. */
export function placementOf(settings: Settings, asked: HubSettings | SiteSettings): Placement {
  const first = firstOfHub(settings);
  const server = asked === settings.hub ? first : asked;
  if (runtimeOf(settings, server) === "process") return { kind: "process" };
  const besideProcess =
    isSite(server) &&
    !isElsewhere(server) &&
    runtimeOf(settings, first) === "process" &&
    server.hubAddress === undefined;
  return { kind: "docker", engine: server.engine ?? "", network: besideProcess ? "host" : "bridge" };
}

/** Whether the site's server reaches the hub's server, or the first of them, over the stack's own Docker network. */
export function sharesNetwork(settings: Settings, site: SiteSettings, server = firstOfHub(settings)): boolean {
  const [ofHub, ofSite] = [placementOf(settings, server), placementOf(settings, site)];
  return (
    site.hubAddress === undefined &&
    ofHub.kind === "docker" &&
    ofSite.kind === "docker" &&
    ofHub.engine === ofSite.engine &&
    ofSite.network === "bridge"
  );
}

/**
 * Where the site dials the hub, or one of its servers. Without a port: the one where its leafnode listener is reached. A
 * port that is given is the first server's, and each further server has the next.
 */
export function dialedHub(
  settings: Settings,
  site: SiteSettings,
  server: HubSettings = firstOfHub(settings),
): { host: string; port?: number } {
  if (sharesNetwork(settings, site, server)) return { host: server.name, port: CONTAINER_PORTS.leafnodes };
  const { host, port } = (site.hubAddress === undefined ? undefined : addressParts(site.hubAddress)) ?? {
    host: reachedAt(server),
  };
  const index = hubServers(settings.hub).findIndex(({ name }) => name === server.name);
  return { host, ...(port === undefined ? {} : { port: port + Math.max(0, index) }) };
}

/** Whether the site's link stays on one machine, so no one else can listen to its messages. */
export const staysOnMachine = (settings: Settings, site: SiteSettings): boolean =>
  hubServers(settings.hub).every(
    (server) =>
      sharesNetwork(settings, site, server) ||
      isLoopback(dialedHub(settings, site, server).host) ||
      (site.hubAddress === undefined && !isElsewhere(site) && !isElsewhere(server)),
  );

/** What protects the messages on a leaf link: TLS, the network that the link stays on, or nothing. */
export type LinkSecurity = "tls" | "bridge" | "loopback" | "plain";

/** Where a link without TLS goes; a rule has checked that a plain link is accepted. */
export function linkSecurity(settings: Settings, site: SiteSettings): LinkSecurity {
  if (settings.links.tls !== "off") return "tls";
  if (hubServers(settings.hub).every((server) => sharesNetwork(settings, site, server))) return "bridge";
  return staysOnMachine(settings, site) ? "loopback" : "plain";
}

/** The names and addresses at which sites dial the hub or its servers. */
export const dialedHosts = (settings: Settings): string[] => [
  ...new Set(
    hubServers(settings.hub).flatMap((server) => settings.sites.map((site) => dialedHub(settings, site, server).host)),
  ),
];

/** The names that the hub's certificate has: its own, and those at which sites dial it. */
export const linkNames = (settings: Settings): string[] =>
  [...new Set([settings.hub.name, ...dialedHosts(settings)])].sort();

/** Every server, the hub's first. */
const serversOf = ({ hub, sites }: Pick<Settings, "hub" | "sites">): (HubSettings | SiteSettings)[] => [
  ...hubServers(hub),
  ...sites,
];

/** Whether the stack belongs to the machine that deployed it: one of its servers runs there. */
export const isBoundToMachine = (settings: Pick<Settings, "hub" | "sites" | "runtime">): boolean =>
  serversOf(settings).some((server) => runtimeOf(settings, server) === "process" || !isElsewhere(server));

/** Whether a server is a process of the machine that deploys. */
export const hasProcesses = (settings: Pick<Settings, "hub" | "sites" | "runtime">): boolean =>
  serversOf(settings).some((server) => runtimeOf(settings, server) === "process");

/** Whether a server is a container. */
export const hasContainers = (settings: Pick<Settings, "hub" | "sites" | "runtime">): boolean =>
  serversOf(settings).some((server) => runtimeOf(settings, server) === "docker");

/** How the server's Docker engine is reached; both absent: the one that the environment names. */
export const engineOf = ({ engine: url, engineCertificates: certificates }: HubSettings | SiteSettings) => ({
  ...present({ url, certificates }),
});

/** Whether a server is on the Docker engine that the environment names, because its settings name none. */
export const usesUnnamedEngine = (settings: Pick<Settings, "hub" | "sites" | "runtime">): boolean =>
  serversOf(settings).some((server) => runtimeOf(settings, server) === "docker" && server.engine === undefined);

/** How this program reaches a server. */
export const reachedAt = ({ address, host }: Pick<HubSettings | SiteSettings, "address" | "host">): string =>
  address ?? host;

// --- the servers of the hub: itself, or several beside each other, which form a cluster

type Sized = Pick<HubSettings, "servers">;

/** How many servers the hub has. */
export const serverCount = ({ servers = 1 }: Sized): number => (typeof servers === "number" ? servers : servers.length);

export const isCluster = (hub: Sized): boolean => serverCount(hub) > 1;

/** What the settings say of each server alone; nothing where they give a number. */
const listed = (hub: Sized): readonly ListedServer[] =>
  Array.isArray(hub.servers) ? hub.servers : Array.from({ length: serverCount(hub) }, () => ({}));

/**
 * Each server of the hub, as settings of its own: `hub-1`, `hub-2`, `hub-3`. A hub of one server is that server. Ports of
 * the hub, and those that a machine of the hub's own has by default, are those of the first server on a machine; each
 * further one there has the next port.
 */
export function hubServers(hub: HubSettings): HubSettings[] {
  if (!isCluster(hub)) return [hub];
  const { servers: _listed, ports: ofHub, ...common } = hub;
  const onMachine = new Map<string, number>();
  return listed(hub).map(({ ports: own, ...entry }, i) => {
    const server = { ...common, ...present(entry), name: `${hub.name}-${i + 1}` };
    // Certificates are of an engine at tcp://.
    if (entry.engineCertificates === undefined && entry.engine?.startsWith("tcp://") === false)
      delete server.engineCertificates;
    const machine = machineOf(server);
    const before = onMachine.get(machine) ?? 0;
    onMachine.set(machine, before + 1);
    const ports = isElsewhere(server) ? { ...CONTAINER_PORTS, ...ofHub } : ofHub;
    const next = Object.entries(ports).map(([listener, port = 0]) => [listener, port + before] as const);
    return { ...server, ports: { ...Object.fromEntries(next), ...present(own ?? {}) } };
  });
}

/** Whether the servers of the hub find each other over a network: they are containers of different engines. */
export function routesLeave(settings: Settings): boolean {
  const servers = hubServers(settings.hub);
  return servers.some((server) => server.engine !== servers[0]?.engine);
}

/** The hub's server, or the first of its servers. */
export const firstOfHub = ({ hub }: Pick<Settings, "hub">): HubSettings => hubServers(hub)[0] ?? hub;

/** Every server that the settings have in a container, the hub's first. */
export const serversInDocker = (settings: Settings): (HubSettings | SiteSettings)[] =>
  [...hubServers(settings.hub), ...settings.sites].filter((server) => placementOf(settings, server).kind === "docker");

/** Whether the hub runs in a container, or in several. */
export const isInContainers = (settings: Settings): boolean => placementOf(settings, settings.hub).kind === "docker";

/**
 * Where a server of a hub of several listens for the others, and where they find it: processes on loopback, containers of
 * one engine on the stack's own network, containers of several engines at their addresses. Without a port: at a port of
 * its own.
 */
export function routesOf(settings: Settings, server: HubSettings): { listen: string; host: string; port?: number } {
  if (placementOf(settings, server).kind === "process") return { listen: "127.0.0.1", host: "127.0.0.1" };
  if (!routesLeave(settings)) return { listen: "0.0.0.0", host: server.name, port: ROUTES_PORT };
  const before = hubServers(settings.hub).filter((one) => machineOf(one) === machineOf(server));
  const index = before.findIndex(({ name }) => name === server.name);
  return { listen: "0.0.0.0", host: reachedAt(server), port: server.ports.cluster ?? ROUTES_PORT + Math.max(0, index) };
}

/** The listeners of a server of the hub that need ports of its machine. */
export const hubListeners = (settings: Settings): ("client" | "leafnodes" | "monitor" | "cluster")[] => [
  "client",
  "leafnodes",
  "monitor",
  ...(isCluster(settings.hub) && routesOf(settings, settings.hub).port === undefined ? (["cluster"] as const) : []),
];

/** The folder of the hub's server, or of one of its servers, in the folder of the stack's files. */
export const hubFolder = (root: string, hub: HubSettings, server: string): string =>
  isCluster(hub) ? `${root}/hub/${server}` : `${root}/hub`;

/** What a person should know of a hub of several whose servers share machines, in words; empty where they do not. */
export function onOneMachine({ hub }: Pick<Settings, "hub">): string[] {
  if (!isCluster(hub)) return [];
  const servers = hubServers(hub);
  const groups = servers.map((server) => servers.filter((one) => machineOf(one) === machineOf(server)));
  const largest = groups.reduce((most, group) => (group.length > most.length ? group : most), []);
  if (largest.length === 1) return [];
  const survives = servers.length - largest.length > servers.length / 2;
  const fate = survives
    ? `with that machine it loses ${largest.length} of its ${servers.length} servers`
    : "the hub survives a server that fails, and not that machine";
  return [`hub: ${largest.map(({ name }) => name).join(", ")} are on one machine: ${fate}`];
}
