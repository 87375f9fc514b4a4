import { ROUTES_PORT } from "../container";
import { hostPort } from "../text/address";
import { hubLimits, mergedLimits, siteLimits } from "./limits";
import { siteStreamName } from "../names";
import { routesLeave, routesOf } from "../placement";
import { HubSettings, Settings, SiteSettings } from "../settings";
import { WatchDeclaration, watchedStreams } from "../watch/watch";

/**
 * From settings, public keys and ports to the declarations of each server: the one place where both ends of a leaf
 * link come from, so that they cannot disagree. Generic over what a preview does not know yet: the results fit
 * HubDeclaration, HubLinkDeclaration and LeafDeclaration once keys and ports are known.
 */

const tlsOf = ({ links }: Settings): { tls?: true } => (links.tls === "off" ? {} : { tls: true });

export const throughHub = ({ reach }: SiteSettings): { throughHub?: true } =>
  reach === "hub" ? { throughHub: true } : {};

/** A server of a hub of several; `routes`: `host:port` of each of them, where they find each other. */
export interface Member<Routes> {
  server: HubSettings;
  routes: Routes;
}

/** What not every hub has. */
export interface HubOptions<Routes, Key> {
  /** The server that is declared, of a hub of several. */
  member?: Member<Routes>;
  /** The public key of the watcher. */
  watchKey?: Key;
}

/** Loopback is left out: servers that are deployed have it so, and another declaration would restart them. */
function clusterOf<Routes>(settings: Settings, { server, routes }: Member<Routes>) {
  const { listen } = routesOf(settings, server);
  const { name } = settings.hub;
  if (routesLeave(settings)) return { name, host: listen, tls: true as const };
  return { name, routes, ...(listen === "127.0.0.1" ? {} : { host: listen }) };
}

/** Routes over a network are taken by reload: a server that moves to another machine restarts no other one. */
function routesIn<Routes>(
  settings: Settings,
  { server, routes }: Member<Routes>,
): { routes?: Routes; advertise?: string } {
  if (!routesLeave(settings)) return {};
  const { host, port = ROUTES_PORT } = routesOf(settings, server);
  return { routes, advertise: hostPort(host, port) };
}

export function declareHub<Keys, Ports, Routes = string[], Key = string>(
  settings: Settings,
  keys: Keys,
  ports: Ports,
  { member, watchKey }: HubOptions<Routes, Key> = {},
) {
  const { hub } = settings;
  const { name, host, syncInterval, logs, maxFile, maxMemory, maxPayload } = member?.server ?? hub;
  const watch: { watch?: Omit<WatchDeclaration, "key"> & { key: Key } } =
    watchKey === undefined ? {} : { watch: { key: watchKey, ...watchedStreams(settings) } };
  return {
    restart: {
      name,
      host,
      ports,
      syncInterval,
      logs,
      ...tlsOf(settings),
      ...(member === undefined ? {} : { domain: hub.name, cluster: clusterOf(settings, member) }),
    },
    reload: {
      limits: { maxFile, maxMemory },
      maxPayload,
      merged: mergedLimits(settings),
      keys,
      ...watch,
      ...(member === undefined ? {} : routesIn(settings, member)),
    },
  };
}

export function declareHubLink<Keys>(settings: Settings, site: SiteSettings, keys: Keys) {
  const merged = settings.streams.filter((stream) => stream.collect.mode === "merged");
  return {
    site: site.name,
    keys,
    rotation: site.rotation,
    limits: hubLimits(settings),
    merged: merged.map((stream) => siteStreamName(stream, site.name)),
    ...throughHub(site),
  };
}

/** @param hubUrl the hub's leafnode listener, `nats-leaf://host:port`; of several servers those of all, joined. */
export function declareLeaf<Keys, Ports, Url>(
  settings: Settings,
  site: SiteSettings,
  keys: Keys,
  ports: Ports,
  hubUrl: Url,
) {
  const { name, syncInterval, reconnect, logs, quota, maxPayload } = site;
  return {
    restart: { name, host: site.host, ports, syncInterval, reconnect, logs },
    reload: {
      hubUrl,
      ...tlsOf(settings),
      ...throughHub(site),
      limits: siteLimits(settings.streams, quota),
      maxPayload,
      ownedStreams: settings.streams.map((stream) => siteStreamName(stream, name)),
      keys,
    },
  };
}
