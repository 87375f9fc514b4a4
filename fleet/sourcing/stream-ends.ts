import { monitorMetadata } from "../../configs/monitor/metadata";
import { present } from "../../configs/values";
import {
  collectedName,
  declaredSources,
  hubStreamConfig,
  isSourceOfSite,
  siteStreamConfig,
  sourceOf,
  OWNER,
} from "../../configs/streams";
import type { StreamConfig } from "../../configs/streams";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import {
  Comparison,
  StreamChange,
  isLabel,
  mayBeKept,
  streamChanges,
  wantedOver,
} from "../../configs/plan/stream-changes";
import { changeWords, harmOf } from "../../configs/plan/stream-words";
import { declaredSites } from "./declared-sites";
import { DriftFacts } from "../../diagnosis/facts/facts";
import { awayOfHub } from "../../servers/away";
import { StreamInfo } from "../../servers/nats/jetstream";
import { monitoredBy } from "./monitored";
import { otherOwner } from "./stream-owner";

/** The two ends of a stream, at its site and on the hub: what each is to be, and how the server's own differs. */

export interface End {
  /** For messages, such as `stream EVENTS at site oslo`. */
  where: string;
  /** What REMAKE calls it: `oslo/EVENTS`, `hub/OSLO/EVENTS`. */
  remake: string;
  site: string;
  /** Without sources. */
  wanted: StreamConfig;
  adopt: boolean;
  comparison: (info: StreamInfo) => Comparison;
  /** What `nats server check stream` reads of it, by what the stream is like now; a new one has a single source. */
  labels?: (info?: StreamInfo) => Record<string, string>;
}

/** Whose streams they are. */
export interface Owner {
  site: string;
  expect: "online" | "offline";
  stack: string;
  /** The stack's folder. */
  root: string;
}

export function siteEnd(stream: StreamSettings, { site, stack }: Owner): End {
  const name = siteStreamName(stream, site);
  const { adopt } = stream;
  return {
    where: `stream ${name} at site ${site}`,
    remake: `${site}/${name}`,
    site,
    wanted: siteStreamConfig(stream, site, stack),
    adopt,
    comparison: () => ({ adopt }),
  };
}

export function hubEnd(stream: StreamSettings, { site, expect, stack, root }: Owner): End {
  const { adopt } = stream;
  const wanted = hubStreamConfig(stream, stack);
  const source = sourceOf(stream, site);
  const sites = declaredSites(root);
  const comparison = ({ config }: StreamInfo): Comparison => ({
    adopt,
    declares: declaredSources(config.sources ?? [], stream, site, sites),
  });
  const labels = (info?: StreamInfo): Record<string, string> => {
    const { config = wanted } = info ?? {};
    const { declares = () => true } = info === undefined ? {} : comparison(info);
    const declared = (config.sources ?? []).filter((other) => declares(other) && !isSourceOfSite(other, site));
    // A second source of a site, made by hand, is none that the stream is to have.
    const others = declared.filter(
      ({ external }, i) => declared.findIndex((other) => other.external?.api === external?.api) === i,
    );
    const kept = wantedOver({ ...config }, wanted, { adopt, declares }).sources ?? [];
    const sources = [...kept, ...others, source];
    return monitorMetadata(monitoredBy({ site, expect, sites }, config, sources, wanted.num_replicas));
  };
  return {
    where: `hub stream ${collectedName(stream, site)}`,
    remake: `hub/${collectedName(stream, site)}`,
    site,
    wanted,
    adopt,
    comparison,
    labels,
  };
}

/** The wanted configuration with its labels: of a new stream, or by what the one that is there is like. */
export const labelled = ({ wanted, labels }: End, info?: StreamInfo): StreamConfig =>
  labels === undefined ? wanted : { ...wanted, metadata: { ...labels(info), ...wanted.metadata } };

/** Copies stay as they are while the machine of a server of the hub is away: none can be made there. */
export function wantedAt(end: End, info: StreamInfo): StreamConfig {
  const wanted = labelled(end, info);
  return awayOfHub().length === 0 ? wanted : { ...wanted, num_replicas: info.config.num_replicas };
}

export const changesAt = (end: End, info: StreamInfo): StreamChange[] =>
  streamChanges({ ...info.config }, wantedAt(end, info), end.comparison(info));

export const isRefused = ({ kind }: StreamChange): boolean => kind === "refused";

/** The owner of a stream that is not this stack's and that the settings do not take over; undefined when it may be changed. */
export const strangerOf = ({ wanted, adopt }: End, info: StreamInfo): string | undefined =>
  adopt ? undefined : otherOwner(info, wanted.metadata[OWNER] ?? "");

/** Messages that a smaller limit would drop at once, in words; undefined when none. */
export function atStake({ wanted }: End, { config, state }: StreamInfo): string | undefined {
  const isLess = config.max_bytes <= 0 || wanted.max_bytes < config.max_bytes;
  if (isLess && state.bytes > wanted.max_bytes) {
    return `max_bytes ${wanted.max_bytes} is less than the ${state.bytes} bytes that it holds`;
  }
  const shorter = wanted.max_age > 0 && (config.max_age === 0 || wanted.max_age < config.max_age);
  return shorter && state.messages > 0 ? "a shorter max_age drops older messages" : undefined;
}

/** What it takes to have a stream recreated, in words. */
export function remakeWords({ remake, adopt }: End, { state }: StreamInfo, refused: readonly StreamChange[]): string {
  const isOnHub = remake.startsWith("hub/");
  const lost = isOnHub
    ? `the ${state.messages} messages that it holds are lost, and the sites deliver again what they still hold`
    : `the ${state.messages} messages that it holds are lost at the site, with its consumers`;
  const keep = !adopt && refused.every(({ field }) => mayBeKept(field)) ? "keep it with adopt: true, or " : "";
  return `${keep}have the stream recreated with REMAKE=${remake}: ${lost} (save them first with 'nats stream backup')`;
}

/** A label that an earlier version of this program did not write; the next `up` does. */
const isUnlabelled = ({ field, from }: StreamChange): boolean => from === undefined && isLabel(field);

/** How the server's stream differs from the declared one, as facts; undefined when it does not. */
export function driftAt(end: End, info: StreamInfo): DriftFacts | undefined {
  const changes = changesAt(end, info).filter((change) => !isUnlabelled(change));
  if (changes.length === 0) return undefined;
  const refused = changes.filter(isRefused);
  const [stranger, cost] = [strangerOf(end, info), atStake(end, info)];
  return {
    differences: changes.map((change) => {
      const harm = harmOf(change);
      return { words: changeWords(change), ...present({ harm }) };
    }),
    ...present({ stranger }),
    ...(refused.length === 0
      ? {}
      : { refused: { fields: refused.map(({ field }) => field), cure: remakeWords(end, info, refused) } }),
    ...present({ cost }),
  };
}
