import { present } from "../values";
import { hostPort } from "../text/address";
import { linkUrl } from "../link-tls";
import { HUB_ROLES, SITE_ROLES } from "../keys";
import { CONTAINER_PORTS } from "../container";
import { declareHub, declareHubLink, declareLeaf } from "./declare";
import {
  ALLOCATED,
  ANY_SITE,
  FleetPlan,
  HubPlan,
  KeySource,
  MachinePlan,
  PlanContext,
  ServerPlan,
  SitePlan,
  SiteShare,
  StreamPlan,
} from "./fleet-plan";
import { HUB_ACCOUNT, SYSTEM_ACCOUNT, accountOf, collectingAccount, isOnline } from "../names";
import { linkPermissions } from "../permissions";
import {
  dialedHub,
  firstOfHub,
  hasContainers,
  hubServers,
  isCluster,
  isElsewhere,
  linkNames,
  linkSecurity,
  placementOf,
  reachedAt,
  routesLeave,
  routesOf,
} from "../placement";
import { LogRotation, ReloadSettings, SyncInterval } from "./plan-server";
import { HubSettings, Settings, SiteSettings, StreamSettings } from "../settings";
import { untestedImage } from "./untested";
import { collectedSubject, hubStreamConfig, siteStreamConfig, sourceOf } from "../streams";

/** From settings to the plan of the fleet; everything in it comes from where the program itself gets it. */

type Server = HubSettings | SiteSettings;
type Port = number | typeof ALLOCATED;

/** What the declarations of the hub and of a site have in common. */
interface Declaration {
  restart: {
    name: string;
    host: string;
    ports: { client: Port; monitor: Port; leafnodes?: Port };
    syncInterval: SyncInterval;
    logs: LogRotation;
  };
  reload: ReloadSettings;
}

/** The plan of settings without problems. */
export function planFleet(settings: Settings, { keysAreHidden, ...context }: PlanContext): FleetPlan {
  const planner = new Planner(settings, context.stack, keysAreHidden);
  const { links, sites, streams, docker, dataFolder, natsServer, probes } = settings;
  const [first] = sites;
  // The same for every stream of a link: the burst is sent in whole messages.
  const burstMessages = Math.ceil(probes.burst / probes.burstMessage);
  const bytesPerLink = burstMessages * probes.burstMessage * streams.length;
  return {
    ...context,
    notes: [...context.notes, ...untestedImage(settings)],
    dataFolder,
    ...(hasContainers(settings) ? { docker } : {}),
    ...present({ natsServer }),
    hub: planner.hub(),
    links: { ...links, hubNames: links.tls === "off" ? [] : linkNames(settings) },
    sites: sites.map((site) => planner.site(site)),
    ...(first === undefined ? {} : { eachSite: planner.share({ ...first, name: ANY_SITE }) }),
    probes: { ...probes, burstMessages, bytesPerLink, when: settings.smokeTest },
    pending: sites.filter((site) => !isOnline(site)).map(({ name }) => name),
  };
}

class Planner {
  constructor(
    private readonly settings: Settings,
    private readonly stack: string,
    private readonly keysAreHidden: boolean,
  ) {}

  hub(): HubPlan {
    const { hub, sites } = this.settings;
    const keys = this.keys(hub.name, HUB_ROLES);
    const isSpread = routesLeave(this.settings);
    // What all servers have alike, and where the first of them is.
    const { engine, address, host, ports } = firstOfHub(this.settings);
    const shown = isSpread ? { ...hub, ...present({ engine, address }), host, ports } : hub;
    const declaration = declareHub(this.settings, keys, this.hubPorts());
    const ofSites = sites.map((site) => ({ name: accountOf(site.name), stores: this.hubLink(site).limits }));
    return {
      ...this.server(
        shown,
        isSpread ? { ...declaration, restart: { ...declaration.restart, host } } : declaration,
        keys,
      ),
      ...(isCluster(hub) ? { servers: hubServers(hub).map(({ name }) => name) } : {}),
      ...(isSpread ? { machines: hubServers(hub).map((server) => this.machine(server)) } : {}),
      accounts: [{ name: SYSTEM_ACCOUNT }, { name: HUB_ACCOUNT, stores: declaration.reload.merged }, ...ofSites],
    };
  }

  private machine(server: HubSettings): MachinePlan {
    const at = (port: Port | undefined): string => hostPort(reachedAt(server), port ?? ALLOCATED);
    return {
      name: server.name,
      runs: placementOf(this.settings, server),
      clients: at(portOf(server, "client")),
      leafLinks: at(portOf(server, "leafnodes")),
      routes: at(routesOf(this.settings, server).port),
    };
  }

  site(site: SiteSettings): SitePlan {
    const keys = this.keys(site.name, SITE_ROLES);
    const ports = { client: portOf(site, "client"), monitor: portOf(site, "monitor") };
    const declaration = declareLeaf(this.settings, site, keys, ports, this.dialedUrl(site));
    const { restart, reload } = declaration;
    return {
      ...this.server(site, declaration, keys),
      expect: site.expect,
      link: {
        dials: reload.hubUrl,
        security: linkSecurity(this.settings, site),
        key: keys.link,
        rotation: this.hubLink(site).rotation,
        reconnect: restart.reconnect,
      },
      share: this.share(site),
    };
  }

  share(site: SiteSettings): SiteShare {
    const { limits, merged } = this.hubLink(site);
    const { publish, subscribe } = linkPermissions(site.name, merged.length > 0);
    return {
      account: accountOf(site.name),
      storesOnHub: limits,
      linkKeyMay: { publish: publish.allow ?? [], subscribe: subscribe.allow ?? [] },
      streams: this.settings.streams.map((stream) => this.stream(stream, site.name)),
    };
  }

  private stream(stream: StreamSettings, site: string): StreamPlan {
    return {
      mode: stream.collect.mode,
      subjects: stream.subjects,
      adopt: stream.adopt,
      site: siteStreamConfig(stream, site, this.stack),
      hub: {
        account: collectingAccount(stream, site),
        subjects: stream.subjects.map((subject) => collectedSubject(stream, site, subject)),
        stream: hubStreamConfig(stream, this.stack),
        source: sourceOf(stream, site),
      },
    };
  }

  private server(server: Server, { restart, reload }: Declaration, keys: Record<string, KeySource>): ServerPlan {
    const { name, host, ports, syncInterval, logs } = restart;
    const runs = placementOf(this.settings, server);
    const isShut = runs.kind === "docker" && runs.network === "bridge";
    return {
      name,
      domain: name,
      runs,
      reachedAt: reachedAt(server),
      listens: {
        clients: hostPort(host, ports.client),
        ...(ports.leafnodes === undefined ? {} : { leafLinks: hostPort(host, ports.leafnodes) }),
        ...(isShut ? {} : { monitoring: `127.0.0.1:${ports.monitor}` }),
      },
      stores: reload.limits,
      maxPayload: reload.maxPayload,
      syncInterval,
      logs,
      keys,
    };
  }

  private dialedUrl(site: SiteSettings): string {
    const { host, port = this.hubPorts().leafnodes } = dialedHub(this.settings, site);
    return linkUrl(this.settings.links, host, port);
  }

  private hubLink = (site: SiteSettings) => declareHubLink(this.settings, site, {});

  private hubPorts() {
    const hub = routesLeave(this.settings) ? firstOfHub(this.settings) : this.settings.hub;
    return { client: portOf(hub, "client"), leafnodes: portOf(hub, "leafnodes"), monitor: portOf(hub, "monitor") };
  }

  private keys<Role extends string>(owner: string, roles: readonly Role[]): Record<Role, KeySource> {
    const given: Record<string, string | undefined> = this.settings.keys[owner] ?? {};
    const otherwise = this.keysAreHidden ? "hidden" : "generated";
    const sources = roles.map((role) => [role, given[role] === undefined ? otherwise : "given"] as const);
    return Object.fromEntries(sources) as Record<Role, KeySource>;
  }
}

function portOf(server: Server, listener: keyof typeof CONTAINER_PORTS): Port {
  const given: Partial<Record<string, number | undefined>> = server.ports;
  return given[listener] ?? (isElsewhere(server) ? CONTAINER_PORTS[listener] : ALLOCATED);
}
