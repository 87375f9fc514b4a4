import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Gap, filled } from "../../diagnosis/book/gaps";
import { withNewHoles } from "../../diagnosis/book/holes";
import {
  CopySeen,
  Seen,
  gapBetween,
  heldBy,
  holesIn,
  purgedOf,
  secondIn,
  withForgotten,
  withPassedIn,
} from "../../diagnosis/book/holes-seen";
import { Collection, SiteRecord } from "../../diagnosis/book/ledger";
import { Range, inBoth, newest, rangesOf, sequencesIn, without } from "../../diagnosis/book/runs";
import { behindSecond } from "../../diagnosis/book/second-copies";
import { SiteAccess, atHub } from "../sourcing/collected";
import { divide, originOf } from "../sourcing/lost-tail";
import { JetStream, StoredMessage } from "../../servers/nats/jetstream";
import { identOf } from "./positions";

/** Which messages left the middle of the hub's stream: read from the copies beside them, when a look finds new holes. */

/** Maximum number of requests for one look: of more holes, the book does not know whose they were. */
const MOST_REQUESTS = 3_000;

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
    const isAlone = Object.keys(book.positions).length < 2;
    const known = rangesOf(found.flatMap(([, seqs]) => seqs));
    const unknown = isAlone ? sequencesIn(without(holes.news, known)) : [];
    const filledIn = sites.flatMap((name): [string, SiteRecord][] => {
      const record = book.sites[name];
      if (record === undefined) return [];
      const own = found.filter(([gap]) => gap.site === name);
      const purged = purgedOf(record, before?.sites[name], { first: onHub.first, before: before?.hub.first ?? 0 });
      return [
        [name, { ...record, ...withNewHoles(record, own, { empty, purged, unknown, isHeld: heldBy(name, last) }) }],
      ];
    });
    return { ...book, sites: { ...book.sites, ...Object.fromEntries(filledIn) } };
  };
  const sites = Object.keys(book.sites).filter(isLookedAt);
  const filledBook = await fill(book, sites, without(empty, withForgotten(known)));
  // Of a site whose holes nobody has looked at, all are new.
  const all = isLookedAt(site) ? filledBook : await fill(filledBook, [site], without(empty, holesIn(filledBook)));
  return withPassedIn({ book: all, last }, empty);
}

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
export class Copies {
  constructor(
    private readonly js: JetStream,
    private readonly stream: string,
    private readonly filter: string,
    private readonly record: Pick<SiteRecord, "second">,
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
  { site, record }: { site: string; record: SiteRecord },
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
    gaps.push(gapBetween(seen(prev), seen(next), { site, record, look }));
  }
  return gaps;
}

const seen = (copy: StoredMessage | undefined): CopySeen | undefined =>
  copy === undefined ? undefined : { seq: copy.seq, origin: originOf(copy), ident: identOf(copy) };
