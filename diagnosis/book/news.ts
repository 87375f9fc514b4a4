import { newsOf } from "./advance";
import { Seen } from "./holes-seen";
import { Collection, SiteRecord } from "./ledger";
import { Look } from "./look";
import { Delivery, lengthOf, mergedRanges, rangesOf, without } from "./runs";

/** What a look would add to the report, and what it counts of its own. */

/** Whether a look says nothing new. */
export const isQuiet = ({ book, last }: Seen, before: Collection | undefined): boolean =>
  newsOf(withoutNews(book, before, last.site), last) === 0 && book.hub.otherwise === (before?.hub.otherwise ?? 0);

/** The book after the look, with the differences of before: what would be news. */
function withoutNews(book: Collection, before: Collection | undefined, site: string): Collection {
  const record = book.sites[site];
  const differences = before?.sites[site]?.differences;
  return record === undefined || differences === undefined
    ? book
    : { ...book, sites: { ...book.sites, [site]: { ...record, differences } } };
}

/** Messages that the look would add to the report, as missing (or, below 0, as doubled), and as dropped. */
export const newsIn = ({ book, last }: Seen, before: Collection | undefined): string => {
  const missing = newsOf(withoutNews(book, before, last.site), last);
  return `${missing} ${book.hub.otherwise - (before?.hub.otherwise ?? 0)}`;
};

/** Messages that the site still held of what had left the hub's stream before it was made anew, and delivered again. */
export function deliveredAgain(
  { oldest = 0, leftBelow = oldest, lostAtSite = [], missed = [] }: SiteRecord,
  { from, deleted }: Delivery,
): Look["deliveredAgain"] {
  // What the hub never had comes for the first time: what the site has in place of lost messages, and what the hub passed.
  const never = lostAtSite.map(({ first, last }) => ({ first, last }));
  const absent = mergedRanges([...rangesOf(deleted), ...never, ...missed]);
  const heldBelow = (end: number): number =>
    end <= from ? 0 : lengthOf(without([{ first: from, last: end - 1 }], absent));
  return { ofFront: heldBelow(oldest), ofLeft: heldBelow(Math.min(oldest, leftBelow)) };
}

type Purges = NonNullable<SiteRecord["purges"]>;

const MOST_PURGES = 64;

/** With one more; the oldest two become one, that stands where the first of them stood. */
export function withPurge(purges: Purges, added: Purges[number]): Purges {
  const all = added.count === 0 ? purges : [...purges, added];
  const [first, second, ...rest] = all;
  if (first === undefined || second === undefined || all.length <= MOST_PURGES) return all;
  return [{ last: first.last, count: first.count + second.count }, ...rest];
}

/** The jumps, less what was stored at the places that hold nothing now; `most`: of each site at first. */
export function creditJumps(jumps: readonly number[], empty: number, most: readonly number[]): number[] {
  const left = [...jumps];
  let rest = empty;
  // Where all of them stood in the range, they did so beside messages that are there twice, too.
  const isWhole = empty >= most.reduce((sum, count) => sum + count, 0);
  const take = (i: number, limit: number): void => {
    const jump = isWhole && limit < Infinity ? limit : (left[i] ?? 0);
    const taken = Math.max(0, Math.min(rest, jump, limit));
    left[i] = (left[i] ?? 0) - taken;
    rest -= taken;
  };
  for (const i of left.keys()) take(i, most[i] ?? 0);
  for (const i of [...left.keys()].sort((a, b) => (left[b] ?? 0) - (left[a] ?? 0))) take(i, Infinity);
  return left;
}
