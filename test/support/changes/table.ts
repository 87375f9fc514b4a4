import type { RawSettings } from "../../../configs/settings";

/** Every kind of change and every shape of fleet: the table of what is tried, generated as their product. */

export const TLS = ["off", "generated", "given"] as const;
export const MODES = ["perSite", "merged"] as const;
export const REACHES = ["direct", "hub"] as const;
export const RUNTIMES = ["process", "docker"] as const;

export type Tls = (typeof TLS)[number];
export type Mode = (typeof MODES)[number];
export type Reach = (typeof REACHES)[number];
export type Runtime = (typeof RUNTIMES)[number];

export const nextTls = (tls: Tls): Tls => TLS[(TLS.indexOf(tls) + 1) % TLS.length] ?? tls;

/** What a fleet is, at a change. */
export interface Shape {
  tls: Tls;
  mode: Mode;
}

/** What a site is: each fleet of the table has one of each kind. */
export interface SiteKind {
  runtime: Runtime;
  reach: Reach;
}

/** Where hub and sites run. */
export interface Ground {
  hub: Runtime;
  kinds: readonly SiteKind[];
}

/** One site of each reach, all on one runtime. */
export const groundOf = (hub: Runtime, sites: Runtime): Ground => ({
  hub,
  kinds: REACHES.map((reach) => ({ runtime: sites, reach })),
});

/** A fleet as it is declared. */
export interface Declared extends Shape {
  hub: Runtime;
  sites: (SiteKind & { name: string; rotation: number })[];
  /** Whether its limits are the higher ones. */
  roomy: boolean;
  /** What the burst of the smoke test sends: most of a test's time, and what it finds does not depend on TLS. */
  burst: string;
  streams: { name: string; subjects: string[] }[];
}

/** The three generations of sites, by kind: those that stay, those that are added, and what these are renamed to. */
const NAMES: Record<"kept" | "added" | "renamed", string[]> = {
  kept: ["oslo", "bergen", "hamar", "molde"],
  added: ["narvik", "moss", "halden", "larvik"],
  renamed: ["skien", "arendal", "mandal", "vardo"],
};

export const ALL_NAMES = Object.values(NAMES).flat();

const sitesOf = (generation: keyof typeof NAMES, kinds: readonly SiteKind[]): Declared["sites"] =>
  kinds.map((kind, i) => ({ ...kind, name: NAMES[generation][i] ?? "none", rotation: 0 }));

const isOf = (generation: keyof typeof NAMES, { name }: { name: string }): boolean => NAMES[generation].includes(name);

export const firstDeclared = ({ hub, kinds }: Ground, shape: Shape): Declared => ({
  ...shape,
  hub,
  sites: sitesOf("kept", kinds),
  roomy: false,
  burst: shape.tls === "generated" ? "2500kB" : "0B",
  streams: [{ name: "EVENTS", subjects: ["events.>"] }],
});

/** One update of a change; `refused`: what the way there in one step is refused with, tried first. */
export interface Step {
  after: Declared;
  refused?: { of: Declared; with: RegExp };
}

export interface Change {
  /** What becomes of the fleet, update by update. */
  steps: ((before: Declared, kinds: readonly SiteKind[]) => Step)[];
  /** Whether no leaf link of a site that stays drops. */
  linksStay?: true;
  /** Whether no server of a site that stays is restarted. */
  serversStay?: true;
}

const without = (declared: Declared, generation: keyof typeof NAMES): Declared => ({
  ...declared,
  sites: declared.sites.filter((site) => !isOf(generation, site)),
});
const withSites = (declared: Declared, generation: keyof typeof NAMES, kinds: readonly SiteKind[]): Declared => ({
  ...declared,
  sites: [...declared.sites, ...sitesOf(generation, kinds)],
});

/** The kinds of change that leave the shape as it is, in an order in which each one can follow the one before. */
export const CHANGES: Record<string, Change> = {
  "a site is added": {
    linksStay: true,
    serversStay: true,
    steps: [(before, kinds) => ({ after: withSites(before, "added", kinds) })],
  },
  "a stream is added": {
    linksStay: true,
    serversStay: true,
    steps: [
      (before) => ({
        after: { ...before, streams: [...before.streams, { name: "ALARMS", subjects: ["alarms.>"] }] },
      }),
    ],
  },
  "a site is renamed": {
    linksStay: true,
    serversStay: true,
    steps: [
      (before, kinds) => {
        const both = withSites(before, "renamed", kinds);
        return { after: both, refused: { of: without(both, "added"), with: /seems to become/ } };
      },
      (before) => ({ after: without(before, "added") }),
    ],
  },
  "limits are raised": {
    linksStay: true,
    serversStay: true,
    steps: [(before) => ({ after: { ...before, roomy: true } })],
  },
  "a link key is rotated": {
    serversStay: true,
    steps: [
      (before) => ({
        after: { ...before, sites: before.sites.map((site) => ({ ...site, rotation: site.rotation + 1 })) },
      }),
    ],
  },
  "subjects change": {
    linksStay: true,
    serversStay: true,
    steps: [(before) => ({ after: { ...before, streams: subjectsOfEvents(before, ["events.>", "more.>"]) } })],
  },
  "a site is removed": {
    linksStay: true,
    serversStay: true,
    steps: [(before) => ({ after: without(before, "renamed") })],
  },
  "limits are lowered": { steps: [(before) => ({ after: { ...before, roomy: false } })] },
  "a stream is removed": {
    linksStay: true,
    serversStay: true,
    steps: [
      (before) => ({
        after: {
          ...before,
          streams: subjectsOfEvents(before, ["events.>"]).filter(({ name }) => name !== "ALARMS"),
        },
      }),
    ],
  },
};

const subjectsOfEvents = ({ streams }: Declared, subjects: string[]): Declared["streams"] =>
  streams.map((stream) => (stream.name === "EVENTS" ? { ...stream, subjects } : stream));

/** The kinds of change that lead to another shape. */
export const DEPARTURES: Record<string, (shape: Shape) => Shape> = Object.fromEntries([
  ...TLS.map((tls) => [`TLS becomes ${tls}`, (shape: Shape) => ({ ...shape, tls })] as const),
  ...MODES.map((mode) => [`the mode becomes ${mode}`, (shape: Shape) => ({ ...shape, mode })] as const),
]);

/** A kind of change by its name. */
export function changeOf(name: string): Change {
  const departure = DEPARTURES[name];
  const change =
    departure === undefined ? CHANGES[name] : { steps: [(b: Declared) => ({ after: { ...b, ...departure(b) } })] };
  if (change === undefined) throw new Error(`the table has no change '${name}'`);
  return change;
}

export const SHAPES: Shape[] = TLS.flatMap((tls) => MODES.map((mode) => ({ tls, mode })));

export const CHANGE_NAMES = [...Object.keys(CHANGES), ...Object.keys(DEPARTURES)];

/** The declaration as the settings say it. */
export function settingsOf(declared: Declared, certificates: string): RawSettings {
  const { tls, mode, hub, sites, roomy, burst, streams } = declared;
  const maxBytes = roomy ? "48MiB" : "32MiB";
  return {
    links: tls === "given" ? { tls, certificates } : { tls },
    hub: { runtime: hub, maxFile: roomy ? "5GiB" : "4GiB" },
    sites: sites.map(({ name, rotation, runtime, reach }) => ({
      name,
      rotation,
      runtime,
      reach,
      quota: roomy ? "3GiB" : "2GiB",
    })),
    probes: { burst, timeout: "8s" },
    streams: streams.map((stream) => ({ ...stream, maxBytes, collect: { mode, maxBytes } })),
  };
}
