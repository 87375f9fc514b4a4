import { present } from "../../configs/values";
import { Gap } from "./gaps";
import { withPassed } from "./holes";
import { Collection, SiteRecord, sum } from "./ledger";
import { Look } from "./look";
import { MOST_RUNS, Range, lengthOf, mergedRanges, newest, originsOf, pastOf, seqsOf, without } from "./runs";

/** What a look sees of the holes in the hub's stream, and of the copies beside them. */

export interface Seen {
  book: Collection;
  last: Look;
}

/** A copy on the hub: its sequence there and at the site, and the stream of the site that it is of. */
export interface CopySeen {
  seq: number;
  origin: number;
  ident: string | undefined;
}

/** Where second copies stand on the hub, and where holes are. */
export const secondIn = ({ sites }: Collection): Range[] =>
  mergedRanges(Object.values(sites).flatMap(({ second = [] }) => seqsOf(second)));

export const holesIn = ({ sites }: Collection): Range[] =>
  mergedRanges(Object.values(sites).flatMap(({ holes = [] }) => seqsOf(holes)));

/** Whether a site holds a message; of the other sites of a merged stream, this look does not know it. */
export function heldBy(name: string, { site, atSite, delivery }: Look): (origin: number) => boolean {
  const gone = new Set(delivery.deleted);
  return (origin) => name !== site || (origin >= atSite.first && !gone.has(origin));
}

/** Holes of the look before. Of more than the book keeps, the older ones are known to nobody. */
export const withForgotten = (known: readonly Range[]): Range[] =>
  known.length < MOST_RUNS ? [...known] : mergedRanges([{ first: 1, last: (known[0]?.first ?? 1) - 1 }, ...known]);

/** Probes that this program purged on the hub since the look before, as far as they may be holes now. */
export function purgedOf(
  { own, purges, pending }: SiteRecord,
  before: SiteRecord | undefined,
  { first, before: firstBefore }: { first: number; before: number },
): { count: number; last: number; removals?: NonNullable<SiteRecord["purges"]> } {
  // A removal that has only begun is booked when it ends.
  const all = purges === undefined ? undefined : [...purges, ...pending.filter(({ end }) => end === "hub")];
  const last = Math.max(first, all?.at(-1)?.last ?? Infinity);
  if (before === undefined) return { count: 0, last };
  const { probesInHoles: seen = 0 } = before;
  const inside = all?.filter((one) => one.last >= first);
  const most = inside === undefined ? Infinity : sum(inside.map(({ count }) => count));
  // A stream whose oldest messages are back has probes among its holes that had left its oldest end.
  const back = (inside ?? []).filter((one) => one.last < firstBefore);
  const news = own.purgedOnHub - seen + (seen === 0 ? 0 : sum(back.map(({ count }) => count)));
  return { count: Math.max(0, Math.min(news, most)), last, ...present({ removals: inside }) };
}

/** The book with what this look found of the hub's holes, and of what the hub passed: read where a stream is merged. */
export const withPassedIn = ({ book, last: { site, jumps } }: Seen, empty: Range[]): Collection => ({
  ...book,
  hub: { ...book.hub, empty },
  sites: Object.fromEntries(
    Object.entries(book.sites).map(([name, record]) => {
      const isSeen = name === site || record.probesInHoles !== undefined;
      const passed = withPassed(record, jumps?.passed?.[name] ?? []);
      const missed = mergedRanges([...(record.missed ?? []), ...(jumps?.missed?.[name] ?? [])]);
      return [
        name,
        {
          ...record,
          ...passed,
          ...(missed.length === 0 ? {} : { missed: newest(missed) }),
          ...(isSeen ? { probesInHoles: record.own.purgedOnHub } : {}),
        },
      ];
    }),
  ),
});

interface Of {
  site: string;
  record: SiteRecord;
  look: Look;
}

/** What can have stood between two copies of a site that follow each other on the hub. */
export function gapBetween(prev: CopySeen | undefined, next: CopySeen | undefined, { site, record, look }: Of): Gap {
  const { ident, earlier } = site === look.site ? look : record;
  const at = { site, after: prev?.seq ?? 0, before: next?.seq ?? Infinity };
  const isNow = (copy: CopySeen): boolean =>
    ident === undefined ? earlier === undefined || copy.ident !== earlier : copy.ident === ident;
  // What stood before the oldest copy counts as what left the stream's oldest end.
  if (prev === undefined) return { ...at, origins: [], earlier: 0 };
  if (next === undefined ? ident === undefined && earlier !== undefined : !isNow(next)) {
    const isOfOne = next !== undefined && prev.ident === next.ident;
    if (!isOfOne) return { ...at, origins: [], earlier: Infinity };
    const between = mergedRanges([{ first: prev.origin + 1, last: next.origin - 1 }]);
    if (prev.ident === undefined) return { ...at, origins: [], earlier: lengthOf(between) };
    const origins = without(between, pastOf(record.holes ?? [], prev.ident));
    return { ...at, origins: [], earlier: lengthOf(origins), past: { ident: prev.ident, origins } };
  }
  const position = look.positions[record.source] ?? record.position;
  const last = (next === undefined ? position + 1 : next.origin) - 1;
  const isOfNow = isNow(prev);
  const first = isOfNow ? prev.origin + 1 : 1;
  const known = mergedRanges([...(record.passed ?? []), ...originsOf(record.holes ?? [])]);
  return {
    ...at,
    origins: without(first > last ? [] : [{ first, last }], known),
    earlier: isOfNow ? 0 : Infinity,
  };
}
