import { HUB_ACCOUNT, SYSTEM_ACCOUNT, accountOf } from "../names";
import { PROBE_ROOM, hubLimits, mergedLimits, siteStreamBytes } from "../plan/limits";
import { HUB_RULES } from "./hub-rules";
import { PLACEMENT_RULES } from "./placement-rules";
import { Problem } from "../problem";
import { Rule, RuleContext, ms, range, repeated } from "./rule";
import { HUB_ROLES, SITE_ROLES } from "../keys";
import { isPartOf } from "../resources";
import { seedProblem, withoutSeeds } from "../seeds";
import { hubServers, isCluster, serverCount } from "../placement";
import { Settings, StreamSettings } from "../settings";
import { STREAM_RULES } from "./stream-rules";
import { formatSize } from "../text/units";

const MIN_PAYLOAD = 1024;
const MAX_PAYLOAD = 8 * 2 ** 20;
const MAX_BURST = 8e6;

/** A size beside a smaller one; in words of two digits both may look the same. */
const more = (needed: number, given: number): string => `${formatSize(needed)}, ${formatSize(needed - given)} more`;

const withOneCopy = (stream: StreamSettings): StreamSettings => ({
  ...stream,
  collect: { ...stream.collect, replicas: 1 },
});

/** All rules over the whole fleet. Each one judges one thing; all run, and all their problems are reported. */
export const RULES: Record<string, Rule> = {
  hubHasAMajority: ({ hub }) => {
    const count = serverCount(hub);
    return count % 2 === 1
      ? []
      : [
          {
            where: "hub.servers",
            problem: `${count} servers survive no more failures than ${count - 1}: more than half of them must run`,
            cure: `use ${count - 1} or ${count + 1}`,
          },
        ];
  },

  siteNamesDiffer: ({ sites }) =>
    repeated(sites, (site) => site.name).map(({ again, index }) => ({
      where: `sites[${index}].name`,
      problem: `'${again.name}' is used twice`,
      cure: "site names must differ: each is a server name, a JetStream domain and an account",
    })),

  siteNamesAreFree: ({ sites, hub }) =>
    sites.flatMap(({ name }, index): Problem[] => {
      const where = `sites[${index}].name`;
      if (name === hub.name) {
        const what = isCluster(hub) ? "the name of the hub, of its domain and of its cluster" : "the hub's name";
        return [
          {
            where,
            problem: `'${name}' is ${what}`,
            cure: "rename the site: equal JetStream domains make requests ambiguous",
          },
        ];
      }
      if (hubServers(hub).some((server) => server.name === name)) {
        return [
          { where, problem: `'${name}' is the name of a server of the hub`, cure: "rename the site, or the hub" },
        ];
      }
      const account = accountOf(name);
      if (account !== SYSTEM_ACCOUNT && account !== HUB_ACCOUNT) return [];
      return [{ where, problem: `'${name}' would take the account ${account}`, cure: "choose another name" }];
    }),

  // Resources are named after their server: `oslo-link`, `oslo-server` … A site with such a name would be confused with one.
  siteNamesAreNoParts: ({ sites, hub }) =>
    sites.flatMap(({ name }, index): Problem[] => {
      const owner = [hub, ...hubServers(hub), ...sites].find((server) => isPartOf(name, server.name));
      return owner === undefined
        ? []
        : [
            {
              where: `sites[${index}].name`,
              problem: `'${name}' is the name of a part of '${owner.name}'`,
              cure: "choose another name",
            },
          ];
    }),

  ...STREAM_RULES,

  ...PLACEMENT_RULES,

  ...HUB_RULES,

  payloadsFit: ({ hub, sites }) => [
    ...range("hub.maxPayload", hub.maxPayload, MIN_PAYLOAD, MAX_PAYLOAD, formatSize),
    ...sites.flatMap((site, i): Problem[] => {
      const where = `sites[${i}].maxPayload`;
      if (site.maxPayload > hub.maxPayload) {
        return [
          {
            where,
            problem: `${formatSize(site.maxPayload)} is more than the hub's ${formatSize(hub.maxPayload)}`,
            cure: "raise hub.maxPayload or lower this: a larger message would stop sourcing permanently",
          },
        ];
      }
      return range(where, site.maxPayload, MIN_PAYLOAD, MAX_PAYLOAD, formatSize);
    }),
  ],

  quotasHoldTheStreams: ({ sites, streams }) =>
    sites.flatMap((site, i): Problem[] => {
      const needed = siteStreamBytes(streams, "file") + PROBE_ROOM;
      if (needed <= site.quota) return [];
      return [
        {
          where: `sites[${i}].quota`,
          problem: `${formatSize(site.quota)} does not hold the site's streams: with the room for probes they may need ${more(needed, site.quota)}`,
          cure: "raise the quota or lower streams[].maxBytes",
        },
      ];
    }),

  hubHoldsTheQuotas: (settings) => {
    const { hub, sites } = settings;
    // Of several servers each may hold a copy of every stream.
    const onOne = isCluster(hub) ? { sites, streams: settings.streams.map(withOneCopy) } : settings;
    const total = sites.map(() => hubLimits(onOne)).concat(mergedLimits(onOne));
    return (["maxFile", "maxMemory"] as const).flatMap((kind): Problem[] => {
      const needed = total.reduce((sum, limits) => sum + limits[kind], 0);
      if (needed <= hub[kind]) return [];
      return [
        {
          where: `hub.${kind}`,
          problem: `${formatSize(hub[kind])} does not hold what the hub may collect from its sites: ${more(needed, hub[kind])}`,
          cure: `raise hub.${kind} or lower streams[].collect.maxBytes`,
        },
      ];
    });
  },

  probesFit: ({ probes, sites }) => [
    ...range("probes.burst", probes.burst, 0, MAX_BURST, (bytes) => `${bytes / 1e6} MB`),
    ...range("probes.burstMessage", probes.burstMessage, 1000, MAX_PAYLOAD, (bytes) => `${bytes / 1000} kB`),
    ...range("probes.timeout", probes.timeout, 1000, 600_000, ms),
    ...sites
      // Headers travel within max_payload too.
      .filter((site) => probes.burst > 0 && probes.burstMessage + 256 > site.maxPayload)
      .map((site) => ({
        where: "probes.burstMessage",
        problem: `${probes.burstMessage / 1000} kB with its headers exceeds the maxPayload of site '${site.name}'`,
        cure: "use smaller messages, or a larger maxPayload",
      })),
  ],

  reconnectIsBounded: ({ sites }) =>
    sites.flatMap((site, i) => range(`sites[${i}].reconnect`, site.reconnect, 50, 60_000, ms)),

  keysBelongToTheFleet: ({ keys, sites, hub }) => {
    const roles = new Map<string, readonly string[]>([[hub.name, HUB_ROLES]]);
    for (const site of sites) roles.set(site.name, SITE_ROLES);
    const seen = new Map<string, string>();
    return Object.entries(keys).flatMap(([owner, given]) => {
      const known = roles.get(owner);
      if (known === undefined) {
        return [
          { where: `keys.${owner}`, problem: "names neither a site nor the hub", cure: "remove it, or add the site" },
        ];
      }
      return Object.entries(given).flatMap(([role, seed]): Problem[] => {
        const where = `keys.${owner}.${role}`;
        if (!known.includes(role))
          return [{ where, problem: "is not a key of this server", cure: `use ${known.join(", ")}` }];
        const wrong = seedProblem(seed ?? "");
        if (wrong !== undefined) return [{ where, ...wrong }];
        const first = seen.get(seed ?? "");
        seen.set(seed ?? "", where);
        return first === undefined
          ? []
          : [
              {
                where,
                problem: `is the same seed as ${first}`,
                cure: "give each role a key of its own: the server knows a user by its key",
              },
            ];
      });
    });
  },
};

/** All problems of the fleet; empty when it may be deployed. */
export const judge = (settings: Settings, context: RuleContext): Problem[] =>
  Object.values(RULES).flatMap((rule) => rule(settings, context).map(withoutSeeds));
