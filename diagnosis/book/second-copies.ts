import {
  Delivery,
  newest,
  Past,
  Range,
  Run,
  inBoth,
  mergedRanges,
  lengthOf,
  numberOf,
  ofEarlierStream,
  originsOf,
  partedBy,
  pastOf,
  seqsOf,
  standingAt,
  startingAt,
  undelivered,
  upTo,
  without,
} from "./runs";

/** Second copies on the hub: which of them are the only ones there, and what of them is lost with the hub's store. */

/** What the record of a site says of second copies; a record of an earlier version says nothing. */
export interface SecondBooked {
  /** Those that the hub's stream took, the oldest first. */
  second?: Run[];
  /** The hub's last sequence at the last look. */
  hubLast?: number;
  /** Of a hub's stream that was made anew, until the site's next look: what it held as second copies alone. */
  only?: Range[];
  /** Messages whose only copies were second ones, and that went with a hub's store; which ones, where the site tells. */
  lost?: number;
  lostAt?: Range[];
}

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
export function withCopies(runs: readonly Run[], copies: readonly Copy[]): Run[] {
  const all = runs.map((run) => ({ ...run }));
  for (const { seq, origin } of copies) {
    const last = all.at(-1);
    if (last !== undefined && seq < last.seq + last.count) continue;
    const goesOn =
      last !== undefined && last.origin > 0 && seq === last.seq + last.count && origin === last.origin + last.count;
    if (goesOn) last.count++;
    else all.push({ seq, origin, count: 1 });
  }
  return newest(all);
}

/** Second copies that stood below a sequence of the hub's stream; undefined where the book does not know all of them. */
export const secondBelow = ({ second = [] }: SecondBooked, seq: number, all: number): number | undefined =>
  numberOf(second) === all ? numberOf(upTo(second, seq - 1)) : undefined;

/** The sequence of the hub's stream, from the given one on, that is no second copy. */
export function behindSecond(runs: readonly Run[], seq: number): number {
  let next = seq;
  for (const run of runs) if (next >= run.seq) next = Math.max(next, run.seq + run.count);
  return next;
}

/** What the record says of the copies that the hub holds. */
type Held = SecondBooked & {
  /** As the site's record has them. */
  oldest?: number;
  oldestPast?: Past;
  /** What left the middle of the hub's stream. */
  holes?: readonly Run[];
};

/** The site's sequences of these second copies that stand for messages without a first copy. */
const withoutFirst = (runs: readonly Run[], { oldest = 0, holes = [] }: Held): Range[] =>
  inBoth(originsOf(runs), mergedRanges([{ first: 1, last: oldest - 1 }, ...originsOf(holes)]));

/**
 * Messages that a stream held as second copies alone, when it was made anew: its sites may deliver them again. `empty`: its
 * sequences that held nothing.
 */
export function onlyCopies(record: Held, first: number, empty: readonly Range[]): Pick<SecondBooked, "only" | "lost"> {
  const second = startingAt(record.second ?? [], first);
  const held = standingAt(second, without(seqsOf(second), empty));
  const lost = (record.lost ?? 0) + onlyOfEarlier(held, record);
  return {
    only: mergedRanges([...(record.only ?? []), ...withoutFirst(held, record)]),
    ...(lost === 0 ? {} : { lost }),
  };
}

/** Second copies of earlier streams of the site that stand for messages without a first copy: none delivers these again. */
function onlyOfEarlier(runs: readonly Run[], { oldest = 0, oldestPast, holes = [] }: Held): number {
  const ofEarlier = runs.filter(({ origin }) => origin === 0);
  // The first copies of an earlier stream stand before those of the stream of now.
  const isOnly = (run: Run): boolean => oldest > 0 || run.isOnly === true;
  const others = ofEarlier.filter((run) => !isOnly(run));
  const inHoles = [...new Set(others.flatMap(({ past }) => past?.ident ?? []))].map((ident) => {
    const left = ident === oldestPast?.ident ? [{ first: 1, last: oldestPast.origin - 1 }] : [];
    return lengthOf(inBoth(pastOf(others, ident), mergedRanges([...left, ...pastOf(holes, ident)])));
  });
  return numberOf(ofEarlier.filter(isOnly)) + inHoles.reduce((sum, count) => sum + count, 0);
}

/** The runs once the site has another stream: its sequences say nothing of these copies. */
export function secondOfEarlier(record: Held, ident: string | undefined): Run[] {
  const { inside, outside } = partedBy(record.second ?? [], withoutFirst(record.second ?? [], record));
  const only = inside.map((run) => ({ ...run, isOnly: true as const }));
  return ofEarlierStream(
    [...only, ...outside].sort((a, b) => a.seq - b.seq),
    ident,
  );
}

interface TurnedBack extends Pick<Held, "oldest" | "oldestPast"> {
  /** The last message that stands; undefined when nobody knows it. */
  stands: number | undefined;
  /** Second copies that stand behind it all the same. */
  still: readonly Run[];
  first: number;
  /** Sequences of the lost store that held nothing. */
  empty: readonly Range[];
}

/** What had left the lost store, and is not in the older one either. */
function leftBoth(record: Held, { oldest = 0, oldestPast }: Held): Held {
  const { oldest: before = oldest, oldestPast: pastBefore } = record;
  // Copies of an earlier stream are there again.
  if (oldest === 0 && oldestPast !== undefined) {
    const isSame = before === 0 && pastBefore?.ident === oldestPast.ident;
    return {
      ...record,
      oldest: 0,
      oldestPast: isSame && pastBefore.origin < oldestPast.origin ? pastBefore : oldestPast,
    };
  }
  return { ...record, oldest: Math.min(before, oldest) };
}

/** The record after the hub's store went back. */
export function afterHubWentBack(
  record: Held,
  { stands, still, first, empty, ...now }: TurnedBack,
): Pick<SecondBooked, "second" | "lost" | "lostAt"> {
  const { second = [], lost = 0, lostAt = [] } = record;
  if (second.length === 0) return {};
  const behind = stands === undefined ? [] : startingAt(second, Math.max(first, stands + 1));
  const gone = standingAt(behind, without(seqsOf(behind), mergedRanges([...seqsOf(still), ...empty])));
  const left = leftBoth(record, now);
  const all = mergedRanges([...lostAt, ...withoutFirst(gone, left)]);
  const more = lengthOf(all) - lengthOf(lostAt) + onlyOfEarlier(gone, left);
  return {
    second: stands === undefined ? [] : [...upTo(second, stands), ...still],
    ...(more === 0 ? {} : { lost: lost + more, lostAt: all }),
  };
}

/** The record once it is known what the site delivers to a hub's stream that was made anew. */
export function afterDelivery(
  { only = [], lost = 0, lostAt = [] }: Held,
  delivery: Delivery,
): Pick<SecondBooked, "lost" | "lostAt"> {
  const left = undelivered(mergedRanges([...lostAt, ...only]), delivery);
  const now = lost + lengthOf(left) - lengthOf(lostAt);
  return { ...(now === 0 ? {} : { lost: now }), ...(left.length === 0 ? {} : { lostAt: left }) };
}
