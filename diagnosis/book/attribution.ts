import { Collection, sum } from "./ledger";
import { Look } from "./look";

/** Which sites' positions the hub passed without storing anything. */

/** The positions that the sources passed without storing, and that no site accounts for yet. */
const unattributedCount = ({ positions, base, hub, sites }: Collection): number =>
  sum(Object.values(positions)) - hub.last - base - sum(Object.values(sites).map(({ skipped }) => skipped));

/**
 * The book with what was skipped since the look before; what cannot be attributed to another site counts for the site
 * of this look.
 */
export function attribute(
  all: Collection,
  { site, jumps, positions, source }: Look,
  before: Collection | undefined,
): Collection {
  const sites = { ...all.sites };
  const add = (name: string, count: number): void => {
    const record = sites[name];
    if (record !== undefined && count !== 0) sites[name] = { ...record, skipped: record.skipped + count };
  };
  const { from, bySite = {} } = jumps ?? {};
  if (from !== undefined) {
    for (const [name, record] of Object.entries(sites))
      sites[name] = { ...record, skipped: (from[name] ?? 0) + (bySite[name] ?? 0) };
    return { ...all, sites, base: all.base + unattributedCount({ ...all, sites }) };
  }
  for (const [name, count] of Object.entries(bySite)) add(name, count);
  // What a source brought whose site has no book yet is of no other site.
  if (hasMovedUnopened(all, positions, before))
    return { ...all, sites, base: all.base + unattributedCount({ ...all, sites }) };
  // A source that fell back looks again at what its site holds: the rest is of that.
  const fallen = Object.values(all.sites).length < 2 ? [] : fellBack(before, positions, source);
  const [other] = Object.entries(all.sites).filter(([, record]) => fallen.includes(record.source));
  add(other?.[0] ?? site, unattributedCount({ ...all, sites }));
  return { ...all, sites };
}

const isOpened = (book: Collection | undefined, source: string): boolean =>
  Object.values(book?.sites ?? {}).some((record) => record.source === source);

/** Whether a source whose site has no book stands elsewhere than at the look before. */
const hasMovedUnopened = (
  book: Collection,
  positions: Record<string, number>,
  before: Collection | undefined,
): boolean =>
  Object.entries(positions).some(
    ([source, position]) => !isOpened(book, source) && position !== (before?.positions[source] ?? 0),
  );

const fellBack = (before: Collection | undefined, positions: Record<string, number>, own: string): string[] =>
  Object.entries(before?.positions ?? {}).flatMap(([source, position]) =>
    source !== own && (positions[source] ?? position) < position ? [source] : [],
  );

/** Positions of all sources; one that fell back says nothing of its site's messages before that site is looked at. */
export const positionsAfter = (
  before: Collection | undefined,
  { positions, source, onHub }: Look,
): Record<string, number> => ({
  ...before?.positions,
  ...Object.fromEntries(
    Object.entries(positions).filter(
      ([name, position]) =>
        name === source ||
        onHub.history !== "same" ||
        position >= (before?.positions[name] ?? 0) ||
        !isOpened(before, name),
    ),
  ),
});
