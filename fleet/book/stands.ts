import { siteStreamName } from "../../configs/names";
import { probeSubjects } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { present } from "../../configs/values";
import { EndSeen } from "../../diagnosis/book/look";
import { Collection, HubMark, SiteRecord, StreamRecord, doubledOn, markUpTo, sum } from "../../diagnosis/book/ledger";
import { backIn } from "../../diagnosis/book/leaving";
import { withProbesBack, withProbesBackAt, withProbesGone, withProbesGoneAt } from "../../diagnosis/book/probes-back";
import { Range, Run, numberOf, rangesOf, startingAt, upTo } from "../../diagnosis/book/runs";
import { SiteAccess, atHub, atSite } from "../sourcing/collected";
import { JetStream, SOURCE_HEADER, StreamInfo } from "../../servers/nats/jetstream";
import { originIn } from "../sourcing/source-identity";
import { sameUpTo } from "./marks";
import { EndsRead } from "./positions";

/** Up to where a hub's store that went back is the one of the last look, and what a killed server holds again. */

export interface Standing {
  /** The newest mark that stands; where none does, what is older than the oldest message. */
  stands: HubMark;
  /** By site, second copies that stand behind it all the same. */
  stillTwice: Record<string, Run[]>;
}

export async function standingOf(js: JetStream, onHub: StreamInfo, before: Collection): Promise<Standing> {
  const stands = (await sameUpTo(js, onHub, before.hub.marks)) ?? olderThan(onHub.state.first_seq, before);
  const found = Object.entries(before.sites).map(async ([name, record]): Promise<[string, Run[]]> => {
    const behind = startingAt(record.second ?? [], stands.seq + 1);
    return [name, await standingRuns(js, onHub.config.name, record, behind)];
  });
  return { stands, stillTwice: Object.fromEntries(await Promise.all(found)) };
}

/** What the book says of the stream before its oldest message. */
function olderThan(first: number, { hub, sites }: Collection): HubMark {
  const seq = first - 1;
  const mark = markUpTo(hub.marks, seq);
  const purged = ({ purges = [] }: SiteRecord): number =>
    sum(purges.map(({ last, count }) => (last <= seq ? count : 0)));
  const all = Object.entries(sites);
  const doubled = all.map(([name, record]) => {
    const isKnown = numberOf(record.second ?? []) === doubledOn(record);
    return [name, isKnown ? numberOf(upTo(record.second ?? [], seq)) : (mark?.doubled?.[name] ?? 0)];
  });
  const isAllPurged = sum(all.map(([, record]) => purged(record))) === seq;
  const stored = isAllPurged ? Object.fromEntries(all.map(([name, record]) => [name, purged(record)])) : undefined;
  return { seq, at: 0, doubled: Object.fromEntries(doubled) as Record<string, number>, ...present({ stored }) };
}

/** The runs, the oldest first, as far as they stand as they were. */
async function standingRuns(
  js: JetStream,
  stream: string,
  { ident }: SiteRecord,
  runs: readonly Run[],
): Promise<Run[]> {
  const standing: Run[] = [];
  for (const run of runs) {
    const { count } = run;
    const isSame = async (i: number): Promise<boolean> => {
      const copy = originIn((await js.messageAt(stream, run.seq + i))?.headers[SOURCE_HEADER]);
      const { ident: wanted, origin } = run.origin > 0 ? { ident, origin: run.origin } : (run.past ?? { origin: 0 });
      return copy !== undefined && wanted !== undefined && copy.ident === wanted && copy.seq === origin + i;
    };
    let [low, high] = [0, count];
    while (low < high) {
      const middle = Math.floor((low + high) / 2);
      if (await isSame(middle)) low = middle + 1;
      else high = middle;
    }
    if (low > 0) standing.push({ ...run, count: low });
    if (low < count) break;
  }
  return standing;
}

/** The sequences between the first and the last that hold nothing, of a stream whose details were asked for; undefined where it lists too few. */
export const listedIn = ({ num_deleted: count = 0, deleted }: StreamInfo["state"]): Range[] | undefined =>
  count === 0 || (deleted ?? []).length === count ? rangesOf(deleted ?? []) : undefined;

/** The sequences between the first and the last of a stream that hold nothing; undefined when they changed since. */
export async function emptyIn(js: JetStream, { config, state }: StreamInfo): Promise<Range[] | undefined> {
  const { num_deleted: count = 0, first_seq: first, last_seq: last } = state;
  const known = listedIn(state);
  if (known !== undefined) return known;
  const now = await js.stream(config.name, true);
  const deleted = (now?.state.deleted ?? []).filter((seq) => seq >= first && seq <= last);
  return deleted.length === count && now?.state.first_seq === first ? rangesOf(deleted) : undefined;
}

/**
 * The book with the probes that servers hold again since the look before, and without those that left again: the hub's of
 * all its sites, and the site's own.
 */
export async function withReturned(
  access: SiteAccess,
  stream: StreamSettings,
  book: Collection | undefined,
  { onHub, atSite }: EndsRead,
): Promise<Collection | undefined> {
  if (book === undefined) return undefined;
  const seen = standingAs(book.hub, onHub);
  if (seen === undefined) return withReturnedAtSite(access, stream, book, atSite);
  const known = withProbesGone(book, seen);
  const found = backIn(known.hub, seen);
  if (found.length === 0) return withReturnedAtSite(access, stream, known, atSite);
  const js = await atHub(access, stream);
  const back = Object.keys(known.sites).map(async (name): Promise<[string, number[]]> => {
    const filter = collectedSubject(stream, name, probeSubjects(siteStreamName(stream, name)));
    return [name, await standingIn(js, stream.name, filter, found)];
  });
  const now = withProbesBack(known, Object.fromEntries(await Promise.all(back)));
  return withReturnedAtSite(access, stream, now, atSite);
}

/** Like `withReturned`, for the site's stream alone. */
export async function withReturnedAtSite(
  access: SiteAccess,
  stream: StreamSettings,
  book: Collection,
  info: StreamInfo | undefined,
): Promise<Collection> {
  const { site } = access;
  const record = book.sites[site];
  const seen = record === undefined ? undefined : standingAs(record.stream, info);
  if (record === undefined || seen === undefined) return book;
  const known = withProbesGoneAt(book, site, seen);
  const back = backIn(record.stream, seen);
  if (back.length === 0) return known;
  const name = siteStreamName(stream, site);
  return withProbesBackAt(known, site, await standingIn(await atSite(access), name, probeSubjects(name), back));
}

/** What a stream holds, and where it holds nothing; undefined where its store is not the one of the look before. */
function standingAs(
  before: Omit<StreamRecord, "marks">,
  info: StreamInfo | undefined,
): Pick<EndSeen, "first" | "last" | "empty"> | undefined {
  if (info === undefined || info.created !== before.created || info.state.last_seq < before.last) return undefined;
  const { first_seq: first, last_seq: last } = info.state;
  return { first, last, ...present({ empty: listedIn(info.state) }) };
}

/** The sequences of the messages under a subject that stand in these ranges. */
async function standingIn(js: JetStream, stream: string, filter: string, ranges: readonly Range[]): Promise<number[]> {
  const seqs: number[] = [];
  for (let seq = ranges[0]?.first ?? Infinity; seq <= (ranges.at(-1)?.last ?? 0); seq++) {
    const message = await js.nextMessage(stream, filter, seq);
    if (message === undefined) break;
    seq = message.seq;
    if (ranges.some(({ first, last }) => first <= message.seq && message.seq <= last)) seqs.push(message.seq);
  }
  return seqs;
}
