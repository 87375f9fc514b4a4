import {
  Difference,
  HubRecord,
  SiteRecord,
  reportedCount,
  turnedSince,
  withCause,
  withDifference,
  withoutMissing,
} from "./ledger";
import { Look } from "./look";
import { inBoth, lengthOf } from "./runs";

/** How many messages of a site are missing, by what its record says, and what a look adds to its differences. */

/**
 * Probes that were purged at the site and not on the hub, which holds `onHub` of them now. Those that the hub has passed, and
 * that a killed site holds again, are none that the hub has.
 */
export function lostProbes(
  { own, backAtSite = [], position }: Pick<SiteRecord, "own" | "backAtSite" | "position">,
  onHub: number,
): number {
  const passed = lengthOf(inBoth(backAtSite, [{ first: 1, last: position }]));
  return Math.max(0, own.purgedAtSite + passed - own.purgedOnHub - onHub);
}

/**
 * Messages of a site that are neither on the hub nor waiting; negative for such that are there too often. A stream that
 * lost its tail has given away fewer sequences than the hub took: those above its last one are in `before`.
 */
export const missingOf = (record: SiteRecord, probesOnHub: number): number =>
  unexplainedOf(record, probesOnHub) - explainedOf(record, probesOnHub);

/** Messages that are not there because they were probes, which explain no message that is reported already. */
export function explainedOf(record: SiteRecord, probesOnHub: number): number {
  const lost = lostProbes(record, probesOnHub);
  const most = lost - knownOf(record, lost);
  const before = Math.min(record.explained ?? 0, most);
  const news = unexplainedOf(record, probesOnHub) - before - reportedCount(record.differences);
  return before + Math.min(Math.max(0, news), most - before);
}

const knownOf = ({ absent = 0 }: SiteRecord, lost: number): number => Math.min(lost, absent);

function unexplainedOf(record: SiteRecord, probesOnHub: number): number {
  const { undone = 0, lost: lostCopies = 0 } = record;
  return withLostProbes(record) - knownOf(record, lostProbes(record, probesOnHub)) - undone + lostCopies;
}

const withLostProbes = ({
  stream: { last },
  position,
  before,
  gap,
  skipped,
  own,
  opening,
  left = 0,
  leftMiddle = 0,
}: SiteRecord): number =>
  Math.min(last, position) - position + before + gap + skipped - left - leftMiddle - own.fillers - opening;

/** The record with what it reports after the look. */
export function judged(record: SiteRecord, before: SiteRecord, look: Look, hub: HubRecord): SiteRecord {
  const { explained: _explained, takesAgain: earlier, ...rest } = record;
  const explained = explainedOf(record, look.probesOnHub);
  const { upTo, isBack } = earlier ?? { upTo: before.position, isBack: false };
  const takes = {
    upTo,
    isBack: isBack || turnedSince(hub, look.onHub.history, before.at) !== "same" || look.atSite.history !== "same",
  };
  // While a source takes again what it had taken before, what it passed before counts as waiting.
  const isSettled = look.position >= upTo || look.waiting === 0;
  return {
    ...rest,
    ...(explained === 0 ? {} : { explained }),
    ...(isSettled ? {} : { takesAgain: takes }),
    differences: differencesAfter(record, before, look, { isSettled, isBack: takes.isBack }),
  };
}

function differencesAfter(
  record: SiteRecord,
  before: SiteRecord,
  look: Look,
  { isSettled, isBack }: { isSettled: boolean; isBack: boolean },
): Difference[] {
  const { differences } = record;
  const news = missingOf(record, look.probesOnHub) - reportedCount(differences);
  const period = { from: before.at, to: look.at };
  if (news > 0)
    return withDifference(differences, withCause({ kind: "missing", count: news, ...period }, look.causes.missing));
  if (news === 0 || !isSettled) return differences;
  // A killed server of the site holds messages again that a limit had removed before the hub took them.
  const found = isBack ? -news : look.causes.doubled === undefined ? Math.min(-news, before.gap) : 0;
  const left = withoutMissing(differences, found);
  const doubled: Difference = { kind: "doubled", count: -news - found, ...period };
  return doubled.count === 0 ? left : withDifference(left, withCause(doubled, look.causes.doubled));
}
