import { Collection, SiteRecord } from "./ledger";
import { EndSeen } from "./look";
import { Range, inBoth, lengthOf, mergedRanges, newest, rangesOf, sequencesIn, without } from "./runs";

/** Probes that this program had purged, and that a killed server holds again. */

/** Sequences that a stream holds nothing at; undefined where it lists too few. */
const leftOf = ({ first, empty }: Pick<EndSeen, "first" | "empty">): Range[] | undefined =>
  empty === undefined ? undefined : mergedRanges([{ first: 1, last: first - 1 }, ...empty]);

/** The book of a site with probes that its stream holds again, at these sequences. */
export function withProbesBackAt(book: Collection, site: string, seqs: readonly number[]): Collection {
  const record = book.sites[site];
  if (record === undefined || seqs.length === 0) return book;
  const own = { ...record.own, purgedAtSite: Math.max(0, record.own.purgedAtSite - seqs.length) };
  const backAtSite = newest(mergedRanges([...(record.backAtSite ?? []), ...rangesOf(seqs)]));
  return { ...book, sites: { ...book.sites, [site]: { ...record, own, backAtSite } } };
}

/** Like `withProbesGone`, for the stream of a site. */
export function withProbesGoneAt(book: Collection, site: string, seen: Pick<EndSeen, "first" | "empty">): Collection {
  const [record, left] = [book.sites[site], leftOf(seen)];
  const gone = inBoth(record?.backAtSite ?? [], left ?? []);
  if (record === undefined || gone.length === 0) return book;
  const own = { ...record.own, purgedAtSite: record.own.purgedAtSite + lengthOf(gone) };
  const backAtSite = without(record.backAtSite ?? [], gone);
  return { ...book, sites: { ...book.sites, [site]: { ...record, own, backAtSite } } };
}

/**
 * The book as if these probes had not been purged: a killed server holds some again, where the purge emptied a block of its
 * store (nats-server filestore.go, removeMsgBlock). `back`: by site, their sequences in the hub's stream.
 */
export function withProbesBack(book: Collection, back: Readonly<Record<string, readonly number[]>>): Collection {
  const all = rangesOf(Object.values(back).flat());
  const [oldest] = all;
  if (oldest === undefined) return book;
  const { hub } = book;
  const first = Math.min(hub.first, oldest.first);
  const empty = mergedRanges([{ first, last: hub.first - 1 }, ...(hub.empty ?? [])]);
  const sites = Object.entries(book.sites).map(([name, record]): [string, SiteRecord] => {
    const { own, purges = [] } = record;
    const seqs = back[name] ?? [];
    if (seqs.length === 0) return [name, record];
    const purgedOnHub = Math.max(0, own.purgedOnHub - seqs.length);
    const held = mergedRanges([...(record.back ?? []), ...rangesOf(seqs)]);
    return [name, { ...record, own: { ...own, purgedOnHub }, purges: counted(purges, seqs, -1), back: held }];
  });
  return {
    ...book,
    hub: { ...hub, first, held: hub.held + lengthOf(all), empty: newest(without(empty, all)) },
    sites: Object.fromEntries(sites),
  };
}

type Purges = NonNullable<SiteRecord["purges"]>;

/** The purges with one probe more, or less, for each sequence at which one stood: the first purge behind it took it. */
const counted = (purges: Purges, seqs: readonly number[], change: 1 | -1): Purges =>
  seqs.reduce<Purges>((all, seq) => {
    const taken = all.findIndex(({ last, count }) => last >= seq && count + change >= 0);
    return all.map((one, i) => (i === taken ? { ...one, count: one.count + change } : one));
  }, purges);

/** The book as if this program had purged again the probes that were back and that somebody else removed from the hub. */
export function withProbesGone(book: Collection, seen: Pick<EndSeen, "first" | "empty">): Collection {
  const left = leftOf(seen);
  if (left === undefined) return book;
  const gone = mergedRanges(Object.values(book.sites).flatMap(({ back = [] }) => inBoth(back, left)));
  if (gone.length === 0) return book;
  const { hub } = book;
  const sites = Object.entries(book.sites).map(([name, record]): [string, SiteRecord] => {
    const { own, purges = [], back: before = [], probesInHoles = 0 } = record;
    const seqs = sequencesIn(inBoth(before, left));
    if (seqs.length === 0) return [name, record];
    return [
      name,
      {
        ...record,
        own: { ...own, purgedOnHub: own.purgedOnHub + seqs.length },
        purges: counted(purges, seqs, 1),
        probesInHoles: probesInHoles + seqs.length,
        back: without(before, left),
      },
    ];
  });
  return {
    ...book,
    hub: {
      ...hub,
      held: hub.held - lengthOf(gone),
      empty: newest(mergedRanges([...(hub.empty ?? []), ...gone])),
    },
    sites: Object.fromEntries(sites),
  };
}

/** What a site's own record says of them, once its stream is another one or lost its newest messages (`repeated`). */
export function probesAfter(
  { own, backAtSite = [] }: Pick<SiteRecord, "own" | "backAtSite">,
  { isAnew, repeated }: { isAnew: boolean; repeated: Range | undefined },
): Pick<SiteRecord, "own" | "backAtSite"> {
  const first = isAnew ? 1 : (repeated?.first ?? Infinity);
  const [kept, gone] = [
    inBoth(backAtSite, [{ first: 1, last: first - 1 }]),
    inBoth(backAtSite, [{ first, last: Infinity }]),
  ];
  if (kept.length === 0 && gone.length === 0) return { own };
  return { own: { ...own, purgedAtSite: own.purgedAtSite + lengthOf(gone) }, backAtSite: kept };
}
