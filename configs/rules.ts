import { fromSeed } from "@nats-io/nkeys";
import { SYSTEM_ACCOUNT, HUB_ACCOUNT, accountOf } from "./names";
import { PROBE_ROOM } from "./plan-hub";
import { hubLimits, mergedLimits, siteStreamBytes } from "./limits";
import { Problem } from "./problem";
import { Settings } from "./settings";
import { overlaps, reservedBy, subjectProblem } from "./subjects";
import { formatSize } from "./units";

/** What the rules know besides the settings. */
export interface RuleContext {
  /** Whether the stack's secrets are encrypted with an empty passphrase. */
  emptyPassphrase: boolean;
}

type Rule = (settings: Settings, context: RuleContext) => Problem[];

/** Every value that occurs twice, with the places where it stands. */
function repeated<T>(items: readonly T[], keyOf: (item: T) => unknown): { first: T; again: T; index: number }[] {
  const seen = new Map<unknown, T>();
  return items.flatMap((again, index) => {
    const key = keyOf(again);
    const first = seen.get(key);
    if (first !== undefined) return [{ first, again, index }];
    seen.set(key, again);
    return [];
  });
}

export const isLoopback = (host: string): boolean => host === "localhost" || host === "::1" || /^127\./.test(host);

const MIN_PAYLOAD = 1024;
const MAX_PAYLOAD = 8 * 2 ** 20;
const MAX_BURST = 8e6;

function range(where: string, value: number, low: number, high: number, show: (n: number) => string): Problem[] {
  if (value >= low && value <= high) return [];
  return [{ where, problem: `${show(value)} is out of range`, cure: `use ${show(low)} to ${show(high)}` }];
}

const ms = (value: number): string => `${value} ms`;

/** All rules over the whole fleet. Each one judges one thing; all run, and all their problems are reported. */
export const RULES: Record<string, Rule> = {
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
        return [
          {
            where,
            problem: `'${name}' is the hub's name`,
            cure: "rename the site: equal JetStream domains make requests ambiguous",
          },
        ];
      }
      const account = accountOf(name);
      if (account !== SYSTEM_ACCOUNT && account !== HUB_ACCOUNT) return [];
      return [{ where, problem: `'${name}' would take the account ${account}`, cure: "choose another name" }];
    }),

  streamNamesDiffer: ({ streams }) =>
    repeated(streams, (stream) => stream.name).map(({ again, index }) => ({
      where: `streams[${index}].name`,
      problem: `'${again.name}' is used twice`,
      cure: "stream names must differ",
    })),

  streamNamesDifferAtSites: ({ streams, sites }) =>
    sites.flatMap((site) =>
      repeated(
        streams.filter((stream, i) => streams.findIndex((other) => other.name === stream.name) === i),
        (stream) => (stream.collect.mode === "merged" ? `${stream.name}_${accountOf(site.name)}` : stream.name),
      ).map(({ again }) => ({
        where: `streams '${again.name}'`,
        problem: `has at site '${site.name}' the name of another stream ("merged" adds the site's name)`,
        cure: "rename one of them",
      })),
    ),

  subjectsAreValid: ({ streams }) =>
    streams.flatMap((stream, i) =>
      stream.subjects.flatMap((subject, j): Problem[] => {
        const where = `streams[${i}].subjects[${j}]`;
        const invalid = subjectProblem(subject);
        if (invalid !== undefined) {
          return [
            {
              where,
              problem: `'${subject}' ${invalid}`,
              cure: "write tokens separated by dots, '*' for one token, '>' at the end for the rest",
            },
          ];
        }
        const taken = reservedBy(subject);
        if (taken === undefined) return [];
        return [
          {
            where,
            problem: `'${subject}' touches the reserved subjects '${taken}'`,
            cure: "choose subjects of your own, such as 'events.>'",
          },
        ];
      }),
    ),

  subjectsDoNotOverlap: ({ streams }) => {
    const all = streams.flatMap((stream, i) =>
      stream.subjects.map((subject, j) => ({ subject, where: `streams[${i}].subjects[${j}]`, stream: stream.name })),
    );
    return all.flatMap((a, i) =>
      all
        .slice(i + 1)
        .filter((b) => overlaps(a.subject, b.subject))
        .map((b) => ({
          where: b.where,
          problem: `'${b.subject}' overlaps '${a.subject}' of ${a.where} (stream ${a.stream})`,
          cure: "each message must belong to one stream: make the subjects distinct",
        })),
    );
  },

  portsDiffer: ({ hub, sites }) => {
    const given = [
      ...Object.entries(hub.ports).map(([key, port]) => ({ port, where: `hub.ports.${key}` })),
      ...sites.flatMap(({ ports }, i) =>
        Object.entries(ports).map(([key, port]) => ({ port, where: `sites[${i}].ports.${key}` })),
      ),
    ].filter(({ port }) => port !== undefined);
    return repeated(given, ({ port }) => port).map(({ first, again }) => ({
      where: again.where,
      problem: `port ${again.port} is taken by ${first.where}`,
      cure: "give each listener a port of its own, or leave it out to have one allocated",
    }));
  },

  payloadsFit: ({ hub, sites }) => [
    ...range("hub.maxPayload", hub.maxPayload, MIN_PAYLOAD, MAX_PAYLOAD, formatSize),
    ...sites.flatMap((site, i): Problem[] => {
      const where = `sites[${i}].maxPayload`;
      if (site.maxPayload > hub.maxPayload) {
        return [
          {
            where,
            problem: `${formatSize(site.maxPayload)} is more than the hub's ${formatSize(hub.maxPayload)}`,
            cure: "raise hub.maxPayload or lower this: a larger message would stop the sourcing for good",
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
          problem: `${formatSize(site.quota)} does not hold the site's streams: they may take ${formatSize(needed)} with the room for probes`,
          cure: "raise the quota or lower streams[].maxBytes",
        },
      ];
    }),

  hubHoldsTheQuotas: (settings) => {
    const { hub, sites } = settings;
    const total = sites.map(() => hubLimits(settings)).concat(mergedLimits(settings));
    return (["maxFile", "maxMemory"] as const).flatMap((kind): Problem[] => {
      const needed = total.reduce((sum, limits) => sum + limits[kind], 0);
      if (needed <= hub[kind]) return [];
      return [
        {
          where: `hub.${kind}`,
          problem: `${formatSize(hub[kind])} does not hold what the hub may collect from ${sites.length} sites: ${formatSize(needed)}`,
          cure: `raise hub.${kind} or lower streams[].collect.maxBytes`,
        },
      ];
    });
  },

  replicasFitTheHub: ({ streams }) =>
    streams.flatMap(({ collect }, i): Problem[] =>
      collect.replicas === 1
        ? []
        : [
            {
              where: `streams[${i}].collect.replicas`,
              problem: `${collect.replicas} copies need as many hub servers, and this hub is one`,
              cure: "use 1",
            },
          ],
    ),

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
    const roles: Record<string, readonly string[]> = { [hub.name]: ["system", "operator", "reader"] };
    for (const site of sites) roles[site.name] = ["link", "application", "operator", "reader"];
    const seen = new Map<string, string>();
    return Object.entries(keys).flatMap(([owner, given]) => {
      const known = roles[owner];
      if (known === undefined) {
        return [
          { where: `keys.${owner}`, problem: "names neither a site nor the hub", cure: "remove it, or add the site" },
        ];
      }
      return Object.entries(given).flatMap(([role, seed]): Problem[] => {
        const where = `keys.${owner}.${role}`;
        if (!known.includes(role)) return [{ where, problem: "is no key of it", cure: `use ${known.join(", ")}` }];
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

  emptyPassphraseStaysLocal: ({ hub }, { emptyPassphrase }) =>
    !emptyPassphrase || isLoopback(hub.host)
      ? []
      : [
          {
            where: "hub.host",
            problem: `${hub.host} is not a loopback address, and the stack's secrets are encrypted with an empty passphrase, which protects nothing`,
            cure: "set PULUMI_CONFIG_PASSPHRASE and run 'pulumi stack change-secrets-provider passphrase', or use 127.0.0.1",
          },
        ],
};

/** Why the text is not the seed of a user key. The text itself never appears in a message. */
function seedProblem(seed: string): { problem: string; cure: string } | undefined {
  const cure = "give the seed of a user nkey: 58 characters that start with SU";
  if (seed.startsWith("U")) return { problem: "is a public key, not a seed", cure };
  if (seed.includes("-----BEGIN")) return { problem: "is a credentials file (JWT and seed), not a seed", cure };
  if (seed.startsWith("SA") || seed.startsWith("SO"))
    return { problem: "is the seed of an account or operator, not of a user", cure };
  if (/[/\\]/.test(seed)) return { problem: "is a path, not a seed", cure };
  try {
    if (fromSeed(new TextEncoder().encode(seed)).getPublicKey().startsWith("U")) return undefined;
  } catch {
    return { problem: "is not a valid seed: damaged, cut short, or something else", cure };
  }
  return { problem: "is the seed of another kind of key", cure };
}

/** All problems of the fleet; empty when it may be deployed. */
export const judge = (settings: Settings, context: RuleContext): Problem[] =>
  Object.values(RULES).flatMap((rule) => rule(settings, context));
