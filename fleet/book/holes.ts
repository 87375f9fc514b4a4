import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Gap, filled, withNewHoles, withPassed } from "../../diagnosis/book/holes";
import { Collection, SiteRecord, sum } from "../../diagnosis/book/ledger";
import { Look } from "../../diagnosis/book/look";
import { MOST_RUNS, Range, inBoth, joined, newest, originsOf, seqsOf, without } from "../../diagnosis/book/runs";
import { behindSecond } from "../../diagnosis/book/second-copies";
import { SiteAccess, atHub } from "../sourcing/collected";
import { divide, originOf } from "../sourcing/lost-tail";
import { JetStream, StoredMessage } from "../../servers/nats/jetstream";
import { identOf } from "./positions";

/** Which messages left the middle of the hub's stream: read from the copies beside them, when a look finds new holes. */

/** Maximum number of requests for one look: of more holes, the book does not know whose they were. */
const MOST_REQUESTS = 3_000;

interface Seen {
  book: Collection;
  last: Look;
}

/** The book with what newly left the middle of the hub's stream, of all its sites; unchanged where that cannot be read. */
export async function withHoles(
  access: SiteAccess,
  stream: StreamSettings,
  { book, last }: Seen,
  before: Collection | undefined,
): Promise<Collection> {
  const { onHub, site } = last;
  if (onHub.empty === undefined) return book;
  const known = book.hub.empty ?? [];
  const isLookedAt = (name: string) => before?.sites[name]?.probesInHoles !== undefined;
  if (onHub.deleted === 0 && known.length === 0) return withPassedIn({ book, last }, []);
  const js = await atHub(access, stream);
  const empty = newest(onHub.empty);
  const fill = async (book: Collection, sites: readonly string[], news: readonly Range[]): Promise<Collection> => {
    const holes = { book, last, empty, news: without(news, secondIn(book)) };
    const gaps = holes.news.length === 0 ? [] : await gapsOf(js, stream, sites, holes);
    const found = [...filled(holes.news, gaps)];
    const filledIn = sites.flatMap((name): [string, SiteRecord][] => {
      const record = book.sites[name];
      if (record === undefined) return [];
      const own = found.filter(([gap]) => gap.site === name);
      const purged = purgedOf(record, before?.sites[name], { first: onHub.first, before: before?.hub.first ?? 0 });
      return [[name, { ...record, ...withNewHoles(record, own, { empty, purged, isHeld: heldBy(name, last) }) }]];
    });
    return { ...book, sites: { ...book.sites, ...Object.fromEntries(filledIn) } };
  };
  const sites = Object.keys(book.sites).filter(isLookedAt);
  const filledBook = await fill(book, sites, without(empty, withForgotten(known)));
  // Of a site whose holes nobody has looked at, all are new.
  const all = isLookedAt(site) ? filledBook : await fill(filledBook, [site], without(empty, holesIn(filledBook)));
  return withPassedIn({ book: all, last }, empty);
}

const secondIn = ({ sites }: Collection): Range[] =>
  joined(Object.values(sites).flatMap(({ second = [] }) => seqsOf(second)));

const holesIn = ({ sites }: Collection): Range[] =>
  joined(Object.values(sites).flatMap(({ holes = [] }) => seqsOf(holes)));

/** Whether a site holds a message; of the other sites of a merged stream, this look does not know it. */
function heldBy(name: string, { site, atSite, delivery }: Look): (origin: number) => boolean {
  const gone = new Set(delivery.deleted);
  return (origin) => name !== site || (origin >= atSite.first && !gone.has(origin));
}

/** Holes of the look before. Of more than the book keeps, the older ones are known to nobody. */
const withForgotten = (known: readonly Range[]): Range[] =>
  known.length < MOST_RUNS ? [...known] : joined([{ first: 1, last: (known[0]?.first ?? 1) - 1 }, ...known]);

/** Probes that this program purged on the hub since the look before, as far as they may be holes now. */
function purgedOf(
  { own, purges, pending }: SiteRecord,
  before: SiteRecord | undefined,
  { first, before: firstBefore }: { first: number; before: number },
): { count: number; last: number } {
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
  return { count: Math.max(0, Math.min(news, most)), last };
}

/** The book with what this look found of the hub's holes, and of what the hub passed: read where a stream is merged. */
const withPassedIn = ({ book, last: { site, jumps } }: Seen, empty: Range[]): Collection => ({
  ...book,
  hub: { ...book.hub, empty },
  sites: Object.fromEntries(
    Object.entries(book.sites).map(([name, record]) => {
      const isSeen = name === site || record.probesInHoles !== undefined;
      const passed = withPassed(record, jumps?.passed?.[name] ?? []);
      return [name, { ...record, ...passed, ...(isSeen ? { probesInHoles: record.own.purgedOnHub } : {}) }];
    }),
  ),
});

interface Holes extends Seen {
  empty: readonly Range[];
  /** Those whose messages are looked for. */
  news: readonly Range[];
}

/** Between which copies of each site the new holes are. */
async function gapsOf(js: JetStream, stream: StreamSettings, sites: readonly string[], holes: Holes): Promise<Gap[]> {
  const clusters = holes.empty.filter(({ first, last }) => inBoth([{ first, last }], holes.news).length > 0);
  const search = { left: MOST_REQUESTS };
  const gaps = await Promise.all(
    sites.flatMap((site) => {
      const record = holes.book.sites[site];
      if (record === undefined) return [];
      const copies = new Copies(js, stream.name, collectedSubject(stream, site, ">"), record, search);
      return [gapsAt(copies, { site, record }, clusters, holes)];
    }),
  );
  return gaps.flat();
}

/** The first copies that the hub has of one site. */
class Copies {
  constructor(
    private readonly js: JetStream,
    private readonly stream: string,
    private readonly filter: string,
    private readonly record: SiteRecord,
    private readonly search: { left: number },
  ) {}

  get isOver(): boolean {
    return this.search.left <= 0;
  }

  async from(seq: number): Promise<StoredMessage | undefined> {
    for (let next = seq; ;) {
      this.search.left--;
      const behind = behindSecond(this.record.second ?? [], next);
      const copy = await this.js.nextMessage(this.stream, this.filter, behind);
      if (copy === undefined || this.isFirst(copy)) return copy;
      next = copy.seq;
    }
  }

  /** The last one from one sequence to another. */
  async upTo(low: number, high: number): Promise<StoredMessage | undefined> {
    const range = { stream: this.stream, filter: this.filter };
    for (let end = high; low <= end;) {
      const { last } = await divide(this.js, range, { low, high: end }, () => this.search.left-- > 0);
      if (last === undefined || this.isFirst(last)) return last;
      const run = (this.record.second ?? []).find(({ seq, count }) => last.seq >= seq && last.seq < seq + count);
      end = (run?.seq ?? last.seq) - 1;
    }
    return undefined;
  }

  private isFirst = ({ seq }: StoredMessage): boolean => behindSecond(this.record.second ?? [], seq) === seq;
}

async function gapsAt(
  copies: Copies,
  { site, record }: Pick<Of, "site" | "record">,
  clusters: readonly Range[],
  { last: look }: Holes,
): Promise<Gap[]> {
  const gaps: Gap[] = [];
  let [low, prev, next]: [number, StoredMessage | undefined, StoredMessage | undefined] = [
    look.onHub.first,
    undefined,
    undefined,
  ];
  for (const { first, last } of clusters) {
    if (copies.isOver) return [];
    const isSameGap = gaps.length > 0 && (next === undefined || next.seq > last);
    if (isSameGap) continue;
    prev = (await copies.upTo(low, first - 1)) ?? prev;
    next = await copies.from(last + 1);
    low = last + 1;
    gaps.push(gapBetween(prev, next, { site, record, look }));
  }
  return gaps;
}

interface Of {
  site: string;
  record: SiteRecord;
  look: Look;
}

function gapBetween(prev: StoredMessage | undefined, next: StoredMessage | undefined, { site, record, look }: Of): Gap {
  const { ident, earlier } = site === look.site ? look : record;
  const at = { site, after: prev?.seq ?? 0, before: next?.seq ?? Infinity };
  const isNow = (copy: StoredMessage): boolean =>
    ident === undefined ? earlier === undefined || identOf(copy) !== earlier : identOf(copy) === ident;
  // What stood before the oldest copy counts as what left the stream's oldest end.
  if (prev === undefined) return { ...at, origins: [], earlier: 0 };
  if (next === undefined ? ident === undefined && earlier !== undefined : !isNow(next)) {
    const isOfOne = next !== undefined && identOf(prev) === identOf(next);
    return { ...at, origins: [], earlier: isOfOne ? Math.max(0, originOf(next) - originOf(prev) - 1) : Infinity };
  }
  const position = look.positions[record.source] ?? record.position;
  const last = (next === undefined ? position + 1 : originOf(next)) - 1;
  const isOfNow = isNow(prev);
  const first = isOfNow ? originOf(prev) + 1 : 1;
  const known = joined([...(record.passed ?? []), ...originsOf(record.holes ?? [])]);
  return {
    ...at,
    origins: without(first > last ? [] : [{ first, last }], known),
    earlier: isOfNow ? 0 : Infinity,
  };
}
