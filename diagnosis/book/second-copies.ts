/** Second copies on the hub: which of them are the only ones there, and what of them is lost with the hub's store. */

/** A run of second copies: from one to the next, both sequences grow by one. */
export interface SecondCopies {
  /** Of the first one, in the hub's stream and at the site; there 0 for copies of an earlier stream of the site. */
  seq: number;
  origin: number;
  count: number;
}

/** Sequences at the site, both included. */
export interface Range {
  first: number;
  last: number;
}

/** What the record of a site says of second copies; a record of an earlier version says nothing. */
export interface SecondBooked {
  /** Those that the hub's stream took, the oldest first. */
  second?: SecondCopies[];
  /** The hub's last sequence at the last look. */
  hubLast?: number;
  /** Of a hub's stream that was made anew, until the site's next look: what it held as second copies alone. */
  only?: Range[];
  /** Messages whose only copies were second ones, and that went with a hub's store; which ones, where the site tells. */
  lost?: number;
  lostAt?: Range[];
}

/** What a site delivers to a hub's stream that is made anew. */
export interface Delivery {
  /** First sequence, and those behind it that the site holds no more. */
  from: number;
  deleted: readonly number[];
}

/** Of more runs the book keeps the newest; what it forgets counts as a first copy. */
const MOST_RUNS = 1_000;

/** A message of the hub's stream. */
interface Copy {
  seq: number;
  origin: number;
}

/** Of copies in the hub's order, those of messages that the hub had taken before. `position`: before the first of them. */
export function secondOf(copies: readonly Copy[], position: number): Copy[] {
  let highest = position;
  return copies.filter(({ origin }) => {
    const isSecond = origin <= highest;
    highest = Math.max(highest, origin);
    return isSecond;
  });
}

/** The runs with more copies, in the hub's order. */
export function withCopies(runs: readonly SecondCopies[], copies: readonly Copy[]): SecondCopies[] {
  const all = runs.map((run) => ({ ...run }));
  for (const { seq, origin } of copies) {
    const last = all.at(-1);
    if (last !== undefined && seq < last.seq + last.count) continue;
    const goesOn = last !== undefined && seq === last.seq + last.count && origin === last.origin + last.count;
    if (goesOn) last.count++;
    else all.push({ seq, origin, count: 1 });
  }
  return all.slice(-MOST_RUNS);
}

/** The runs up to a sequence of the hub's stream. */
export const upTo = (runs: readonly SecondCopies[], last: number): SecondCopies[] =>
  runs.flatMap((run) => (run.seq > last ? [] : [{ ...run, count: Math.min(run.count, last - run.seq + 1) }]));

/** The runs from a sequence of the hub's stream on. */
export const startingAt = (runs: readonly SecondCopies[], first: number): SecondCopies[] =>
  runs.flatMap(({ seq, origin, count }) => {
    const less = Math.max(0, first - seq);
    if (less >= count) return [];
    return [{ seq: seq + less, origin: origin === 0 ? 0 : origin + less, count: count - less }];
  });

/** The runs once the site has another stream: its sequences say nothing of these copies. */
export const ofEarlierStream = (runs: readonly SecondCopies[]): SecondCopies[] =>
  runs.map((run) => ({ ...run, origin: 0 }));

const numberOf = (runs: readonly SecondCopies[]): number => runs.reduce((sum, { count }) => sum + count, 0);

/** Second copies that stood below a sequence of the hub's stream; undefined where the book does not know all of them. */
export const secondBelow = ({ second = [] }: SecondBooked, seq: number, all: number): number | undefined =>
  numberOf(second) === all ? numberOf(upTo(second, seq - 1)) : undefined;

/** The sequence of the hub's stream, from the given one on, that is no second copy. */
export function behindSecond(runs: readonly SecondCopies[], seq: number): number {
  let next = seq;
  for (const run of runs) if (next >= run.seq) next = Math.max(next, run.seq + run.count);
  return next;
}

/** Ranges in order, without overlaps. */
function joined(ranges: readonly Range[]): Range[] {
  const all: Range[] = [];
  for (const range of [...ranges].sort((a, b) => a.first - b.first)) {
    const last = all.at(-1);
    if (last !== undefined && range.first <= last.last + 1) last.last = Math.max(last.last, range.last);
    else all.push({ ...range });
  }
  return all;
}

export const lengthOf = (ranges: readonly Range[]): number =>
  ranges.reduce((sum, { first, last }) => sum + last - first + 1, 0);

/** The site's sequences below `oldest` that second copies stand for. */
const originsBelow = (runs: readonly SecondCopies[], oldest: number): Range[] =>
  joined(
    runs.flatMap(({ origin, count }) =>
      origin === 0 || origin >= oldest ? [] : [{ first: origin, last: Math.min(origin + count, oldest) - 1 }],
    ),
  );

/** The sequences that the site does not deliver. */
export function undelivered(ranges: readonly Range[], { from, deleted }: Delivery): Range[] {
  const isIn = ({ first, last }: Range, seq: number) => seq >= first && seq <= last;
  return joined(
    ranges.flatMap((range) => [
      ...(range.first < from ? [{ first: range.first, last: Math.min(range.last, from - 1) }] : []),
      ...deleted.filter((seq) => seq >= from && isIn(range, seq)).map((seq) => ({ first: seq, last: seq })),
    ]),
  );
}

type Held = SecondBooked & {
  /** As the site's record has it. */
  oldest?: number;
};

/** Messages that a stream held as second copies alone, when it was made anew: its sites may deliver them again. */
export const onlyCopies = ({ second = [], only = [], oldest = 0 }: Held, first: number): Range[] =>
  joined([...only, ...originsBelow(startingAt(second, first), oldest)]);

/** The record after the hub's store went back to one of its messages; undefined: nobody knows to which. */
export function afterHubWentBack(
  { second = [], lost = 0, lostAt = [] }: Held,
  { stands, oldest, first }: { stands: number | undefined; oldest: number; first: number },
): Pick<SecondBooked, "second" | "lost" | "lostAt"> {
  if (second.length === 0) return {};
  const gone = stands === undefined ? [] : startingAt(second, Math.max(first, stands + 1));
  const all = joined([...lostAt, ...originsBelow(gone, oldest)]);
  const more = lengthOf(all) - lengthOf(lostAt);
  return {
    second: stands === undefined ? [] : upTo(second, stands),
    ...(more === 0 ? {} : { lost: lost + more, lostAt: all }),
  };
}

/** The record once it is known what the site delivers to a hub's stream that was made anew. */
export function afterDelivery(
  { only = [], lost = 0, lostAt = [] }: Held,
  delivery: Delivery,
): Pick<SecondBooked, "lost" | "lostAt"> {
  const left = undelivered(joined([...lostAt, ...only]), delivery);
  const now = lost + lengthOf(left) - lengthOf(lostAt);
  return { ...(now === 0 ? {} : { lost: now }), ...(left.length === 0 ? {} : { lostAt: left }) };
}
