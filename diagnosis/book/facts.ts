import { Collection, Difference, countOf, open } from "./ledger";
import { missingOf } from "./missing";

/** What the book says of one stream of a site: a balance in messages, and what is not yet acknowledged. */
export interface BookFacts {
  /** When the book begins, and its last look, in UTC. */
  since: string;
  at: string;
  balance: Balance;
  /** Not acknowledged, oldest first. */
  open: Difference[];
}

/**
 * Counts of messages since the stream was made. `stored` = `onHub` + `waiting` + `missing` - `doubled`, but for what was
 * missing before the book began.
 */
export interface Balance {
  /** At the site: stored ever, held now, and gone before the hub took them. */
  stored: number;
  held: number;
  gone: number;
  /** Last sequence that the hub took; what waits is held at the site behind it. */
  taken: number;
  waiting: number;
  /** On the hub: stored ever of this site. */
  onHub: number;
  /** For the hub's whole stream: held now, left by declared limits, left by anything else. */
  hubHeld: number;
  byLimits: number;
  otherwise: number;
  /** Not acknowledged. */
  missing: number;
  doubled: number;
  /** Probes and the like, purged by the program itself. */
  own: number;
}

/** What the last look saw besides; absent when the servers could not be read. */
interface Seen {
  waiting?: number;
  probesOnHub?: number;
  /** Whether what left the hub's stream is reported with this site. */
  tellsOfHub: boolean;
}

export function factsOf(
  book: Collection,
  site: string,
  { waiting, probesOnHub = 0, tellsOfHub }: Seen,
): BookFacts | undefined {
  const record = book.sites[site];
  if (record === undefined) return undefined;
  const { stream, position, own, before, gap, opening } = record;
  const unacknowledged = [...open(record.differences), ...(tellsOfHub ? open(book.hub.differences) : [])];
  const stored = stream.last + before;
  const isAlone = Object.keys(book.positions).length < 2;
  const missing = missingOf(record, probesOnHub);
  const behind = waiting ?? Math.max(0, stream.last - position - gap);
  return {
    since: record.since,
    at: record.at,
    balance: {
      stored,
      held: stream.held,
      gone: gap,
      taken: position,
      waiting: behind,
      onHub: isAlone ? book.hub.last : stored - behind - missing - opening,
      hubHeld: book.hub.held,
      byLimits: book.hub.byLimits,
      otherwise: book.hub.otherwise,
      missing: countOf(unacknowledged, "missing"),
      doubled: countOf(unacknowledged, "doubled"),
      own: own.purgedAtSite + own.fillers,
    },
    open: unacknowledged,
  };
}
