import {
  Placement,
  dialedHub,
  firstOfHub,
  hubServers,
  isElsewhere,
  isInContainers,
  isLoopback,
  machineOf,
  placementOf,
  reachedAt,
  routesLeave,
  routesOf,
  sharesNetwork,
  staysOnMachine,
} from "../placement";
import { CONTAINER_PORTS, versionOfImage } from "../container";
import { Problem } from "../problem";
import { Rule, range, repeated } from "./rule";
import { HubSettings, Settings, SiteSettings } from "../settings";
import { WATCHER, isWatched, isWatcherInDocker, watcherPort, watcherRuntime } from "../watch/watch";
import { formatSize } from "../text/units";
import { isAtLeast } from "../../machine/version";
import { natsServer } from "../../machine/versions.json";

const DAY = 86_400_000;
const days = (ms: number): string => `${Number((ms / DAY).toFixed(2))} days`;

interface Placed {
  where: string;
  server: HubSettings | SiteSettings;
  placement: Placement;
}

/** The hub once where its servers are alike, else each of them, and the sites. */
const placedServers = (settings: Settings): Placed[] => {
  const { hub, sites } = settings;
  const ofHub = Array.isArray(hub.servers)
    ? hubServers(hub).map((server, i) => ({ where: `hub.servers[${i}]`, server }))
    : [{ where: "hub", server: hub }];
  return [...ofHub, ...sites.map((server, i) => ({ where: `sites[${i}]`, server }))].map(({ where, server }) => ({
    where,
    server,
    placement: placementOf(settings, server),
  }));
};

/** The same with each server of a hub of several. */
const withEachOfHub = (settings: Settings): Placed[] =>
  placedServers(settings).flatMap((placed) =>
    placed.server === settings.hub ? hubServers(settings.hub).map((server) => ({ ...placed, server })) : [placed],
  );

/** The listeners that a server needs on its machine, with the ports that are known before anything is deployed. */
function knownPorts(
  settings: Settings,
  { server, where, placement }: Placed,
): { key: string; port: number; where: string }[] {
  const isContainer = placement.kind === "docker";
  const onBridge = isContainer && placement.network === "bridge";
  const expected = isElsewhere(server) ? CONTAINER_PORTS : {};
  const isOfHub = !("expect" in server);
  const routes = isOfHub && routesLeave(settings) ? { cluster: routesOf(settings, server).port } : {};
  const listeners = Object.entries<number | undefined>({ ...expected, ...server.ports, ...routes });
  return listeners.flatMap(([listener, port]) => {
    // A container publishes no monitoring, routes only to other engines, and a site listens for no leaf links.
    const isInside = onBridge && (listener === "monitor" || (listener === "cluster" && !routesLeave(settings)));
    const isOpen = !isInside && (listener !== "leafnodes" || isOfHub);
    return port === undefined || !isOpen
      ? []
      : [{ key: `${machineOf(server)} ${port}`, port, where: `${where}.ports.${listener}` }];
  });
}

function portOfWatcher(settings: Settings): { key: string; port: number; where: string }[] {
  const port = isWatched(settings) ? watcherPort(settings) : undefined;
  const machine = isWatcherInDocker(settings) ? machineOf(firstOfHub(settings)) : "";
  return port === undefined ? [] : [{ key: `${machine} ${port}`, port, where: "watch.port" }];
}

/** The rules about where servers run, and how they find each other. */
export const PLACEMENT_RULES = {
  portsDiffer: (settings) =>
    repeated(
      [...withEachOfHub(settings).flatMap((placed) => knownPorts(settings, placed)), ...portOfWatcher(settings)],
      ({ key }) => key,
    ).map(({ first, again }) => ({
      where: again.where,
      problem: `port ${again.port} is taken by ${first.where}`,
      cure: "give each listener on a machine a port of its own (on another machine the default is 4222 or 7422)",
    })),

  watcherHasItsPlace: (settings) => {
    if (!isWatched(settings)) return [];
    const site = settings.sites.findIndex(({ name }) => name === WATCHER);
    return [
      ...(watcherRuntime(settings) === "process" && hubServers(settings.hub).every(isElsewhere)
        ? [
            {
              where: "watch.runtime",
              problem: "the hub runs on another machine, and a watcher that is a process runs on this one",
              cure: "set watch.runtime: docker, or leave it out",
            },
          ]
        : []),
      ...(isWatcherInDocker(settings) && !isInContainers(settings)
        ? [
            {
              where: "watch.runtime",
              problem: "the hub is a process, and a container does not reach where it listens",
              cure: "set watch.runtime: process, or leave it out",
            },
          ]
        : []),
      ...(site < 0
        ? []
        : [
            {
              where: `sites[${site}].name`,
              problem: `'${WATCHER}' is the name of the watcher`,
              cure: "choose another name",
            },
          ]),
    ];
  },

  enginesFit: (settings) =>
    placedServers(settings).flatMap(({ where, server: { engine, engineCertificates }, placement }): Problem[] => {
      if (placement.kind === "process") {
        return engine === undefined && engineCertificates === undefined
          ? []
          : [
              {
                where: `${where}.engine`,
                problem: "names a Docker engine for a server that runs as a process",
                cure: "set runtime: docker for it, or remove the engine",
              },
            ];
      }
      const isTcp = engine?.startsWith("tcp://") === true;
      if (isTcp && engineCertificates === undefined && !isLoopback(new URL(engine).hostname)) {
        return [
          {
            where: `${where}.engine`,
            problem: "an engine at tcp:// without TLS makes everyone on its network root on that machine",
            cure: "give engineCertificates, or use ssh://",
          },
        ];
      }
      if (!isTcp && engineCertificates !== undefined) {
        return [
          {
            where: `${where}.engineCertificates`,
            problem: "are for an engine at tcp:// only",
            cure: "remove them, or correct the engine",
          },
        ];
      }
      return [];
    }),

  serversAreReached: (settings) =>
    placedServers(settings).flatMap(({ where, server }): Problem[] => {
      if (!isElsewhere(server) || ("reach" in server && server.reach === "hub")) return [];
      if (isLocalOnly(reachedAt(server))) {
        return [
          {
            where: `${where}.address`,
            problem: `${reachedAt(server)} is this machine, but the server runs on another one`,
            cure: "give the address at which this program reaches it",
          },
        ];
      }
      return isLoopback(server.host)
        ? [
            {
              where: `${where}.host`,
              problem: `its ports are published on ${server.host} of its machine, which no other machine can reach`,
              cure: "give an address of that machine, or 0.0.0.0 for all",
            },
          ]
        : [];
    }),

  sitesReachTheHub: (settings) =>
    settings.sites.flatMap((site, i): Problem[] => {
      const where = `sites[${i}].hubAddress`;
      if (site.hubAddress !== undefined && routesLeave(settings)) {
        return [
          {
            where,
            problem: "is one address, but the servers of the hub are on machines of their own",
            cure: "remove it: sites dial the address of each server in hub.servers",
          },
        ];
      }
      const of = dialedServers(settings, site).map(({ server, host }) => undialable(settings, site, server, host));
      const [found] = of.filter((problem) => problem !== undefined);
      return found === undefined ? [] : [{ where, ...found }];
    }),

  plainTextStaysLocal: (settings) =>
    settings.links.plaintext === "accepted" || settings.links.tls !== "off"
      ? []
      : settings.sites.flatMap((site, i): Problem[] => {
          const leaving = dialedServers(settings, site).find(
            ({ server, host }) => !sharesNetwork(settings, site, server) && !isLoopback(host),
          );
          return staysOnMachine(settings, site)
            ? []
            : [
                {
                  where: `sites[${i}]`,
                  problem: `its leaf link to ${leaving?.host ?? dialedHub(settings, site).host} leaves its machine in plain text, messages included`,
                  cure: "write links: { tls: generated }; or { plaintext: accepted } if that network is private or encrypted (VPN)",
                },
              ];
        }),

  certificatesFit: ({ links: { tls, certificates, validity, renewBefore } }) => [
    ...range("links.validity", validity, DAY, 3650 * DAY, days),
    ...range("links.renewBefore", renewBefore, 0, validity - 1, days),
    ...(tls === "given" && certificates === undefined
      ? [{ where: "links.certificates", problem: "is missing", cure: "give the folder of the certificates" }]
      : []),
    ...(tls !== "given" && certificates !== undefined
      ? [{ where: "links.certificates", problem: "has no use", cure: "write tls: given, or remove it" }]
      : []),
  ],

  emptyPassphraseStaysLocal: (settings, { emptyPassphrase }) =>
    !emptyPassphrase
      ? []
      : placedServers(settings).flatMap(({ where, server }): Problem[] => {
          const isAway = isElsewhere(server);
          if (!isAway && isLoopback(server.host)) return [];
          const why = isAway ? "its engine is on another machine" : `${server.host} is not a loopback address`;
          return [
            {
              where: `${where}.${isAway ? "engine" : "host"}`,
              problem: `${why}, but the stack's secrets are encrypted with an empty passphrase, which protects nothing`,
              cure: "set PULUMI_CONFIG_PASSPHRASE and run 'pulumi stack change-secrets-provider passphrase', or keep it on this machine's loopback",
            },
          ];
        }),

  imageIsNewEnough: ({ docker: { image } }) =>
    isOlderImage(image)
      ? [
          {
            where: "docker.image",
            problem: `${image} holds an older nats-server than ${MINIMUM}`,
            cure: `name one of nats-server ${MINIMUM} or newer`,
          },
        ]
      : [],

  containersHaveRoom: ({ docker }) => [
    ...range("docker.memory", docker.memory, 64 * 2 ** 20, 2 ** 40, formatSize),
    ...range("docker.stopTimeout", docker.stopTimeout, 1000, 600_000, (value) => `${value} ms`),
  ],
} satisfies Record<string, Rule>;

/** Where the site dials each server of the hub. */
const dialedServers = (settings: Settings, site: SiteSettings): { server: HubSettings; host: string }[] =>
  hubServers(settings.hub).map((server) => ({ server, host: dialedHub(settings, site, server).host }));

/** Why the site cannot dial the server there; undefined when it can. */
function undialable(
  settings: Settings,
  site: SiteSettings,
  server: HubSettings,
  host: string,
): Omit<Problem, "where"> | undefined {
  if (sharesNetwork(settings, site, server)) return undefined;
  if (host === "0.0.0.0" || host === "::")
    return { problem: `${host} is not an address to dial`, cure: "give hub.address, or this site's hubAddress" };
  const ofSite = placementOf(settings, site);
  const isInContainer = ofSite.kind === "docker" && ofSite.network === "bridge";
  if (!isLoopback(host) || !(isInContainer || isElsewhere(server))) return undefined;
  return {
    problem: `${host} is ${isInContainer ? "the site's own container" : "not where the hub is"}`,
    cure: "give hub.address (and hub.host, the address that the hub listens on), or this site's hubAddress",
  };
}

const MINIMUM = natsServer.minimum;

/** Whether the image's tag names an older version, as far as it names one: "2.15" is any of these. */
function isOlderImage(image: string): boolean {
  const named = versionOfImage(image)?.split(".");
  if (named === undefined) return false;
  return !isAtLeast([...named, ...MINIMUM.split(".").slice(named.length)].join("."), MINIMUM);
}

const isLocalOnly = (host: string): boolean => isLoopback(host) || host === "0.0.0.0";
