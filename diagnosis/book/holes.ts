import { present } from "../../configs/values";
import { Gap } from "./gaps";
import {
  Delivery,
  Past,
  Range,
  Run,
  inOrder,
  mergedRanges,
  lengthOf,
  newest,
  newestOf,
  numberOf,
  ofEarlierStream,
  originsOf,
  partedBy,
  rangesOf,
  sequencesIn,
  standingAt,
  startingAt,
  undelivered,
  upTo,
  without,
} from "./runs";

/**
 * Messages that left the middle of the hub's stream: deleted one by one, purged by their subject, or dropped by a limit per
 * subject. They are reported once. Should the hub lose its store, its new store lacks them too, and that is no second loss.
 */

/** What a site's record says of them; a record of an earlier version says nothing. */
export interface HolesBooked {
  /** Where they stood, in the hub's order. Probes that this program purged are not counted. */
  holes?: Run[];
  /** The site's other sequences of which the hub has nothing, as far as they are known: probes, and what it passed. */
  passed?: Range[];
  /** Those that the hub passed and never had, as far as they are known. */
  missed?: Range[];
  /** Probes purged on the hub, up to the last look at the stream's holes. */
  probesInHoles?: number;
  /** What had left the middle of a hub's store that is lost, until the site's next look shows what of it comes again. */
  gone?: Gone;
  /** What of it never came again: how many, and which, where the site tells. */
  leftMiddle?: number;
  leftMiddleAt?: Range[];
}

export interface Gone {
  /** The site's sequences, and the number of those of an earlier stream of the site. */
  at: Range[];
  earlier: number;
  /** Last sequence of the hub's stream that was not lost. */
  behind: number;
  front?: GoneFront;
}

/** What stood behind the last message that was not lost, and had left the oldest end of the lost store. */
export interface GoneFront {
  count: number;
  /** The site's sequence of the oldest copy in the lost store. */
  oldest: number;
}

/** What a lost store of the hub leaves of the holes. */
export interface Turn {
  /** Whether the stream was made anew; else the last message that stands, where that is known. */
  isAnew: boolean;
  stands: number | undefined;
  /** First message that the hub's stream held, and whether it is of this site alone. */
  first: number;
  isAlone: boolean;
}

type Record = HolesBooked & { oldest?: number; lostAtSite?: readonly Lost[] };

/** The record once the hub's store is another one. What left its oldest end is counted apart (`front`). */
export function holesTurned(record: Record, { isAnew, stands, first, isAlone }: Turn): HolesBooked {
  const { holes = [], gone, oldest = 0, lostAtSite = [] } = record;
  if (!isAnew && stands === undefined) return {};
  const behind = isAnew ? 0 : (stands ?? 0);
  const inside = startingAt(holes, isAnew && isAlone ? first : behind + 1).filter(
    ({ origin }) => !isAnew || isAlone || (origin === 0 ? oldest === 0 : origin >= oldest),
  );
  const lost = withoutLost(inside, lostAtSite);
  return {
    holes: isAnew ? [] : upTo(holes, behind),
    gone: {
      at: mergedRanges([...(gone?.at ?? []), ...originsOf(lost)]),
      earlier: (gone?.earlier ?? 0) + numberOf(lost.filter(({ origin }) => origin === 0)),
      behind,
    },
  };
}

interface Site {
  isAnew: boolean;
  /** Which stream of the site the copies are of that came before this look. */
  ident?: string | undefined;
  repeated: Range | undefined;
  delivery: Delivery;
}

/** The record once it is known what the site delivers to the hub's new store, and whether its own is another one. */
export function holesAfter(record: HolesBooked, { isAnew, ident, repeated, delivery }: Site): HolesBooked {
  const { holes = [], passed = [], gone, probesInHoles, leftMiddle = 0, leftMiddleAt = [] } = record;
  const { front } = gone ?? {};
  const all = mergedRanges([...leftMiddleAt, ...(gone?.at ?? [])]);
  const before = leftMiddle + (gone?.earlier ?? 0) + lengthOf(all) - lengthOf(leftMiddleAt);
  const missedNow = missedAfter(record, { isAnew, repeated, delivery });
  const booked = (holes: Run[], passed: Range[], count: number, at: Range[]): HolesBooked => ({
    ...(missedNow.length === 0 ? {} : { missed: newest(missedNow) }),
    ...(holes.length === 0 ? {} : { holes: newest(holes) }),
    ...(passed.length === 0 ? {} : { passed: newest(passed) }),
    ...(count === 0 ? {} : { leftMiddle: count }),
    ...(at.length === 0 ? {} : { leftMiddleAt: newest(at) }),
    ...present({ probesInHoles }),
  });
  if (isAnew) return booked(ofEarlierStream(holes, ident), [], before + (front?.count ?? 0), []);
  const own = repeated === undefined ? holes : cutAt(holes, repeated.first);
  const left = gone === undefined ? leftMiddleAt : undelivered(all, delivery);
  const at = repeated === undefined ? left : without(left, isNew(repeated));
  const count = before - lengthOf(all) + lengthOf(left);
  if (gone === undefined) return booked(own, passed, count, at);
  const absent = [...undelivered(passed, delivery), ...rangesOf(delivery.deleted), ...(delivery.passed ?? [])];
  const ofFront = front === undefined ? { count: 0, at: [] } : frontLeft(front, delivery, at);
  return booked(own, mergedRanges(absent), count + ofFront.count, mergedRanges([...at, ...ofFront.at]));
}

/** Other messages have these sequences of the site now, which the hub may have in their place. */
const isNew = ({ first }: Range): Range[] => [{ first, last: Infinity }];

/** What a new store of the hub does not get either. */
function missedAfter({ missed = [], gone }: HolesBooked, { isAnew, repeated, delivery }: Omit<Site, "ident">): Range[] {
  if (isAnew) return [];
  const left = gone === undefined ? missed : undelivered(missed, delivery);
  return repeated === undefined ? left : without(left, isNew(repeated));
}

/** What had left the oldest end of a lost store, and does not come again; `known`: sequences that are counted already. */
function frontLeft(front: GoneFront, delivery: Delivery, known: readonly Range[]): { count: number; at: Range[] } {
  // Of a merged stream, what had left may be older than what was not lost.
  const isOlder = front.oldest > 0 && front.oldest < delivery.from;
  if (delivery.passed === undefined || isOlder) return { count: 0, at: [] };
  const range = { first: delivery.from, last: front.oldest - 1 };
  const inRange = mergedRanges([range]);
  const absent = undelivered(inRange, delivery);
  // What the lost store never had does not come either.
  const count = Math.max(0, front.count - (lengthOf(inRange) - lengthOf(absent)));
  return { count, at: newestOf(without(absent, known), count) };
}

/** The runs, of which those from a sequence of the site on are of an earlier stream. */
const cutAt = (runs: readonly Run[], first: number): Run[] =>
  inOrder(
    runs.flatMap((run) => {
      if (run.origin === 0 || run.origin + run.count <= first) return [run];
      if (run.origin >= first) return ofEarlierStream([run]);
      const end = run.seq + first - run.origin;
      return [...upTo([run], end - 1), ...ofEarlierStream(startingAt([run], end))];
    }),
  );

interface Held {
  /** Whether the site holds the message of a sequence; where that is unknown, it may. */
  isHeld(origin: number): boolean;
}

/** The runs that stood at these sequences, all of which are in the gap. */
function runsIn({ origins, past }: Gap, seqs: readonly number[], { isHeld }: Held): Run[] {
  const most = lengthOf(origins);
  const known = Math.min(seqs.length, most);
  // What the hub passed, the site does not hold either.
  const chosen = known === most ? sequencesIn(origins) : preferred(sequencesIn(origins), known, isHeld);
  const earlier = seqs.length - chosen.length;
  // Where as many are gone as can have stood there, each is known.
  const pastOrigins = past === undefined || lengthOf(past.origins) !== earlier ? [] : sequencesIn(past.origins);
  const pastAt = (i: number): Past | undefined => {
    const origin = pastOrigins[i];
    return past === undefined || origin === undefined ? undefined : { ident: past.ident, origin };
  };
  return seqs.map((seq, i) => ({
    seq,
    origin: i < earlier ? 0 : (chosen[i - earlier] ?? 0),
    count: 1,
    ...present({ past: pastAt(i) }),
  }));
}

/** The site's sequences of messages that it lost, with the last sequence on the hub up to which copies of these are of them. */
export type Lost = Range & { upTo: number };

/** The runs, of which copies of messages that the site lost are of an earlier stream: it has other messages there now. */
const withoutLost = (runs: readonly Run[], lost: readonly Lost[]): Run[] =>
  lost.reduce<Run[]>(
    (all, range) => {
      const { inside, outside } = partedBy(upTo(all, range.upTo), [range]);
      return inOrder([...ofEarlierStream(inside), ...outside, ...startingAt(all, range.upTo + 1)]);
    },
    [...runs],
  );

/** So many of them, in order: the last of those that the site holds, else of the others. */
function preferred(origins: readonly number[], count: number, isHeld: Held["isHeld"]): number[] {
  const held = origins.filter(isHeld);
  const others = origins.filter((origin) => !isHeld(origin));
  const some = count === 0 ? [] : [...others, ...held].slice(-count);
  return some.sort((a, b) => a - b);
}

/** What this program purged on the hub since the last look at the holes, and the last sequence of it there. */
interface Purged {
  count: number;
  last: number;
  /** The same by removal, oldest first, where that is known. */
  removals?: readonly { last: number; count: number }[];
}

/**
 * Where probes stood that were purged: each removal took the newest up to its last one, rather than what the site holds. In
 * a merged stream nobody knows which of several sites' probes stood where: the others come last.
 */
function probesAmong(
  candidates: readonly Pick<Run, "seq" | "origin">[],
  { count, last, removals = [] }: Purged,
  { isHeld }: Held,
): Set<number> {
  const held = ({ origin }: Pick<Run, "origin">) => (origin > 0 && isHeld(origin) ? 1 : 0);
  const inTurn = [...candidates].sort((a, b) => held(a) - held(b) || b.seq - a.seq);
  const probes = new Set<number>();
  for (const one of [{ last: Infinity, count }, { last, count }, ...removals].reverse()) {
    const standing = inTurn.filter(({ seq }) => seq <= one.last && !probes.has(seq));
    for (const { seq } of standing.slice(0, Math.min(one.count, count - probes.size))) probes.add(seq);
  }
  return probes;
}

/** The record with more sequences that the hub passed. */
export function withPassed({ holes = [], passed = [] }: HolesBooked, more: readonly Range[]): HolesBooked {
  if (more.length === 0) return {};
  return { passed: newest(without(mergedRanges([...passed, ...more]), originsOf(holes))) };
}

interface NewHoles extends Held {
  /** All sequences that the hub's stream lacks now. */
  empty: readonly Range[];
  purged: Purged;
  /** Those that are new, and of which nobody knows which messages they were, of a stream of this site alone. */
  unknown?: readonly number[];
}

/** The record of a site with what newly left the middle of the hub's stream. */
export function withNewHoles(
  record: HolesBooked,
  found: readonly (readonly [Gap, readonly number[]])[],
  { empty, purged, unknown = [], ...site }: NewHoles,
): HolesBooked {
  const all = found.flatMap(([gap, seqs]) => runsIn(gap, seqs, site));
  const at = probesAmong([...all, ...unknown.map((seq) => ({ seq, origin: 0 }))], purged, site);
  const [probes, others] = [all.filter(({ seq }) => at.has(seq)), all.filter(({ seq }) => !at.has(seq))];
  const holes = inOrder([...standingAt(record.holes ?? [], empty), ...others]);
  const origins = found.flatMap(([gap]) => gap.origins);
  const passed = mergedRanges([
    ...(record.passed ?? []),
    ...without(mergedRanges(origins), originsOf(all)),
    ...originsOf(probes),
  ]);
  return { holes: newest(holes), passed: newest(without(passed, originsOf(holes))) };
}
