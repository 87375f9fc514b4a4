import { present } from "../../configs/values";
import { attribute, positionsAfter } from "./attribution";
import { EndSeen, Look } from "./look";
import { holesAfter } from "./holes";
import { judged, missingOf } from "./missing";
import { probesAfter } from "./probes-back";
import { lengthOf, newest } from "./runs";
import { afterDelivery, secondOfEarlier } from "./second-copies";
import { leaving, withTurned, withoutLostProbes } from "./leaving";
import {
  Collection,
  HubRecord,
  NOTHING_OWN,
  SiteRecord,
  StreamRecord,
  doubledOn,
  reportedCount,
  sum,
  withMark,
} from "./ledger";

/** What a look adds to the book. Pure: what it reads from the servers is given. */

const recordOf = (
  { created, first, last, held, history, mark }: EndSeen,
  before?: Pick<StreamRecord, "marks">,
): StreamRecord => ({
  created,
  first,
  last,
  held,
  marks: withMark(history === "same" ? (before?.marks ?? []) : [], mark),
});

/** Like `recordOf`, for a stream of a site. */
const siteRecordOf = (end: EndSeen, before?: Pick<StreamRecord, "marks">): StreamRecord => ({
  ...recordOf(end, before),
  ...present({ empty: end.empty === undefined ? undefined : newest(end.empty) }),
});

const openedHub = (onHub: EndSeen): HubRecord => ({
  ...recordOf(onHub),
  byLimits: onHub.last - onHub.held,
  otherwise: 0,
  differences: [],
});

/** The hub's stream at the first look at one more of its sites: as its positions, it is of this moment. */
const seenAgain = (collection: Collection, look: Look): HubRecord =>
  look.onHub.history === "same"
    ? { ...collection.hub, ...recordOf(look.onHub, collection.hub), ...leaving(collection, look) }
    : collection.hub;

/** Opens the book of a site at its present state: it is unknown when earlier messages were lost. */
function openedBook(collection: Collection | undefined, look: Look): Collection {
  const { site, at, atSite, onHub, position, gap, ident, earlier, source, oldest } = look;
  const record: SiteRecord = {
    since: at,
    at,
    opening: 0,
    source,
    stream: siteRecordOf(atSite),
    // The part of a lost tail that has been stored again is skipped silently; it was before the book began.
    before: Math.max(0, position - atSite.last),
    repeated: look.repeated === undefined ? [] : [look.repeated],
    gap,
    position,
    oldest,
    hubLast: onHub.last,
    ...present({ ident, earlier, oldestPast: look.oldestPast }),
    skipped: 0,
    own: NOTHING_OWN,
    purgedBefore: 0,
    pending: [],
    differences: [],
  };
  const hub = collection === undefined ? openedHub(onHub) : seenAgain(collection, look);
  const all: Collection = {
    version: 1,
    hub: { ...hub, last: onHub.last },
    positions: positionsAfter(collection, look),
    base: collection?.base ?? 0,
    sites: { ...collection?.sites, [site]: record },
  };
  const known = attribute(all, look, collection);
  const opened = known.sites[site] ?? record;
  const opening = missingOf(opened, look.probesOnHub);
  return { ...known, hub, sites: { ...known.sites, [site]: { ...opened, opening } } };
}

const lastTurn = ({ turned: before }: HubRecord, { onHub: { history }, at }: Look): Pick<HubRecord, "turned"> => {
  const now = history === "same" ? before : { how: history, at };
  return now === undefined ? {} : { turned: now };
};

/** Messages that had left the old hub stream and that no site delivers again. Negative: counted so before, and delivered now. */
function frontLost({ front, left = 0 }: SiteRecord, { atSite, deliveredAgain: { ofFront, ofLeft } }: Look): number {
  if (front === undefined) return 0;
  if (atSite.history === "made anew") return front;
  // A killed server holds messages again that a limit had removed, when that limit is gone.
  return front > 0 ? Math.max(0, front - ofFront) : -Math.min(left, ofLeft);
}

/** What the record says of second copies after the look. `isAnew`: the hub's stream was made anew since the site's last one. */
function withSecond(
  before: Omit<SiteRecord, "front" | "left">,
  look: Look,
  { isAnew, holes, ident }: { isAnew: boolean } & Pick<SiteRecord, "holes" | "ident">,
): Omit<SiteRecord, "left"> {
  const { only = [], second, lost = 0, lostAt, ...rest } = before;
  // The sequences of another stream of the site are other messages.
  if (look.atSite.history === "made anew") {
    const all = lost + lengthOf(only);
    return {
      ...rest,
      ...(all === 0 ? {} : { lost: all }),
      ...(second === undefined ? {} : { second: secondOfEarlier({ ...rest, ...present({ holes }), second }, ident) }),
    };
  }
  const after = isAnew
    ? afterDelivery({ only, lost, ...present({ lostAt }) }, look.delivery)
    : { ...(lost === 0 ? {} : { lost }), ...present({ lostAt }) };
  return { ...rest, ...present({ second, ...after }) };
}

/** The site's record after the look, before its differences are judged. */
function advancedSite(before: SiteRecord, look: Look): SiteRecord {
  const { repeated, storedByEarlier, at, atSite, gap, position, ident, earlier, oldest, onHub } = look;
  const again = repeated === undefined ? 0 : repeated.last - repeated.first + 1;
  const {
    ident: identBefore,
    earlier: _earlier,
    oldestPast: _past,
    front,
    left: leftBefore = 0,
    leftBelow,
    ...more
  } = before;
  const {
    holes,
    passed: _passed,
    missed: _missed,
    gone: _gone,
    leftMiddle: _middle,
    leftMiddleAt: _at,
    lostAtSite,
    backAtSite: _back,
    ...rest
  } = more;
  // Another store of the hub takes what the site has now.
  const isAnew = atSite.history === "made anew";
  const isOther = front !== undefined || onHub.history === "made anew" || isAnew;
  const lost = [
    ...(isOther ? [] : (lostAtSite ?? [])),
    ...(repeated === undefined ? [] : [{ ...repeated, upTo: onHub.last }]),
  ];
  const left = leftBefore + frontLost(before, look);
  return {
    ...withSecond(rest, look, { isAnew: front !== undefined, ...present({ holes, ident: identBefore }) }),
    ...holesAfter(before, { isAnew, ident: identBefore, repeated, delivery: look.delivery }),
    ...probesAfter(before, { isAnew, repeated }),
    ...present({ ident, earlier }),
    ...(lost.length === 0 ? {} : { lostAtSite: newest(lost) }),
    at,
    stream: siteRecordOf(atSite, before.stream),
    before: before.before + again + (storedByEarlier ?? 0),
    repeated: [
      ...(storedByEarlier === undefined ? before.repeated : []),
      ...(repeated === undefined ? [] : [repeated]),
    ],
    gap,
    position,
    oldest,
    ...present({ oldestPast: look.oldestPast }),
    hubLast: onHub.last,
    ...(left === 0 ? {} : { left, leftBelow: front === undefined || front === 0 ? leftBelow : before.oldest }),
    purges: onHub.history === "made anew" ? [] : (before.purges ?? []),
  };
}

/** The book after the look; the same book for a look that saw nothing new except the time. */
export function advance(booked: Collection | undefined, look: Look): Collection {
  const { site, onHub } = look;
  if (booked?.sites[site] === undefined) return openedBook(booked, look);
  const collection = withoutLostProbes(withTurned(booked, look), look);
  const before = collection.sites[site] ?? booked.sites[site];
  const all: Collection = {
    ...collection,
    hub: {
      ...collection.hub,
      ...lastTurn(collection.hub, look),
      ...recordOf(onHub, collection.hub),
      ...leaving(collection, look),
      isEmptyOld: onHub.empty === undefined,
    },
    positions: positionsAfter(collection, look),
    sites: { ...collection.sites, [site]: advancedSite(before, look) },
  };
  const after = attribute(all, look, collection);
  const { sites } = after;
  const record = sites[site];
  const judgedSites = record === undefined ? sites : { ...sites, [site]: judged(record, before, look, collection.hub) };
  return { ...after, hub: withCounts({ ...after, sites: judgedSites }), sites: withPurged(judgedSites) };
}

/**
 * The book after a look that saw the site alone: what the site has stored by then is known, should its stream be
 * recreated before the hub is seen again. A stream that is another one already is left for the look that sees both
 * ends.
 */
export function withSiteSeen(collection: Collection, site: string, atSite: EndSeen): Collection {
  const record = collection.sites[site];
  if (record === undefined || atSite.history !== "same") return collection;
  const stream = siteRecordOf(atSite, record.stream);
  return { ...collection, sites: { ...collection.sites, [site]: { ...record, stream } } };
}

/** The newest mark knows what was skipped up to it, of a merged stream, and doubled. */
function withCounts({ hub, sites, positions }: Collection): HubRecord {
  const last = hub.marks.at(-1);
  if (last === undefined) return hub;
  const { stored: _stored, ...mark } = last;
  const counted = (count: (record: SiteRecord) => number) =>
    Object.fromEntries(
      Object.entries(sites).flatMap(([name, record]) => (count(record) === 0 ? [] : [[name, count(record)]])),
    );
  const isMerged = Object.keys(positions).length > 1;
  const doubled = counted(doubledOn);
  const counts = {
    ...(isMerged ? { skipped: counted(({ skipped }) => skipped) } : {}),
    ...present({ stored: isMerged ? storedUpTo(mark.seq, { hub, sites, positions }) : undefined }),
    ...(Object.keys(doubled).length === 0 ? {} : { doubled }),
  };
  return { ...hub, marks: [...hub.marks.slice(0, -1), { ...mark, ...counts }] };
}

/** Messages of each site that the hub's stream stored up to its newest mark; undefined when others than probes left behind it. */
function storedUpTo(
  seq: number,
  { hub, sites, positions }: Pick<Collection, "hub" | "sites" | "positions">,
): Record<string, number> | undefined {
  const purgedBehind = ({ purges = [] }: SiteRecord) => sum(purges.map(({ last, count }) => (last > seq ? count : 0)));
  const all = Object.entries(sites);
  if (hub.last - seq !== sum(all.map(([, record]) => purgedBehind(record)))) return undefined;
  return Object.fromEntries(
    all.map(([name, record]) => {
      const position = positions[record.source] ?? record.position;
      return [name, position - record.skipped - purgedBehind(record)];
    }),
  );
}

const withPurged = (sites: Collection["sites"]): Collection["sites"] =>
  Object.fromEntries(
    Object.entries(sites).map(([name, record]) => [name, { ...record, purgedBefore: record.own.purgedOnHub }]),
  );

/** How far a look is from the book: messages that would be newly reported as missing (or, below 0, as doubled). */
export function newsOf(collection: Collection, { site, probesOnHub }: Look): number {
  const record = collection.sites[site];
  return record === undefined ? 0 : missingOf(record, probesOnHub) - reportedCount(record.differences);
}
