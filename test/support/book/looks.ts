import { factsOf } from "../../../diagnosis/book/facts";
import type { Collection, Difference } from "../../../diagnosis/book/ledger";
import type { EndSeen, Look } from "../../../diagnosis/book/look";

/** Looks of the account book, made up: oslo, whose hub has everything, and nothing out of order. */

/** A stream that stored nothing. */
export const EMPTY_END: EndSeen = {
  created: "2026-11-01T00:00:00Z",
  first: 1,
  last: 0,
  held: 0,
  deleted: 0,
  bytes: 0,
  history: "same",
  mark: undefined,
};

export const lookOf = (seen: Pick<Look, "at" | "atSite" | "onHub" | "position"> & Partial<Look>): Look => ({
  site: "oslo",
  hubNow: Date.parse(seen.at),
  ident: undefined,
  earlier: undefined,
  source: "$JS.oslo.API",
  positions: { "$JS.oslo.API": seen.position },
  gap: 0,
  waiting: seen.atSite.last - seen.position,
  repeated: undefined,
  storedByEarlier: undefined,
  oldest: 1,
  delivery: { from: 1, deleted: [] },
  deliveredAgain: { ofFront: 0, ofLeft: 0 },
  probesOnHub: 0,
  jumps: undefined,
  limits: { maxAge: 0, maxBytes: 0, others: false },
  causes: {},
  ...seen,
});

/** What the book tells of the site. */
export const told = (book: Collection): Pick<Difference, "kind" | "count">[] =>
  (factsOf(book, "oslo", { tellsOfHub: true })?.open ?? []).map(({ kind, count }) => ({ kind, count }));
