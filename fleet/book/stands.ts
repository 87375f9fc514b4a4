import { present } from "../../configs/values";
import { Collection, HubMark, SiteRecord, doubledOn, markUpTo, sum } from "../../diagnosis/book/ledger";
import { Run, numberOf, startingAt, upTo } from "../../diagnosis/book/runs";
import { JetStream, SOURCE_HEADER, StreamInfo } from "../../servers/nats/jetstream";
import { originIn } from "../sourcing/source-identity";
import { sameUpTo } from "./positions";

/** Up to where a hub's store that went back is the one of the last look. */

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
