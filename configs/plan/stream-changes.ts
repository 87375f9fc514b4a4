import { DECLARED_FIELDS, STREAM_FIELDS, defaultWindow } from "./stream-fields";
import { isCounted, isWritten } from "../monitor/metadata";
import { OWNER, StreamConfig, StreamSource, sameSource } from "../streams";

/** A stream on a server against the one that this program would create there: field by field, none left out. */

/** A field of a stream that differs from what the server has. */
export interface StreamChange {
  /** In the server's words; `metadata` alone is the mark of the owner, `metadata.x` another entry. */
  field: string;
  from: unknown;
  to: unknown;
  /** "inPlace": the server updates it. "refused": the server cannot; it takes a new stream. */
  kind: "inPlace" | "refused";
}

/** Everything that a server has, even fields that this program does not know. */
export type LiveConfig = Readonly<Record<string, unknown>>;

/** Metadata: what an adopted stream had when it was adopted and keeps, by field, as JSON. */
export const ADOPTED = "nats-hub-leaf.adopted";

const OWN_METADATA: readonly string[] = [OWNER, ADOPTED];
const LABEL = "metadata.";

export interface Comparison {
  /** Whether the settings take over a stream that others made. @default false */
  adopt?: boolean;
  /** Whether a source belongs to the stream, or is not this program's concern. @default no source does */
  declares?: (source: StreamSource) => boolean;
}

/** Sources are compared one by one; a stream of another name is another stream. */
const ELSEWHERE: readonly string[] = ["name", "sources", "metadata"];

const metadataOf = ({ metadata }: LiveConfig): Record<string, string> => (metadata ?? {}) as Record<string, string>;

/** The configuration as fields that can be compared, entries of the metadata as `metadata.x`. */
function fieldsOf(config: LiveConfig): Record<string, unknown> {
  const fields = Object.entries(config).filter(([field]) => !ELSEWHERE.includes(field));
  const labels = Object.entries(metadataOf(config))
    .filter(([key]) => !key.startsWith("_nats.") && !OWN_METADATA.includes(key))
    .map(([key, value]) => [`${LABEL}${key}`, value]);
  return Object.fromEntries([...fields, ...labels]) as Record<string, unknown>;
}

/** What the server fills in when a stream loses its last source is gone with the next one (nats-server stream.go). */
function withoutConsequences(existing: LiveConfig, wanted: StreamConfig): LiveConfig {
  const { subjects, duplicate_window: window, ...rest } = existing;
  const isSourced = ((existing.sources ?? []) as unknown[]).length > 0;
  if (wanted.subjects !== undefined || isSourced || existing.mirror !== undefined) return existing;
  const isItsName = JSON.stringify(subjects) === JSON.stringify([wanted.name]);
  return isItsName ? rest : { ...rest, subjects, duplicate_window: window };
}

/** What a server may report for a field that was not set. */
const isNothing = (value: unknown): boolean =>
  [undefined, null, false, 0, -1, ""].includes(value as never) ||
  (typeof value === "object" && Object.keys(value ?? {}).length === 0);

/** The value of a field that may be left out. No limit is -1 to the server, whether it was given as 0 or not at all. */
function normalized(field: string, value: unknown): unknown {
  const { value: filledIn } = STREAM_FIELDS[field] ?? { value: undefined };
  return value === undefined || ((filledIn === undefined || filledIn === -1) && isNothing(value)) ? filledIn : value;
}

const sorted = (value: unknown): unknown =>
  typeof value !== "object" || value === null || Array.isArray(value)
    ? value
    : Object.fromEntries(
        Object.entries(value)
          .map(([key, item]) => [key, sorted(item)] as const)
          .sort(([a], [b]) => (a < b ? -1 : 1)),
      );

/** Whether two values are the same to the server; the order of subjects does not matter. */
function isSame(field: string, a: unknown, b: unknown): boolean {
  const text = (value: unknown) =>
    JSON.stringify(field === "subjects" && Array.isArray(value) ? [...(value as string[])].sort() : sorted(value));
  return text(normalized(field, a)) === text(normalized(field, b));
}

function kindOf(field: string, from: unknown, to: unknown, existing: LiveConfig): StreamChange["kind"] {
  const { change = "inPlace" } = STREAM_FIELDS[field] ?? {};
  const isRefused =
    change === "fixed" ||
    (change === "onlyOn" && from === true) ||
    (field === "retention" && [from, to].includes("workqueue")) ||
    // What cannot be turned off keeps its conditions.
    (field === "allow_rollup_hdrs" && existing.allow_msg_schedules === true) ||
    (["discard", "max_age"].includes(field) && existing.sealed === true);
  return isRefused ? "refused" : "inPlace";
}

const ownerOf = (config: LiveConfig): string | undefined => metadataOf(config)[OWNER];

/** Whether the change is of metadata that this program writes for `nats server check stream`. */
export const isLabel = (field: string): boolean => field.startsWith(LABEL) && isWritten(field.slice(LABEL.length));

/** Whether an adopted stream may keep its own value of the field. On the hub, equal ids of different sites would meet. */
function mayKeep(field: string, value: unknown, { subjects, discard, max_age: age }: StreamConfig): boolean {
  if (field === "duplicate_window") return subjects !== undefined && (age === 0 || Number(value) <= age);
  if (field === "discard_new_per_subject") return discard === "new";
  if (field.startsWith(LABEL) && isCounted(field.slice(LABEL.length))) return false;
  return mayBeKept(field);
}

/** The wanted configuration by field, with what the server fills in. */
const filledIn = (wanted: StreamConfig): Record<string, unknown> =>
  fieldsOf({ duplicate_window: defaultWindow(wanted), ...wanted });

/** What was noted when the stream was adopted; undefined of a stream without such a note. */
function noteOf(existing: LiveConfig): Record<string, unknown> | undefined {
  try {
    const note = metadataOf(existing)[ADOPTED];
    return note === undefined ? undefined : (JSON.parse(note) as Record<string, unknown>);
  } catch {
    return undefined;
  }
}

/** Whether an adopted stream may keep another value than declared, where nothing else forbids it. */
export const mayBeKept = (field: string): boolean => !DECLARED_FIELDS.includes(field);

const undeclaredSources = ({ sources }: LiveConfig, { declares = () => false }: Comparison): StreamSource[] =>
  ((sources ?? []) as StreamSource[]).filter((source) => !declares(source));

/** What the stream keeps of its own, by field; undefined of one that was not adopted. */
function keptOf(
  existing: LiveConfig,
  wanted: StreamConfig,
  comparison: Comparison,
): Record<string, unknown> | undefined {
  const { adopt = false } = comparison;
  const note = ownerOf(existing) === wanted.metadata[OWNER] ? noteOf(existing) : undefined;
  if (note === undefined && !adopt) return undefined;
  const usual = filledIn(wanted);
  const own = Object.entries(note ?? { ...fieldsOf(existing), sources: undeclaredSources(existing, comparison) });
  return Object.fromEntries(
    own.filter(([field, value]) => mayKeep(field, value, wanted) && !isSame(field, value, usual[field])),
  );
}

/**
 * The configuration that a stream is to have where one exists: the wanted one, with what an adopted stream keeps (also
 * sources) and the note of it. What a stream has when it is first taken over is what it keeps.
 */
export function wantedOver(existing: LiveConfig, wanted: StreamConfig, comparison: Comparison = {}): StreamConfig {
  const kept = keptOf(existing, wanted, comparison);
  if (kept === undefined) return wanted;
  const entries = Object.entries(kept);
  const fields = Object.fromEntries(entries.filter(([field]) => !field.startsWith(LABEL)));
  const labels = entries.filter(([field]) => field.startsWith(LABEL));
  const metadata = {
    ...wanted.metadata,
    ...Object.fromEntries(labels.map(([field, value]) => [field.slice(LABEL.length), String(value)])),
    [ADOPTED]: JSON.stringify(kept),
  };
  return { ...fields, ...wanted, metadata };
}

/** The configuration of a stream that does not exist yet. */
export const wantedNew = (wanted: StreamConfig, { adopt = false }: Comparison): StreamConfig =>
  adopt ? { ...wanted, metadata: { ...wanted.metadata, [ADOPTED]: "{}" } } : wanted;

/** The changes that lead from the server's configuration to the wanted one; a source that is missing is none of them. */
export function streamChanges(existing: LiveConfig, wanted: StreamConfig, comparison: Comparison = {}): StreamChange[] {
  const config = wantedOver(existing, wanted, comparison);
  const [live, declared] = [fieldsOf(withoutConsequences(existing, wanted)), filledIn(config)];
  const changes = [...new Set([...Object.keys(declared), ...Object.keys(live)])].flatMap((field): StreamChange[] => {
    const [from, to] = [normalized(field, live[field]), normalized(field, declared[field])];
    return isSame(field, from, to) ? [] : [{ field, from, to, kind: kindOf(field, from, to, existing) }];
  });
  const isKept = (source: StreamSource) => (config.sources ?? []).some((kept) => sameSource(source, kept));
  for (const source of undeclaredSources(existing, comparison)) {
    if (!isKept(source)) changes.push({ field: "sources", from: source, to: undefined, kind: "inPlace" });
  }
  const [owner, stack] = [ownerOf(existing), wanted.metadata[OWNER]];
  return owner === stack ? changes : [...changes, { field: "metadata", from: owner, to: stack, kind: "inPlace" }];
}

/** The configuration with the server's own value of what it cannot change. */
export const withoutRefused = (config: StreamConfig, changes: readonly StreamChange[]): StreamConfig => ({
  ...config,
  ...Object.fromEntries(changes.filter(({ kind }) => kind === "refused").map(({ field, from }) => [field, from])),
});
