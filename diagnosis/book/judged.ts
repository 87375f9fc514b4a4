import { Look } from "./look";
import {
  Difference,
  HubRecord,
  SiteRecord,
  explainedOf,
  missingOf,
  reportedCount,
  turnedSince,
  withCause,
  withDifference,
  withoutMissing,
} from "./ledger";

/** What a look adds to the differences of a site. */

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
