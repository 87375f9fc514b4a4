import { duration } from "./plan-facts";
import type { StreamChange } from "./stream-changes";
import { STREAM_FIELDS } from "./stream-fields";
import type { StreamSource } from "../streams";
import { NANOSECONDS_PER_MS, formatSize } from "../text/units";

/** Differences of a stream's configuration in words. */

const DURATIONS: readonly string[] = ["max_age", "duplicate_window", "subject_delete_marker_ttl"];

export function valueWords(field: string, value: unknown): string {
  if (value === undefined || value === -1 || value === "") return "none";
  if (typeof value === "number" && DURATIONS.includes(field))
    return value === 0 ? "none" : duration(value / NANOSECONDS_PER_MS);
  if (typeof value === "number" && field === "max_bytes") return formatSize(value);
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.join(", ");
  return typeof value === "string" ? value : JSON.stringify(value);
}

const sourceWords = ({ name, external, filter_subject: filter }: StreamSource): string =>
  `a source of stream ${name}${external === undefined ? "" : ` at ${external.api}`}${filter ? `, of ${filter} alone` : ""}`;

/** `max_msgs is 10, declared none`. */
export function changeWords({ field, from, to }: StreamChange): string {
  const [is, declared] = [valueWords(field, from), valueWords(field, to)];
  if (field === "sources") return `${sourceWords(from as StreamSource)}, which is not declared`;
  if (field === "metadata") return `its owner is ${is}, declared ${declared}`;
  return is === declared
    ? `${field} is ${JSON.stringify(from)}, declared ${JSON.stringify(to)}`
    : `${field} is ${is}, declared ${declared}`;
}

/** `its metadata for 'nats server check stream' lacks min-sources, max-sources`. */
export function labelWords(changes: readonly StreamChange[]): string {
  const names = changes.map(({ field }) => field.slice(field.lastIndexOf(".") + 1));
  const isNew = changes.every(({ from }) => from === undefined);
  return `its metadata for 'nats server check stream' ${isNew ? "lacks" : "differs in"} ${names.join(", ")}`;
}

/** What a difference does to messages; undefined when nothing. */
export function harmOf({ field, to }: StreamChange): string | undefined {
  if (field === "sources") return "what an undeclared source brings is stored too; if it is of the same site, twice";
  // The hub's stream has none: what the link carries would be stored besides what it sources.
  if (field === "subjects" && JSON.stringify(to) === "[]") return "what the link carries is stored twice";
  return STREAM_FIELDS[field]?.harm;
}
