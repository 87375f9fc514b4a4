import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Jumps } from "../../diagnosis/book/look";
import { Collection, HubMark, purgedOnHub } from "../../diagnosis/book/ledger";
import { Range, inBoth, lengthOf, mergedRanges, rangesOf } from "../../diagnosis/book/runs";
import { SiteAccess, atHub } from "../sourcing/collected";
import { divide, originOf } from "../sourcing/lost-tail";
import { JetStream, StreamInfo } from "../../servers/nats/jetstream";
import { MergedSite, jumpsIn } from "./jumps";
import { Positions } from "./positions";

/** Finds the site whose messages are missing from a merged stream, from the stream's own messages. */

/** What was skipped at a merged stream, by site; undefined when that is no longer known. */
export async function jumpsOf(
  access: SiteAccess,
  stream: StreamSettings,
  { onHub, atSite, positions, history, source }: Positions,
  before: Collection | undefined,
  stands: HubMark | undefined,
): Promise<Jumps | undefined> {
  const js = await atHub(access, stream);
  const start = startOf(onHub, history.hub, before, stands);
  if (start === undefined) return undefined;
  const sites = await sitesFrom(start, { js, stream, site: access.site, onHub, positions, source }, before);
  const found = await jumpsIn(js, stream.name, sites, { first: start.seq + 1, last: onHub.state.last_seq });
  if (found === undefined) return undefined;
  if (!start.isSinceLook) return { from: start.skipped, ...found };
  const missed = Object.fromEntries(
    Object.entries(found.passed ?? {}).map(([name, passed]) => {
      const count = found.bySite[name] ?? 0;
      return [name, missedAmong(passed, count, name === access.site ? absentAt(atSite) : undefined)];
    }),
  );
  // Where the stream is of one site, its holes show the rest.
  return { ...found, missed, ...(sites.length < 2 ? { passed: missed } : {}) };
}

/**
 * So many sequences that the hub never had; none where others are among them. What was stored after the look before and has
 * left the hub since looks as if it had been passed.
 */
function missedAmong(passed: readonly Range[], count: number, absent: readonly Range[] = []): Range[] {
  if (count <= 0) return [];
  return [[...passed], inBoth(passed, absent)].find((some) => lengthOf(some) === count) ?? [];
}

/** Sequences up to the last that the stream does not hold. */
const absentAt = ({ state: { first_seq: first, deleted } }: StreamInfo): Range[] =>
  mergedRanges([{ first: 1, last: first - 1 }, ...rangesOf(deleted ?? [])]);

/**
 * The sequences of a site that the hub's stream passed behind a message of its own; undefined when that takes too many
 * requests, or copies there are second ones. `origin`: the site's sequence of its newest copy up to there.
 */
export async function passedBehind(
  access: SiteAccess,
  stream: StreamSettings,
  { onHub, positions, source }: Pick<Positions, "onHub" | "positions" | "source">,
  { before, behind, origin }: { before: Collection; behind: number; origin: number },
): Promise<Range[] | undefined> {
  const js = await atHub(access, stream);
  const { site } = access;
  const start = { seq: behind, first: onHub.state.first_seq, skipped: {}, isSinceLook: false };
  const all = await sitesFrom(start, { js, stream, site, onHub, positions, source }, before);
  const sites = all.map((one) => (one.name === site ? { ...one, from: origin } : one));
  const found = await jumpsIn(js, stream.name, sites, { first: behind + 1, last: onHub.state.last_seq });
  if (found === undefined || Object.values(found.bySite).some((count) => count < 0)) return undefined;
  return found.passed?.[site];
}

interface Seen extends Pick<Positions, "onHub" | "positions" | "source"> {
  js: JetStream;
  stream: StreamSettings;
  site: string;
}

/** All sites of the stream, with where each stood at the start. */
async function sitesFrom(
  start: Start,
  { js, stream, site, onHub, positions, source }: Seen,
  before: Collection | undefined,
): Promise<MergedSite[]> {
  const known = Object.entries(before?.sites ?? {}).map(([name, record]) => ({ name, source: record.source, record }));
  const isKnown = known.some(({ name }) => name === site);
  const sites = isKnown ? known : [...known, { name: site, source, record: undefined }];
  const merged = await Promise.all(
    sites.map(async ({ name, source: of, record }): Promise<MergedSite> => {
      const filter = collectedSubject(stream, name, ">");
      const purgedBefore = start.isSinceLook ? (record?.purgedBefore ?? 0) : 0;
      return {
        name,
        filter,
        purged: (record?.own.purgedOnHub ?? 0) - purgedBefore,
        from: start.isSinceLook
          ? (before?.positions[of] ?? (await originBefore(js, stream.name, filter, start, positions[of])))
          : (start.stored?.[name] ??
            (await originUpTo(js, stream.name, filter, start, goneBefore(onHub, before, name, start)))),
        to: positions[of] ?? before?.positions[of] ?? 0,
      };
    }),
  );
  const others = await Promise.all(
    unopenedSites(positions, sites).map(async ([name, of]): Promise<MergedSite> => {
      const filter = collectedSubject(stream, name, ">");
      const to = positions[of] ?? 0;
      return { name, filter, purged: 0, from: await originBefore(js, stream.name, filter, start, to), to };
    }),
  );
  return [...merged, ...others];
}

/** Sites that the stream sources and that have no book yet, each with its source. */
function unopenedSites(
  positions: Record<string, number>,
  opened: readonly { source: string }[],
): [name: string, source: string][] {
  const known = new Set(opened.map(({ source }) => source));
  return Object.keys(positions).flatMap((source): [string, string][] => {
    const [, name] = /^\$JS\.(.+)\.API$/.exec(source) ?? [];
    return name === undefined || known.has(source) ? [] : [[name, source]];
  });
}

/** The message of the hub's stream after which the search begins, and what was skipped up to there. */
interface Start {
  seq: number;
  first: number;
  skipped: Record<string, number>;
  /** Whether that is where the look before was. */
  isSinceLook: boolean;
  /** Whether nothing was skipped before the first message that still stands. */
  fromFirst?: true;
  /** What of each site had been stored up to there, where nothing of that is left. */
  stored?: Record<string, number>;
  /** Each site's position there, where a look knows it. */
  known?: Record<string, number>;
}

function startOf(
  onHub: StreamInfo,
  history: Positions["history"]["hub"],
  before: Collection | undefined,
  stands: HubMark | undefined,
): Start | undefined {
  const { first_seq: first } = onHub.state;
  if (before !== undefined && history === "same")
    return { seq: before.hub.last, first, skipped: {}, isSinceLook: true };
  if (before !== undefined && history === "went back") {
    const { seq = first - 1, skipped = {}, stored } = stands ?? {};
    const known = Object.entries(stored ?? {}).map(([name, count]) => [name, count + (skipped[name] ?? 0)] as const);
    if (seq >= first) return { seq, first, skipped, isSinceLook: false, known: Object.fromEntries(known) };
    if (stored !== undefined) return { seq, first, skipped: {}, isSinceLook: false, stored };
    // Nothing was ever skipped: the stream's own messages show everything.
    const isWhole = Object.values(before.sites).every(({ skipped }) => skipped === 0);
    return isWhole ? { seq: first - 1, first, skipped: {}, isSinceLook: false, fromFirst: true } : undefined;
  }
  // What left the stream before cannot be read any more; probes are counted without that.
  const purged = before === undefined ? 0 : purgedOnHub(before);
  const left = onHub.state.last_seq - onHub.state.messages;
  return left > purged ? undefined : { seq: 0, first, skipped: {}, isSinceLook: false };
}

/** What had been stored of a site up to there, or passed, should no copy of it be left; Infinity when unknown. */
function goneBefore(
  { state }: StreamInfo,
  before: Collection | undefined,
  site: string,
  { skipped, known = {} }: Pick<Start, "skipped" | "known">,
): number {
  const purged = before === undefined ? 0 : purgedOnHub(before);
  const left = state.last_seq - state.messages;
  return left > purged ? (known[site] ?? Infinity) : (before?.sites[site]?.own.purgedOnHub ?? 0) + (skipped[site] ?? 0);
}

/** The sequence at a site before that of its first copy behind the start, where no look has read the position there. */
async function originBefore(
  js: JetStream,
  stream: string,
  filter: string,
  { seq }: Start,
  position = 0,
): Promise<number> {
  const first = await js.nextMessage(stream, filter, seq + 1);
  return first === undefined ? position : originOf(first) - 1;
}

/** The sequence at the site of its newest copy up to there; `gone`: what had been stored before, where no copy is left. */
async function originUpTo(
  js: JetStream,
  stream: string,
  filter: string,
  { seq, first, fromFirst }: Start,
  gone: number,
): Promise<number> {
  // From the first message that the stream ever had.
  if (seq === 0) return 0;
  if (fromFirst !== true) {
    const { last } = await divide(js, { stream, filter }, { low: first, high: seq }, () => true);
    if (last !== undefined) return originOf(last);
  }
  const next = await js.nextMessage(stream, filter, first);
  if (next === undefined) return fromFirst === true || gone === Infinity ? 0 : gone;
  return fromFirst === true ? originOf(next) - 1 : Math.min(originOf(next) - 1, gone);
}
