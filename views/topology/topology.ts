import { hostPort } from "../../configs/text/address";
import { HUB_ACCOUNT, accountOf, collectingAccount, siteStreamName } from "../../configs/names";
import {
  LinkSecurity,
  dialedHub,
  firstOfHub,
  hubServers,
  isCluster,
  linkSecurity,
  placementOf,
  routesLeave,
  serverCount,
} from "../../configs/placement";
import { present } from "../../configs/values";
import { maskSeeds } from "../../configs/seeds";
import { HubSettings, Settings, SiteSettings, StreamSettings } from "../../configs/settings";

/**
 * The fleet as a picture shows it: who is there, who dials whom, and which stream flows where. It comes from the
 * settings alone, so that it is known before anything is deployed, and there is nothing secret in it.
 */
export interface Topology {
  readonly hub: TopologyServer;
  /** In the order of the settings. */
  readonly sites: readonly TopologySite[];
}

export interface TopologyServer {
  readonly name: string;
  /** The hub's: that which holds merged streams. A site's: its own, of the same name at both ends. */
  readonly account: string;
  /** JetStream domain. */
  readonly domain: string;
  readonly runtime: Settings["runtime"];
  /** How many servers form a hub of several; absent for one. */
  readonly servers?: number;
  /** Each of them, where they are on machines of their own. */
  readonly machines?: readonly TopologyMachine[];
  /** The Docker engine that runs it; absent for this machine's own, and for a process. */
  readonly engine?: string;
}

/** One server of such a hub. */
export interface TopologyMachine {
  readonly name: string;
  /** Absent for the engine of this machine. */
  readonly engine?: string;
}

export interface TopologySite extends TopologyServer {
  readonly expect: SiteSettings["expect"];
  readonly link: TopologyLink;
  readonly streams: readonly TopologyStream[];
}

/** A leaf link. The site dials the hub, and messages flow the same way: the hub sources the site's streams over it. */
export interface TopologyLink {
  readonly from: string;
  readonly to: string;
  /** Where the site dials the hub; without a port where the first `up` chooses one. */
  readonly dials: string;
  readonly security: LinkSecurity;
}

/** A stream of a site, and the hub's stream that sources it. */
export interface TopologyStream {
  /** Its name at the site. */
  readonly name: string;
  readonly subjects: readonly string[];
  readonly collected: {
    readonly account: string;
    readonly stream: string;
    readonly mode: StreamSettings["collect"]["mode"];
  };
}

/** The topology of settings that no rule finds fault with. */
export function topologyOf(settings: Settings): Topology {
  const { hub, sites, streams } = settings;
  return {
    hub: {
      name: hub.name,
      account: HUB_ACCOUNT,
      domain: hub.name,
      ...placeOf(settings, hub),
      ...(isCluster(hub) ? { servers: serverCount(hub) } : {}),
      ...(routesLeave(settings) ? { machines: hubServers(hub).map((server) => machineOf(settings, server)) } : {}),
    },
    sites: sites.map((site) => ({
      name: site.name,
      account: accountOf(site.name),
      domain: site.name,
      ...placeOf(settings, site),
      expect: site.expect,
      link: { from: site.name, to: hub.name, dials: dialsOf(settings, site), security: linkSecurity(settings, site) },
      streams: streams.map((stream) => streamOf(stream, site.name)),
    })),
  };
}

function placeOf(settings: Settings, server: HubSettings | SiteSettings): Pick<TopologyServer, "runtime" | "engine"> {
  const runs = placementOf(settings, server);
  if (runs.kind === "process") return { runtime: "process" };
  return { runtime: "docker", ...(runs.engine === "" ? {} : { engine: withoutPassword(runs.engine) }) };
}

function machineOf(settings: Settings, server: HubSettings): TopologyMachine {
  const { engine } = placeOf(settings, server);
  return { name: server.name, ...present({ engine }) };
}

function withoutPassword(url: string): string {
  const { password } = new URL(url);
  return maskSeeds(password === "" ? url : url.replace(`:${password}@`, "@"));
}

function dialsOf(settings: Settings, site: SiteSettings): string {
  const { ports } = routesLeave(settings) ? firstOfHub(settings) : settings.hub;
  const { host, port = ports.leafnodes } = dialedHub(settings, site);
  return port === undefined ? host : hostPort(host, port);
}

const streamOf = (stream: StreamSettings, site: string): TopologyStream => ({
  name: siteStreamName(stream, site),
  subjects: stream.subjects,
  collected: { account: collectingAccount(stream, site), stream: stream.name, mode: stream.collect.mode },
});
