import { overlaps } from "../configs/subjects";
import { NANOSECONDS_PER_MS } from "../configs/text/units";
import { SourceInfo, StreamInfo } from "../servers/nats/jetstream";

/** What brings messages of a site into a stream of the hub, in fleets that others set up: sources of any kind, or a mirror. */

/**
 * What brings the site's stream to the hub's: its sources of that stream, which may be several with a filter each, or the
 * mirror. By the domain that they reach; an account that imports the API under another subject has it by the name alone.
 */
export function feedsOf(
  { sources = [], mirror, state }: StreamInfo,
  name: string,
  api: string | undefined,
): SourceInfo[] {
  // A mirror has the sequences of what it mirrors; before 2.15 the server does not say it again.
  if (mirror !== undefined) return [{ seq: state.last_seq, ...mirror }];
  const ofName = sources.filter(
    (source) => source.name === name && (api === undefined || source.external?.api === api),
  );
  return ofName.length > 0 || sources.length !== 1 ? ofName : sources;
}

/** Whether the stream has a source or a mirror of a stream of that name. */
export const isFedBy = ({ sources = [], mirror }: StreamInfo, name: string): boolean =>
  [...sources, ...(mirror === undefined ? [] : [mirror])].some((feed) => feed.name === name);

/** What the configuration says of a feed, beside what the server shows of it. */
export interface FeedConfig {
  name: string;
  external?: { api: string };
  filter_subject?: string;
  subject_transforms?: unknown[];
  opt_start_seq?: number;
  opt_start_time?: string;
  /** The durable consumer that it uses. */
  consumer?: { name?: string };
}

/** What makes a source another one to the server. */
const identity = ({ name, external, filter_subject: filter = "", subject_transforms: transforms = [] }: FeedConfig) =>
  JSON.stringify([name, external?.api, filter, transforms]);

export function configOf({ config }: Pick<StreamInfo, "config">, feed: FeedConfig): FeedConfig | undefined {
  const { sources = [], mirror } = config as { sources?: FeedConfig[]; mirror?: FeedConfig };
  return mirror ?? sources.find((one) => identity(one) === identity(feed));
}

/** Whether they may be of several sites, each with a stream of that name: nothing tells which one is meant. */
export const areOfSeveral = (feeds: readonly SourceInfo[]): boolean =>
  new Set(feeds.map(({ external }) => external?.api)).size > 1;

/**
 * The one that says most: ahead of the site, else one that messages wait for, else the one that was silent for longest.
 *
 * @param counts messages that wait for each; undefined where they could not be counted.
 * @param last sequence of the site's stream.
 */
export function foremost(
  feeds: readonly SourceInfo[],
  counts: readonly (number | undefined)[],
  last: number,
): SourceInfo | undefined {
  const quiet = ({ active }: SourceInfo): number => (active < 0 ? Infinity : active);
  return (
    feeds.find(({ seq = 0 }) => seq > last) ??
    feeds.find((_, i) => (counts[i] ?? 0) > 0) ??
    feeds.toSorted((a, b) => (quiet(a) > quiet(b) ? -1 : 1))[0]
  );
}

/** The subjects of the site that it takes. */
export const takenBy = ({ filter_subject: filter = "", subject_transforms: transforms = [] }: SourceInfo): string[] =>
  transforms.length > 0 ? transforms.map(({ src }) => (src === "" ? ">" : src)) : [filter === "" ? ">" : filter];

/** Whether none of the subjects that they take can be one of the stream's own. */
export const takeNothing = (feeds: readonly SourceInfo[], subjects: readonly string[]): boolean =>
  subjects.length > 0 &&
  feeds.length > 0 &&
  feeds.flatMap(takenBy).every((taken) => !subjects.some((subject) => overlaps(taken, subject)));

/** Longer than a source that is heard each second is silent. */
const HEARD_NS = 2_500 * NANOSECONDS_PER_MS;

/** Whether it is heard under a prefix that no domain has. */
export const isImported = ({ external, active }: SourceInfo): boolean =>
  external !== undefined && !/^\$JS\.[^.]+\.API$/.test(external.api) && active >= 0 && active <= HEARD_NS;

/** The subjects under which the hub stores what it takes, as far as its transforms say. */
export function storedUnder({ subject_transforms: transforms = [] }: SourceInfo): string[] {
  const subjects = transforms.map(({ dest }) => dest);
  // A place in a destination ("{{wildcard(1)}}", "$1") is no subject to ask for.
  return subjects.length === 0 || subjects.some((dest) => dest === "" || /[{$]/.test(dest)) ? [">"] : subjects;
}
