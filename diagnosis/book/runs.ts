import { present } from "../../configs/values";

/** Messages by their sequences, in few numbers: runs of copies on the hub, and ranges of sequences. */

/** A run of copies: from one to the next, both sequences grow by one. */
export interface Run {
  /** Of the first one, in the hub's stream and at the site; there 0 for copies of an earlier stream of the site. */
  seq: number;
  origin: number;
  count: number;
  /** Of copies of an earlier stream of the site: the first one there, where that is known. */
  past?: Past;
  /** Of second copies of an earlier stream: whether the hub had no first copies of these messages when that stream ended. */
  isOnly?: true;
}

/** A message of an earlier stream of a site: which stream, and its sequence there. */
export interface Past {
  ident: string;
  origin: number;
}

/** Sequences, both included. */
export interface Range {
  first: number;
  last: number;
}

/** The book keeps so many runs, and so many ranges, of one kind: the newest. */
export const MOST_RUNS = 1_000;

export const newest = <T>(all: readonly T[]): T[] => all.slice(-MOST_RUNS);

export const numberOf = (runs: readonly Run[]): number => runs.reduce((sum, { count }) => sum + count, 0);

export const lengthOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** The runs up to a sequence of the hub's stream. */
export const upTo = (runs: readonly Run[], last: number): Run[] =>
  runs.flatMap((run) => (run.seq > last ? [] : [{ ...run, count: Math.min(run.count, last - run.seq + 1) }]));

/** The runs from a sequence of the hub's stream on. */
export const startingAt = (runs: readonly Run[], first: number): Run[] =>
  runs.flatMap((run) => {
    const less = Math.max(0, first - run.seq);
    return less >= run.count ? [] : [{ ...run, ...from(run, less), count: run.count - less }];
  });

const from = ({ seq, origin, past }: Run, less: number) => ({
  seq: seq + less,
  origin: origin === 0 ? 0 : origin + less,
  ...present({ past: past === undefined ? undefined : { ...past, origin: past.origin + less } }),
});

/** The runs once the site has another stream: its sequences say nothing of these copies. `ident`: of the stream before. */
export const ofEarlierStream = (runs: readonly Run[], ident?: string): Run[] =>
  runs.map((run) => ({
    ...run,
    origin: 0,
    ...(run.origin > 0 && ident !== undefined ? { past: { ident, origin: run.origin } } : {}),
  }));

/** The sequences that the copies had in one earlier stream of the site. */
export const pastOf = (runs: readonly Run[], ident: string): Range[] =>
  mergedRanges(
    runs.flatMap(({ past, count }) =>
      past?.ident === ident ? [{ first: past.origin, last: past.origin + count - 1 }] : [],
    ),
  );

/** The parts of the runs that stand at these sequences of the hub's stream. `ranges`: in order. */
export const standingAt = (runs: readonly Run[], ranges: readonly Range[]): Run[] =>
  runs.flatMap((run) =>
    ranges.flatMap(({ first, last }) =>
      last < run.seq || first >= run.seq + run.count ? [] : startingAt(upTo([run], last), first),
    ),
  );

/** The parts of the runs that stand for these sequences of the site, and the others. `ranges`: in order. */
export function partedBy(runs: readonly Run[], ranges: readonly Range[]): { inside: Run[]; outside: Run[] } {
  const at = (run: Run, range: Range): Range[] =>
    run.origin === 0 ? [] : [{ first: run.seq + range.first - run.origin, last: run.seq + range.last - run.origin }];
  const inside = runs.flatMap((run) =>
    standingAt(
      [run],
      ranges.flatMap((range) => at(run, range)),
    ),
  );
  return { inside, outside: standingAt(runs, without(seqsOf(runs), seqsOf(inside))) };
}

const isPastAfter = ({ past, count }: Run, next: Run): boolean =>
  past?.ident === next.past?.ident && (past === undefined || past.origin + count === next.past?.origin);

/** Runs in the hub's order; those that go on become one. */
export function inOrder(runs: readonly Run[]): Run[] {
  const all: Run[] = [];
  for (const run of [...runs].sort((a, b) => a.seq - b.seq)) {
    const last = all.at(-1);
    const next = last === undefined || last.origin === 0 ? 0 : last.origin + last.count;
    const goesOn = last !== undefined && run.seq === last.seq + last.count && run.origin === next;
    if (goesOn && isPastAfter(last, run)) last.count += run.count;
    else all.push({ ...run });
  }
  return all;
}

/** The sequences in the hub's stream. */
export const seqsOf = (runs: readonly Run[]): Range[] =>
  mergedRanges(runs.map(({ seq, count }) => ({ first: seq, last: seq + count - 1 })));

/** The sequences at the site, where they are known. */
export const originsOf = (runs: readonly Run[]): Range[] =>
  mergedRanges(
    runs.flatMap(({ origin, count }) => (origin === 0 ? [] : [{ first: origin, last: origin + count - 1 }])),
  );

/** Ranges in order, without overlaps. */
export function mergedRanges(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = all.at(-1);
    if (last !== undefined && range.first <= last.last + 1) last.last = Math.max(last.last, range.last);
    else if (range.first <= range.last) all.push({ ...range });
  }
  return all;
}

/** Sequences as ranges. */
export function rangesOf(seqs: readonly number[]): Range[] {
  const all: Range[] = [];
  for (const seq of [...seqs].sort((a, b) => a - b)) {
    const last = all.at(-1);
    if (last !== undefined && seq <= last.last + 1) last.last = seq;
    else all.push({ first: seq, last: seq });
  }
  return all;
}

export const sequencesIn = (ranges: readonly Range[]): number[] =>
  ranges.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));

/** The sequences that are not in the others. Both in order. */
export function without(ranges: readonly Range[], others: readonly Range[]): Range[] {
  const left: Range[] = [];
  let i = 0;
  for (const { first, last } of ranges) {
    let next = first;
    while ((others[i]?.last ?? Infinity) < next) i++;
    for (let j = i; next <= last; j++) {
      const other = others[j];
      const end = Math.min(last, (other?.first ?? Infinity) - 1);
      if (end >= next) left.push({ first: next, last: end });
      next = (other?.last ?? Infinity) + 1;
    }
  }
  return left;
}

/** The sequences that are in both. */
export const inBoth = (ranges: readonly Range[], others: readonly Range[]): Range[] =>
  without(ranges, without(ranges, others));

/** So many sequences, the newest ones. */
export function newestOf(ranges: readonly Range[], count: number): Range[] {
  const chosen: Range[] = [];
  let left = count;
  for (const { first, last } of [...ranges].reverse()) {
    if (left <= 0) break;
    chosen.unshift({ first: Math.max(first, last - left + 1), last });
    left -= Math.min(left, last - first + 1);
  }
  return chosen;
}

/** What a site delivers to a hub's stream that is made anew, or whose store went back. */
export interface Delivery {
  /** First sequence, and those behind it that the site holds no more. */
  from: number;
  deleted: readonly number[];
  /** Of a store that went back: sequences that the hub has already passed again. Absent where that was not read. */
  passed?: readonly Range[];
}

/** The sequences that the site does not deliver. */
export function undelivered(ranges: readonly Range[], { from: first, deleted, passed = [] }: Delivery): Range[] {
  const isBefore = mergedRanges(ranges.map((range) => ({ first: range.first, last: Math.min(range.last, first - 1) })));
  const absent = mergedRanges([...rangesOf(deleted), ...passed]);
  return mergedRanges([...isBefore, ...inBoth(mergedRanges(ranges), absent)]);
}
