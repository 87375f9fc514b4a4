import { HolesBooked, Lost } from "./holes";
import { Past, Range } from "./runs";
import { SecondBooked } from "./second-copies";

/**
 * The account book of one stream of the hub: what its sites stored ever, against what the hub stored ever and what still
 * waits. Pure: a look's positions and the record of the look before give the new record.
 *
 * For each site: stored ever = on the hub ever + waiting + missing - doubled. A sequence that a stream gives away twice
 * (its store went back in time, or it was recreated) counts as often as it was given: `before` holds the earlier ones.
 */

/** A message that a stream held at a look: its sequence, and when it was stored, in milliseconds since 1970. */
export interface Mark {
  seq: number;
  at: number;
}

/**
 * A mark on the hub's stream, with what the sites of a merged stream had skipped by then, and how many messages of each site
 * stood there once too often; 0 is left out.
 */
export interface HubMark extends Mark {
  skipped?: Record<string, number>;
  doubled?: Record<string, number>;
  /** Messages of each site that a merged stream had stored up to this one, ever. Absent where that was not known. */
  stored?: Record<string, number>;
}

/** One stream as the last look saw it. */
export interface StreamRecord {
  created: string;
  first: number;
  last: number;
  held: number;
  /** Its sequences between the first and the last that hold nothing: the newest ranges. Absent in earlier versions' books. */
  empty?: Range[];
  /** Oldest first. */
  marks: Mark[];
}

/** What happened to a stream since the previous look. */
export type History = "same" | "went back" | "made anew";

/** A difference between what there should be and what there is. */
export interface Difference {
  /**
   * "missing": acknowledged at the site, and neither on the hub nor waiting. "doubled": on the hub once too often.
   * "dropped": was on the hub, and left it by no declared limit.
   */
  kind: "missing" | "doubled" | "dropped";
  /** Messages. */
  count: number;
  /** The looks between which it happened, in UTC. */
  from: string;
  to: string;
  /** Why, where the servers still showed it. */
  cause?: string;
  /** The acknowledgement: when, in UTC, and the note. */
  accepted?: { at: string; note: string };
}

/** What this program itself stored and took away again, in messages. */
export interface OwnMessages {
  /** Probes purged at the site, and on the hub. */
  purgedAtSite: number;
  purgedOnHub: number;
  /** Stored at the site for a repair, and never meant for the hub. */
  fillers: number;
}

/** Probes whose removal was begun: how many, and up to which sequence at that end. */
export interface PendingRemoval {
  end: "site" | "hub";
  count: number;
  last: number;
}

export interface SiteRecord extends SecondBooked, HolesBooked {
  /** When the book of this site begins, and its last look, in UTC. */
  since: string;
  at: string;
  /** What was missing (or, below 0, doubled) when the book began; it is unknown when that happened. */
  opening: number;
  /** The hub's source of the site, as `Collection.positions` names it. */
  source: string;
  stream: StreamRecord;
  /** Stored at the site under sequences that were given away again later. */
  before: number;
  /** Sequences that were given away twice, as they were found; for each is counted once. */
  repeated: { first: number; last: number }[];
  /** Of these, what the hub has copies of: the site lost the messages, and has others under their sequences now. */
  lostAtSite?: Lost[];
  /** Held at the site no more, and never taken by the hub, at the last look. */
  gap: number;
  /** The position of the hub's source, and which stream of the site the copies there are of. */
  position: number;
  ident?: string;
  /** Which stream the copies are of that the hub has of an earlier stream of this name. */
  earlier?: string;
  /** Positions that the hub passed without storing anything. */
  skipped: number;
  own: OwnMessages;
  /** Where the hub, and the site, hold probes again that this program had purged. */
  back?: Range[];
  backAtSite?: Range[];
  /** While the source takes again what it had taken: up to which position, and whether a store went back or is another one. */
  takesAgain?: { upTo: number; isBack: boolean };
  /** Messages that are not there because they were probes; absent for none. */
  explained?: number;
  /** The site's sequence of the oldest copy that the hub held at the last look; 0 or absent when unknown. */
  oldest?: number;
  /** Where that copy is of an earlier stream of the site: which one. */
  oldestPast?: Past;
  /** Had left the hub's stream before that was recreated, and is not delivered again: no loss. */
  left?: number;
  /** The site's sequence below which all of these lie. */
  leftBelow?: number;
  /** Second copies that went with a hub's store: no loss either. */
  undone?: number;
  /** Probes that were purged at the site before the hub's stream was recreated: it has none of them, and never will. */
  absent?: number;
  /** What had left the hub's stream when it was recreated, until the site's next look shows what of it comes again. */
  front?: number;
  /** Messages of the site that left a merged stream ever. */
  leftSoFar?: number;
  /** Probes purged on the hub, by removal: how many, and the last of its sequences then. Oldest first. */
  purges?: { last: number; count: number }[];
  /** Probes purged on the hub up to the last look. */
  purgedBefore: number;
  pending: PendingRemoval[];
  differences: Difference[];
}

export interface HubRecord extends Omit<StreamRecord, "marks"> {
  marks: HubMark[];
  /** Whether the last look could not read them. */
  isEmptyOld?: boolean;
  /** When its store last went back or was recreated, in UTC: the look of another site may have seen it first. */
  turned?: { how: Exclude<History, "same">; at: string };
  /** Left the hub's stream: by declared limits, and before the book began. */
  byLimits: number;
  /** By anything else; what this program purged is not counted. */
  otherwise: number;
  /** What this program purged of sites that left since: probes, and what the hub had collected. */
  purgedOfGone?: number;
  differences: Difference[];
}

/** One stream of the hub. */
export interface Collection {
  version: 1;
  hub: HubRecord;
  /** Positions of all its sources, by API; those that vanished keep their last one. */
  positions: Record<string, number>;
  /** Sum of the positions, less what the hub stored ever and what was skipped: what no site of the book explains. */
  base: number;
  /** By name. */
  sites: Record<string, SiteRecord>;
}

export const sum = (values: Iterable<number>): number => [...values].reduce((total, value) => total + value, 0);

export const NOTHING_OWN: OwnMessages = { purgedAtSite: 0, purgedOnHub: 0, fillers: 0 };

/** Second copies of the site's messages that the hub's stream has now. */
export const doubledOn = ({ differences, undone = 0 }: SiteRecord): number => countOf(differences, "doubled") - undone;

/** What the book already reports as missing, less what it reports as doubled. */
export const reportedCount = (differences: readonly Difference[]): number =>
  differences.reduce((sum, { kind, count }) => sum + (kind === "missing" ? count : kind === "doubled" ? -count : 0), 0);

/** What this program purged of the hub's stream, ever. */
export const purgedOnHub = ({ hub, sites }: Collection): number =>
  (hub.purgedOfGone ?? 0) + sum(Object.values(sites).map(({ own }) => own.purgedOnHub));

/** Left the hub's stream, ever, less what this program purged. */
export const leftHub = (collection: Collection): number =>
  collection.hub.last - collection.hub.held - purgedOnHub(collection);

/** The book without a site that left, of which so many messages were purged on the hub; undefined when no site is left. */
export function withoutSite(book: Collection, site: string, discarded: number): Collection | undefined {
  const { [site]: gone, ...sites } = book.sites;
  if (gone === undefined) return book;
  if (Object.keys(sites).length === 0) return undefined;
  const { [gone.source]: position = 0, ...positions } = book.positions;
  const purgedOfGone = (book.hub.purgedOfGone ?? 0) + gone.own.purgedOnHub + discarded;
  // What it brought stays on the hub.
  const base = book.base - (position - gone.skipped);
  return { ...book, hub: { ...book.hub, purgedOfGone }, sites, positions, base };
}

/** What happened to the hub's stream since the last look at the site. */
export const turnedSince = ({ turned }: HubRecord, now: History, at: string): History =>
  now === "same" && turned !== undefined && turned.at > at ? turned.how : now;

/** The differences that are not acknowledged. */
export const open = (differences: readonly Difference[]): Difference[] =>
  differences.filter(({ accepted }) => accepted === undefined);

/** The number of messages of a kind. */
export const countOf = (differences: readonly Difference[], kind: Difference["kind"]): number =>
  differences.reduce((sum, one) => sum + (one.kind === kind ? one.count : 0), 0);

/** Adds a difference; one that goes on, for the same reason and not acknowledged, grows. */
export function withDifference(differences: readonly Difference[], added: Difference): Difference[] {
  const last = differences.at(-1);
  const goesOn =
    last !== undefined && last.accepted === undefined && last.kind === added.kind && last.cause === added.cause;
  return goesOn
    ? [...differences.slice(0, -1), { ...last, count: last.count + added.count, to: added.to }]
    : [...differences, added];
}

/** Removes differences for messages that turned up again, the newest first. */
export function withoutMissing(differences: readonly Difference[], found: number): Difference[] {
  let left = found;
  return [...differences]
    .reverse()
    .flatMap((one) => {
      if (one.kind !== "missing" || left === 0) return [one];
      const taken = Math.min(left, one.count);
      left -= taken;
      return taken === one.count ? [] : [{ ...one, count: one.count - taken }];
    })
    .reverse();
}

const MOST_MARKS = 16;

/** Marks with one more: the newest ones, and ever fewer of the older. */
export function withMark<M extends Mark>(marks: readonly M[], mark: M | undefined): M[] {
  if (mark === undefined || marks.at(-1)?.seq === mark.seq) return [...marks];
  const all = [...marks.filter(({ seq }) => seq < mark.seq), mark];
  if (all.length <= MOST_MARKS) return all;
  // Outside the newest half, the mark whose neighbours are closest together adds least.
  const half = all.slice(0, MOST_MARKS / 2);
  const gaps = half.map((_, i) => (i === 0 ? Infinity : (all[i + 1]?.at ?? 0) - (all[i - 1]?.at ?? 0)));
  const least = gaps.indexOf(Math.min(...gaps));
  return all.filter((_, i) => i !== least);
}

/** The book with no marks but the newest ones, as it is kept in a stack's state. */
export const withNewestMarks = ({ hub, sites, ...book }: Collection): Collection => ({
  ...book,
  hub: { ...hub, marks: hub.marks.slice(-1) },
  sites: Object.fromEntries(
    Object.entries(sites).map(([name, { stream, ...record }]) => [
      name,
      { ...record, stream: { ...stream, marks: stream.marks.slice(-1) } },
    ]),
  ),
});

/** The newest mark at or below a sequence: the message there was not stored earlier. */
export const markUpTo = <M extends Mark>(marks: readonly M[], seq: number): M | undefined =>
  marks.findLast((mark) => mark.seq <= seq);

/** The difference with its cause, where that is known. */
export const withCause = (difference: Difference, cause: string | undefined): Difference =>
  cause === undefined ? difference : { ...difference, cause };
