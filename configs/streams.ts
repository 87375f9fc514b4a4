import { collectingAccount, siteStreamName } from "./names";
import { deliverPrefix, probeSubjects } from "./permissions";
import { StreamSettings } from "./settings";
import { NANOSECONDS_PER_MS } from "./text/units";

/** The fields of a JetStream stream configuration that this program sets, as they stand in the JSON API. */
export interface StreamConfig {
  name: string;
  subjects?: string[];
  retention: "limits";
  storage: "file" | "memory";
  max_bytes: number;
  /** Nanoseconds; 0 keeps messages forever. */
  max_age: number;
  discard: "old" | "new";
  num_replicas: number;
  sources?: StreamSource[];
  /** Never set by this program: the server's stream may have it. */
  duplicate_window?: number;
  metadata: Record<string, string>;
}

export interface StreamSource {
  name: string;
  external: { api: string; deliver: string };
  /** Where the source begins that has stored nothing yet. It is no part of what makes it another source to the server. */
  opt_start_seq?: number;
  /** Never set by this program: the server's source may have it. */
  filter_subject?: string;
  subject_transforms?: { src: string; dest: string }[];
}

/** Metadata that marks a stream as made by this program, with the stack that made it. */
export const OWNER = "nats-hub-leaf.stack";

/** The stream at the site: the declared subjects, and the probes' own. */
export function siteStreamConfig(stream: StreamSettings, site: string, stack: string): StreamConfig {
  const name = siteStreamName(stream, site);
  return {
    name,
    subjects: [...stream.subjects, probeSubjects(name)],
    retention: "limits",
    storage: stream.storage,
    max_bytes: stream.maxBytes,
    max_age: stream.maxAge * NANOSECONDS_PER_MS,
    discard: stream.discard,
    num_replicas: 1,
    metadata: { [OWNER]: stack },
  };
}

/**
 * The hub's stream, without its sources. It has no subjects: with the site's subjects it would also store what
 * arrives over the link as plain messages, every one twice.
 */
export function hubStreamConfig(stream: StreamSettings, stack: string): StreamConfig {
  return {
    name: stream.name,
    retention: "limits",
    storage: stream.collect.storage,
    max_bytes: stream.collect.maxBytes,
    max_age: stream.collect.maxAge * NANOSECONDS_PER_MS,
    discard: stream.collect.discard,
    num_replicas: stream.collect.replicas,
    metadata: { [OWNER]: stack },
  };
}

/** The JetStream API of a site as the hub reaches it through the leaf link. */
export const siteApi = (site: string): string => `$JS.${site}.API`;

/**
 * The source of one site. It begins with the first message of the site's stream: without a sequence the server begins by
 * time, and skips what the site stored before the newest message of the hub's stream, which other sites write too
 * (nats-server stream.go, trySetupSourceConsumer).
 *
 * In "merged" mode one transform puts the site's name before whatever the site's stream stores. With one for each
 * subject, a subject that none covers would land raw, mixed with other sites'; and a change of the subjects would make
 * it another source to the server, which starts over.
 */
export function sourceOf(stream: StreamSettings, site: string): StreamSource {
  const name = siteStreamName(stream, site);
  const external = { api: siteApi(site), deliver: "" };
  const source = { name, external, opt_start_seq: 1 };
  if (stream.collect.mode === "perSite") return source;
  return {
    ...source,
    external: { ...external, deliver: deliverPrefix(site) },
    subject_transforms: [{ src: ">", dest: collectedSubject(stream, site, ">") }],
  };
}

/** The subject under which the hub stores what a site published on `subject`. */
export const collectedSubject = (stream: StreamSettings, site: string, subject: string): string =>
  stream.collect.mode === "merged" ? `${site}.${subject}` : subject;

/**
 * The compared parts of a source, in one form. Where it began is left out: it no longer matters once the source has
 * taken a message.
 */
function compared({ external, ...source }: StreamSource): Record<string, unknown> {
  const { opt_start_seq: _, ...rest } = source as StreamSource & Record<string, unknown>;
  const { api, deliver = "" } = (external as Partial<StreamSource["external"]> & { api: string }) ?? {};
  const all = { ...rest, ...(external === undefined ? {} : { api, deliver }) };
  const isSet = (value: unknown) =>
    value !== undefined && value !== null && value !== "" && JSON.stringify(value) !== "[]";
  return Object.fromEntries(
    Object.entries(all)
      .filter(([, value]) => isSet(value))
      .sort(),
  );
}

/** Whether the server's source is the wanted one in every field, wherever it began. */
export const sameSource = (existing: StreamSource, wanted: StreamSource): boolean =>
  JSON.stringify(compared(existing)) === JSON.stringify(compared(wanted));

/** Whether a source of a hub stream belongs to the site, by the JetStream domain that it reaches. */
export const isSourceOfSite = (source: StreamSource, site: string): boolean => source.external?.api === siteApi(site);

/** The site that a source may belong to, by its domain; undefined when it belongs to none. */
const siteOfSource = ({ external }: StreamSource): string | undefined =>
  /^\$JS\.([a-z][a-z0-9-]{0,30})\.API$/.exec(external?.api ?? "")?.[1];

/**
 * Which sources of a hub's stream are no mistake: the site's own, also an altered one that is the only one; in a merged
 * stream those of other sites, which look to them. `sites`: all of the fleet, where they are known.
 */
export function declaredSources(
  sources: readonly StreamSource[],
  stream: StreamSettings,
  site: string,
  sites?: ReadonlySet<string>,
) {
  const wanted = sourceOf(stream, site);
  const isThere = sources.some((source) => sameSource(source, wanted));
  return (source: StreamSource): boolean => {
    if (isSourceOfSite(source, site)) return !isThere || sameSource(source, wanted);
    const other = siteOfSource(source);
    return stream.collect.mode === "merged" && other !== undefined && sites?.has(other) !== false;
  };
}

/** A short name for messages: `OSLO/EVENTS`. */
export const collectedName = (stream: StreamSettings, site: string): string =>
  `${collectingAccount(stream, site)}/${stream.name}`;

/** Streams that are not declared any more; in another mode a stream is another one at the site. */
export const undeclaredStreams = (
  before: readonly StreamSettings[],
  declared: readonly StreamSettings[],
): StreamSettings[] =>
  before.filter(
    (old) => !declared.some((stream) => stream.name === old.name && stream.collect.mode === old.collect.mode),
  );
