import { duration } from "../../configs/plan/plan-facts";
import type { StreamSettings } from "../../configs/settings";
import { streamChanges } from "../../configs/plan/stream-changes";
import { StreamConfig, hubStreamConfig, siteStreamConfig } from "../../configs/streams";
import { formatSize } from "../../configs/text/units";
import { ANY_SITE } from "../../configs/plan/fleet-plan";
import type { StreamChange } from "./model";

/** What becomes of the streams, which are the same at every site. */

/** In another mode a stream is another one at the site. */
const isSame = (a: StreamSettings, b: StreamSettings): boolean =>
  a.name === b.name && a.collect.mode === b.collect.mode;

/** The changes that lead from the streams of the stack to the wanted ones, in the order of the settings. */
export function streamReport(
  olds: readonly StreamSettings[],
  news: readonly StreamSettings[],
  stack: string,
  discards: boolean,
): StreamChange[] {
  const kept = news.flatMap((stream): StreamChange[] => {
    const old = olds.find((other) => isSame(other, stream));
    if (old === undefined) return [{ stream: stream.name, where: "both", what: "added", how: "made", data: "" }];
    return [
      ...ofOneEnd(old, stream, "site", (one) => siteStreamConfig(one, ANY_SITE, stack), discards),
      ...ofOneEnd(old, stream, "hub", (one) => hubStreamConfig(one, stack), discards),
      ...adoption(old, stream),
    ];
  });
  const gone = olds.filter((old) => !news.some((stream) => isSame(stream, old)));
  return [...kept, ...gone.flatMap((old) => removal(old, discards))];
}

function ofOneEnd(
  old: StreamSettings,
  stream: StreamSettings,
  where: "site" | "hub",
  configOf: (stream: StreamSettings) => StreamConfig,
  discards: boolean,
): StreamChange[] {
  const [before, after] = [configOf(old), configOf(stream)];
  // What the server fills in on its own is not a change.
  const declared = streamChanges({ ...before }, after).filter(({ field }) => field in after);
  return declared.map(({ field, kind, ...values }): StreamChange => {
    // The probes' own subjects are no news to anybody.
    const [from, to] = field === "subjects" ? [old.subjects, stream.subjects] : [values.from, values.to];
    return {
      stream: stream.name,
      where,
      what: "changed",
      field,
      from: fieldWords(field, from),
      to: fieldWords(field, to),
      how: kind === "refused" ? "refused" : "in place",
      data: kind === "refused" ? "" : atStake(field, before, after, discards),
    };
  });
}

const NANOSECONDS = 1e6;

function fieldWords(field: string, value: unknown): string {
  if (field === "max_bytes") return formatSize(value as number);
  if (field === "max_age") return value === 0 ? "any" : duration((value as number) / NANOSECONDS);
  return Array.isArray(value) ? value.join(", ") : String(value);
}

/** A preview lets a smaller limit pass only where nothing that is stored now is in its way, or its loss is allowed. */
function atStake(field: string, before: StreamConfig, after: StreamConfig, discards: boolean): string {
  const isShorter = after.max_age > 0 && (before.max_age === 0 || after.max_age < before.max_age);
  const isLess = field === "max_bytes" ? after.max_bytes < before.max_bytes : field === "max_age" && isShorter;
  if (!isLess) return "";
  return discards ? "messages beyond it are dropped (DISCARD)" : "nothing stored now is beyond it";
}

function adoption(old: StreamSettings, { name, adopt }: StreamSettings): StreamChange[] {
  if (old.adopt === adopt) return [];
  const words = (value: boolean): string => (value ? "yes" : "no");
  const change = { field: "adopt", from: words(old.adopt), to: words(adopt) };
  return [{ stream: name, where: "both", what: "changed", ...change, how: "in place", data: "" }];
}

const removal = ({ name: stream }: StreamSettings, discards: boolean): StreamChange[] => [
  {
    stream,
    where: "site",
    what: "removed",
    how: "deleted",
    data: discards ? "what the hub lacks is lost (DISCARD)" : "the hub has all its messages",
  },
  { stream, where: "hub", what: "removed", how: "kept", data: "no longer sources the sites" },
];
