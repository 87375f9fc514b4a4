import { Settings, SiteSettings, StreamSettings } from "../../configs/settings";
import { streamChanges } from "../../configs/plan/stream-changes";
import { hubStreamConfig, siteStreamConfig } from "../../configs/streams";
import { isAway } from "../../servers/away";
import { serverCount } from "../../configs/placement";
import { same, present } from "../../configs/values";

/** What of a fleet is rehearsed: the same plan, but on loopback, as processes, and with few of its sites. */

const LOOPBACK = "127.0.0.1";

/** Most sites that are rehearsed: those that differ most, for alike ones show the same. */
const MOST_SITES = 3;

/** Time in which the probes of a rehearsal must arrive: they pass no network. */
const PROBE_TIMEOUT_MS = 10_000;

const hubOnLoopback = ({ hub }: Settings): Settings["hub"] => {
  const { name, maxFile, maxMemory, maxPayload, syncInterval, logs } = hub;
  const servers = hub.servers === undefined ? undefined : serverCount(hub);
  const common = { name, maxFile, maxMemory, maxPayload, syncInterval, logs, ...present({ servers }) };
  return { ...common, host: LOOPBACK, ports: {} };
};

/** One that is declared offline is rehearsed as it will be. */
const siteOnLoopback = (site: SiteSettings): SiteSettings => {
  const { name, reach, quota, maxPayload, syncInterval, reconnect, logs } = site;
  const planned = { name, reach, quota, maxPayload, syncInterval, reconnect, logs };
  return { ...planned, expect: "online", host: LOOPBACK, ports: {}, rotation: 0 };
};

/**
 * The fleet with all that belongs to machines left out: engines, addresses, ports, keys, given certificates. What is the
 * same then is nothing that a rehearsal could judge.
 */
export function onLoopback(settings: Settings): Settings {
  const { tls } = settings.links;
  const timeout = Math.min(settings.probes.timeout, PROBE_TIMEOUT_MS);
  return {
    ...present({ natsServer: settings.natsServer }),
    runtime: "process",
    dataFolder: ".",
    docker: { image: "none", memory: 0, cpus: 1, stopTimeout: 0 },
    hub: hubOnLoopback(settings),
    links: { tls: tls === "off" ? "off" : "generated", validity: 0, renewBefore: 0 },
    sites: settings.sites.map(siteOnLoopback),
    streams: settings.streams,
    smokeTest: "onChange",
    rehearsal: "off",
    protect: false,
    probes: { ...settings.probes, timeout },
    keys: {},
  };
}

/** What is to be rehearsed. */
export interface RehearsalPlan {
  /** What is deployed; absent where nothing is. */
  before: Settings | undefined;
  settings: Settings;
  /** The sites that are rehearsed. */
  chosen: string[];
  /** How many sites the change concerns. */
  concerned: number;
}

/** One of each kind first, then more of each. */
function mostDifferent(sites: readonly SiteSettings[]): SiteSettings[] {
  const kinds: SiteSettings[][] = [];
  for (const site of sites) {
    const kind = kinds.find(([first]) => same({ ...first, name: "" }, { ...site, name: "" }));
    if (kind === undefined) kinds.push([site]);
    else kind.push(site);
  }
  const rank = (site: SiteSettings) => kinds.find((kind) => kind.includes(site))?.indexOf(site) ?? 0;
  return [...sites].sort((a, b) => rank(a) - rank(b)).slice(0, MOST_SITES);
}

/** Undefined when a rehearsal cannot judge the change. */
export function planRehearsal(olds: Settings | undefined, news: Settings): RehearsalPlan | undefined {
  const [before, settings] = [olds === undefined ? undefined : onLoopback(olds), onLoopback(news)];
  const isOfAll = before === undefined || !same({ ...before, sites: [] }, { ...settings, sites: [] });
  const isNew = (site: SiteSettings) => isOfAll || !before.sites.some((old) => same(old, site));
  const concerned = settings.sites.filter((site) => !isAway(site.name) && isNew(site));
  if (concerned.length === 0) return undefined;
  return { before, settings, chosen: mostDifferent(concerned).map(({ name }) => name), concerned: concerned.length };
}

/**
 * Whether JetStream cannot turn one into the other: then the old stream must be removed first, which a rehearsal cannot
 * see.
 */
const isAnother = (before: StreamSettings, after: StreamSettings): boolean =>
  [
    streamChanges({ ...siteStreamConfig(before, "any", "any") }, siteStreamConfig(after, "any", "any")),
    streamChanges({ ...hubStreamConfig(before, "any") }, hubStreamConfig(after, "any")),
  ].some((changes) => changes.some(({ kind }) => kind === "refused"));

/** What is deployed, without the streams whose own change the live ones alone decide. */
export function deployedBefore({ before, settings }: RehearsalPlan): Settings | undefined {
  if (before === undefined) return undefined;
  const isLeftOut = (old: StreamSettings) =>
    settings.streams.some(
      (stream) => stream.name === old.name && stream.collect.mode === old.collect.mode && isAnother(old, stream),
    );
  return { ...before, streams: before.streams.filter((stream) => !isLeftOut(stream)) };
}
