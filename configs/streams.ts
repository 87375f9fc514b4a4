import { collectingAccount, siteStreamName } from "./names";
import { deliverPrefix, probeSubjects } from "./permissions";
import { StreamSettings } from "./settings";
import { NANOSECONDS_PER_MS } from "./units";

/** The fields of a JetStream stream configuration that this program sets, as they stand in the JSON API. */
export interface StreamConfig {
  name: string;
  subjects?: string[];
  retention: "limits";
  storage: "file" | "memory";
  max_bytes: number;
  /** Nanoseconds; 0 keeps messages for ever. */
  max_age: number;
  discard: "old" | "new";
  num_replicas: number;
  sources?: StreamSource[];
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
 * In "merged" mode one transform puts the site's name before whatever the site's stream stores. With one for each subject,
 * a subject that none covers would land raw, mixed with other sites'; and a change of the subjects would make it another
 * source to the server, which begins anew.
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

/** A setting of a stream that differs from what the server has. */
export interface StreamChange {
  field: keyof StreamConfig;
  from: unknown;
  to: unknown;
  /** "inPlace": the server updates it. "refused": the server cannot, and the program does not re-create the stream. */
  kind: "inPlace" | "refused";
}

/** What JetStream updates in place; any other field of a stream is fixed when it is created. */
const IN_PLACE: readonly (keyof StreamConfig)[] = [
  "subjects",
  "max_bytes",
  "max_age",
  "discard",
  "num_replicas",
  "metadata",
];

/** The changes that lead from the server's configuration to the wanted one. Sources are compared by `sameSource`. */
export function streamChanges(existing: Partial<StreamConfig>, wanted: StreamConfig): StreamChange[] {
  const fields = (Object.keys(wanted) as (keyof StreamConfig)[]).filter((field) => field !== "sources");
  return fields.flatMap((field): StreamChange[] => {
    const from = field === "metadata" ? existing.metadata?.[OWNER] : existing[field];
    const to = field === "metadata" ? wanted.metadata[OWNER] : wanted[field];
    if (JSON.stringify(from) === JSON.stringify(to)) return [];
    return [{ field, from, to, kind: IN_PLACE.includes(field) ? "inPlace" : "refused" }];
  });
}

/** Whether the server's source (which carries further fields) is the wanted one, wherever it began. */
export const sameSource = (existing: StreamSource, wanted: StreamSource): boolean =>
  existing.name === wanted.name &&
  (existing.filter_subject ?? "") === "" &&
  existing.external?.api === wanted.external.api &&
  (existing.external.deliver ?? "") === wanted.external.deliver &&
  JSON.stringify(existing.subject_transforms ?? []) === JSON.stringify(wanted.subject_transforms ?? []);

/** Whether a source of a hub stream belongs to the site, by the JetStream domain that it reaches. */
export const isSourceOfSite = (source: StreamSource, site: string): boolean => source.external?.api === siteApi(site);

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
