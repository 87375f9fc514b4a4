import { present } from "../../configs/values";
import {
  Collection,
  Difference,
  HubMark,
  HubRecord,
  SiteRecord,
  doubledOn,
  leftHub,
  markUpTo,
  purgedOnHub,
  sum,
  withCause,
  withDifference,
} from "./ledger";
import { EndSeen, HubLimits, Look } from "./look";
import { GoneFront, HolesBooked, holesTurned } from "./holes";
import { MOST_RUNS, Range, inBoth, mergedRanges, lengthOf, numberOf, standingAt, startingAt, without } from "./runs";
import { afterHubWentBack, onlyCopies, secondBelow } from "./second-copies";

/** What left the hub's stream, and why. */

/** Messages that left the hub's stream since the look before, and why. */
export function leaving(collection: Collection, look: Look): Pick<HubRecord, "byLimits" | "otherwise" | "differences"> {
  const { hub } = collection;
  const { onHub, limits, at, hubNow } = look;
  const left = leftHub({ ...collection, hub: { ...hub, last: onHub.last, held: onHub.held } });
  const { differences } = hub;
  // A killed server holds messages again that a limit had removed, when that limit is gone.
  const back = onHub.history === "same" ? lengthOf(backIn(hub, onHub)) : 0;
  const otherwise = hub.otherwise - Math.min(back, hub.otherwise);
  const byLimits = hub.byLimits - (back - (hub.otherwise - otherwise));
  const news = left - byLimits - otherwise;
  // A store that went back holds again what had left it.
  if (news <= 0 || onHub.history !== "same")
    return { byLimits: Math.max(0, left - otherwise), otherwise: Math.min(otherwise, left), differences };
  const dropped = Math.min(news, unexplained(hub, onHub, limits, hubNow, news));
  const added: Difference = { kind: "dropped", count: dropped, from: lastLook(collection), to: at };
  return {
    byLimits: byLimits + news - dropped,
    otherwise: otherwise + dropped,
    differences: dropped === 0 ? differences : withDifference(differences, withCause(added, look.causes.dropped)),
  };
}

/** Sequences at which the stream holds messages that had left it by the look before. */
export function backIn(
  { first, empty, isEmptyOld }: Pick<HubRecord, "first" | "empty" | "isEmptyOld">,
  onHub: Pick<EndSeen, "first" | "last" | "empty">,
): Range[] {
  if (empty === undefined || isEmptyOld === true || onHub.empty === undefined || empty.length === MOST_RUNS) return [];
  const left = mergedRanges([{ first: 1, last: first - 1 }, ...empty]);
  return inBoth(without(left, onHub.empty), [{ first: onHub.first, last: onHub.last }]);
}

const lastLook = ({ sites }: Collection): string =>
  Object.values(sites).reduce((latest, { at }) => (at > latest ? at : latest), "");

/** Tolerance for clocks and rounding, in milliseconds. */
const SLACK_MS = 2_000;

/** The messages that left and that no declared limit explains. */
function unexplained(hub: HubRecord, onHub: EndSeen, limits: HubLimits, now: number, news: number): number {
  if (limits.others) return 0;
  // Limits take the oldest ones; what is missing in the middle was deleted, or its block is damaged.
  const inside = Math.max(0, onHub.deleted - (hub.last - hub.first + 1 - hub.held));
  const mark = markUpTo(hub.marks, onHub.first - 1);
  const byAge = limits.maxAge > 0 && (mark === undefined || now - mark.at >= limits.maxAge - SLACK_MS);
  // A stream that a limit of bytes has cut stays nearly full.
  const byBytes = limits.maxBytes > 0 && onHub.bytes >= limits.maxBytes / 2;
  return byAge || byBytes ? Math.min(inside, news) : news;
}

/**
 * A hub's stream that is another one, or an older one, may never have had probes that were purged from the one before: as
 * many are known to have left it as are not there.
 */
export function withoutLostProbes(collection: Collection, { onHub }: Look): Collection {
  if (onHub.history === "same") return collection;
  const purged = purgedOnHub(collection);
  const left = onHub.last - onHub.held;
  if (purged <= left) return collection;
  const share = (count: number): number => Math.floor((count * left) / purged);
  const sites = Object.entries(collection.sites).map(([name, record]) => {
    const own = { ...record.own, purgedOnHub: share(record.own.purgedOnHub) };
    return [name, { ...record, own }];
  });
  const hub = { ...collection.hub, purgedOfGone: share(collection.hub.purgedOfGone ?? 0) };
  return { ...collection, hub, sites: Object.fromEntries(sites) as Collection["sites"] };
}

/** Whether the oldest copy on the hub was of an earlier stream of the site: what had left before it was, too. */
const isOfEarlier = ({ oldest, earlier }: SiteRecord): boolean => oldest === 0 && earlier !== undefined;

/** What of the site had left the oldest end of a merged stream; undefined where no look counted it. */
function frontOfMerged(
  { leftSoFar, own, holes = [], second = [] }: SiteRecord,
  { first, empty = [] }: HubRecord,
): number | undefined {
  if (leftSoFar === undefined) return undefined;
  const secondLeft = standingAt(second, mergedRanges([{ first: 1, last: first - 1 }, ...empty]));
  return Math.max(0, leftSoFar - own.purgedOnHub - numberOf(holes) - numberOf(secondLeft));
}

/** What had left the oldest end of a lost store, behind the message that stands; undefined where that is not known. */
function frontBehind(
  record: SiteRecord,
  { first, empty = [] }: HubRecord,
  { stands, name, isAlone }: { stands: HubMark; name: string; isAlone: boolean },
): GoneFront | undefined {
  const { oldest = 0, purges = [], second = [], leftSoFar, holes = [] } = record;
  const isBefore = first - 1 < stands.seq;
  if (isBefore ? isAlone || oldest === 0 : oldest === 0 && !isOfEarlier(record)) return undefined;
  const probes = sum(
    purges.filter(({ last }) => last > stands.seq && (!isAlone || last < first)).map(({ count }) => count),
  );
  const secondLeft = (ranges: Range[]): number =>
    numberOf(standingAt(startingAt(second, stands.seq + 1), mergedRanges(ranges)));
  const front = { first: stands.seq + 1, last: first - 1 };
  if (isAlone) return { count: Math.max(0, first - 1 - stands.seq - probes - secondLeft([front])), oldest };
  const stored = stands.stored?.[name];
  if (leftSoFar === undefined || stored === undefined) return undefined;
  const count = leftSoFar - stored - probes - numberOf(holes) - secondLeft([front, ...empty]);
  return { count: Math.max(0, count), oldest };
}

/** The holes of a site once the hub's store is another one, with what had left its oldest end, should it have gone back. */
function holesOf(
  record: SiteRecord,
  hub: HubRecord,
  { isAnew, isAlone, stands, name }: { isAnew: boolean; isAlone: boolean; stands: HubMark | undefined; name: string },
): HolesBooked {
  const turned = holesTurned(record, { isAnew, stands: stands?.seq, first: hub.first, isAlone });
  if (isAnew || stands === undefined || turned.gone === undefined) return turned;
  const front = frontBehind(record, hub, { stands, name, isAlone });
  return { ...turned, gone: { ...turned.gone, ...present({ front }) } };
}

/**
 * Credits each site with messages that the hub's new store lacks and that are no loss. `front`: messages that had left
 * the oldest end of a stream before it was recreated. `undone`: second copies that the old store held and the new one
 * does not.
 */
export function withTurned(collection: Collection, look: Look): Collection {
  const { onHub, stands, stillTwice = {}, site } = look;
  if (onHub.history === "same") return collection;
  const isAnew = onHub.history === "made anew";
  const isAlone = Object.keys(collection.positions).length < 2;
  const { first, marks, empty = [] } = collection.hub;
  const sites = Object.entries(collection.sites).map(([name, record]): [string, SiteRecord] => {
    const { second: _second, lostAtSite = [], back: _back, backAtSite: _atSite, ...rest } = record;
    // What is behind the message that stands, the site delivers as it has it now.
    const standing = lostAtSite.map((one) => ({ ...one, upTo: Math.min(one.upTo, stands?.seq ?? one.upTo) }));
    const { oldest = 0, purges = [], skipped, undone = 0 } = record;
    const oldestNow = name === site ? look : record;
    const turnedBack = {
      stands: stands?.seq,
      still: stillTwice[name] ?? [],
      first,
      empty,
      oldest: oldestNow.oldest ?? 0,
      ...present({ oldestPast: oldestNow.oldestPast }),
    };
    const still = numberOf(stillTwice[name] ?? []);
    const kept = isAnew ? 0 : stands === undefined ? Infinity : (stands.doubled?.[name] ?? 0) + still;
    const gone = doubledOn(record) - kept;
    // Count each message once: second copies are in `undone`.
    const twice = secondBelow(record, first, doubledOn(record)) ?? markUpTo(marks, first - 1)?.doubled?.[name] ?? 0;
    const stored = isAlone ? first - 1 - twice : oldest - 1 - skipped - doubledOn(record);
    const ofMerged = isAlone ? undefined : frontOfMerged(record, collection.hub);
    const probes = sum(purges.filter(({ last }) => last < first).map(({ count }) => count));
    return [
      name,
      {
        ...rest,
        ...(standing.length === 0 ? {} : { lostAtSite: isAnew ? lostAtSite : standing }),
        ...(isAnew ? {} : afterHubWentBack(record, turnedBack)),
        ...holesOf(record, collection.hub, { isAnew, isAlone, stands, name }),
        ...(gone <= 0 ? {} : { undone: undone + gone }),
        ...(isAnew ? { absent: record.own.purgedAtSite, purges: [] } : {}),
        ...(isAnew && (oldest > 0 || ofMerged !== undefined || (isAlone && isOfEarlier(record)))
          ? { front: ofMerged ?? Math.max(0, stored - probes), ...onlyCopies(record, first, empty) }
          : {}),
      },
    ];
  });
  // Holes behind what stands are of messages that the new store never had.
  const left = isAnew ? [] : without(empty, [{ first: (stands?.seq ?? Infinity) + 1, last: Infinity }]);
  return { ...collection, hub: { ...collection.hub, empty: left }, sites: Object.fromEntries(sites) };
}
