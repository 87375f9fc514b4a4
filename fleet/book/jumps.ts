import { Jumps } from "../../diagnosis/book/look";
import { creditJumps } from "../../diagnosis/book/news";
import { Range, mergedRanges } from "../../diagnosis/book/runs";
import { originOf } from "../sourcing/lost-tail";
import { JetStream } from "../../servers/nats/jetstream";

/**
 * Where a merged stream passed positions of its sites without storing anything. A site's copies carry the sequence that
 * they had at the site; together these grow by one for each message of the hub's stream, unless something was skipped. So
 * halving finds every place where that is not so, without reading what lies between.
 */

export interface MergedSite {
  name: string;
  /** The subjects under which the hub's stream stores what it takes from the site. */
  filter: string;
  /** Last sequence that the hub took of it, before the range and at its end. */
  from: number;
  to: number;
  /** Probes of the site that were purged out of the range. */
  purged: number;
}

/** Maximum number of requests: a stream with more gaps is not worth the time. */
const MOST_REQUESTS = 1_000;
/** Ranges as short as this are read message by message. */
const SHORT = 32;

/** Positions passed without a message, by site; undefined when that takes too many requests. */
export async function jumpsIn(
  js: JetStream,
  stream: string,
  sites: readonly MergedSite[],
  { first, last }: Range,
): Promise<Pick<Jumps, "bySite" | "passed"> | undefined> {
  const search = new Search(js, stream, sites, last);
  const starts = await search.origins(first);
  const jumps = starts.map((origin, i) => origin - (sites[i]?.from ?? 0) - 1);
  const found = await search.descend(first, last + 1);
  if (search.isOver) return undefined;
  const all = jumps.map((jump, i) => jump + (found.jumps[i] ?? 0));
  // What was stored there and is gone since: probes first, then what stands in the widest gaps.
  const purged = sites.map(({ purged: count }) => count);
  const left = creditJumps(all, found.empty, purged);
  const atStart = (i: number): Range => ({ first: (sites[i]?.from ?? 0) + 1, last: (starts[i] ?? 0) - 1 });
  return {
    bySite: Object.fromEntries(sites.map(({ name }, i) => [name, left[i] ?? 0])),
    passed: Object.fromEntries(
      sites.map(({ name }, i) => [name, mergedRanges([atStart(i), ...(search.passed[i] ?? [])])]),
    ),
  };
}

/** Jumps by site, and sequences of the hub's stream that hold nothing. */
interface Found {
  jumps: number[];
  empty: number;
}

class Search {
  private requests = 0;
  private readonly known = new Map<string, number>();
  /** For each site, its sequences that its copies leave out, where they were read one by one. */
  readonly passed: Range[][];

  constructor(
    private readonly js: JetStream,
    private readonly stream: string,
    private readonly sites: readonly MergedSite[],
    private readonly last: number,
  ) {
    this.passed = sites.map(() => []);
  }

  get isOver(): boolean {
    return this.requests > MOST_REQUESTS;
  }

  /** For each site, the sequence at the site of its first copy from there on. */
  origins = (seq: number): Promise<number[]> => Promise.all(this.sites.map((site) => this.originAt(site, seq)));

  private async originAt({ name, filter, to }: MergedSite, seq: number): Promise<number> {
    const key = `${name} ${seq}`;
    const known = this.known.get(key);
    if (known !== undefined) return known;
    const copy = seq > this.last ? undefined : await this.next(filter, seq);
    const origin = copy === undefined || copy.seq > this.last ? to + 1 : originOf(copy);
    this.known.set(key, origin);
    return origin;
  }

  private next(filter: string, seq: number) {
    this.requests++;
    return this.js.nextMessage(this.stream, filter, seq);
  }

  async descend(low: number, high: number): Promise<Found> {
    const [before, after] = [await this.origins(low), await this.origins(high)];
    const passed = before.map((origin, i) => (after[i] ?? 0) - origin);
    const sum = passed.reduce((total, value) => total + value, 0);
    if (sum === high - low || this.isOver) return { jumps: passed.map(() => 0), empty: 0 };
    if (high - low <= SHORT) return this.readAll(low, high, { passed, before, after });
    const middle = Math.floor((low + high) / 2);
    const [left, right] = [await this.descend(low, middle), await this.descend(middle, high)];
    return { jumps: left.jumps.map((jump, i) => jump + (right.jumps[i] ?? 0)), empty: left.empty + right.empty };
  }

  private async readAll(
    low: number,
    high: number,
    { passed, before, after }: { passed: readonly number[]; before: readonly number[]; after: readonly number[] },
  ): Promise<Found> {
    const jumps = [...passed];
    let empty = high - low;
    for (const [i, { filter }] of this.sites.entries()) {
      let next = before[i] ?? 0;
      const leaveOut = (upTo: number): void => {
        if (upTo > next) this.passed[i]?.push({ first: next, last: upTo - 1 });
        next = Math.max(next, upTo + 1);
      };
      for (let seq = low; seq < high;) {
        const copy = await this.next(filter, seq);
        if (copy === undefined || copy.seq >= high) break;
        jumps[i] = (jumps[i] ?? 0) - 1;
        empty--;
        leaveOut(originOf(copy));
        seq = copy.seq + 1;
      }
      leaveOut(after[i] ?? 0);
    }
    return { jumps, empty };
  }
}
