import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject, isSourceOfSite, siteApi, sourceOf } from "../../configs/streams";
import { Collection, History, Mark, SiteRecord } from "../../diagnosis/book/ledger";
import { SiteAccess, atHub, atSite } from "../sourcing/collected";
import { Ends, Overrun, Skew, divide, firstNew, clockSkew, isRecreated, originOf } from "../sourcing/lost-tail";
import { historyOf, lastOfAll, markOf, sameUpTo } from "./marks";
import { JetStream, SOURCE_HEADER, SourceInfo, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";
import { originIn, sourceIdentity } from "../sourcing/source-identity";

/** Reads where a site's stream and the hub's stream of it stand, and whether their stores are still those of the last look. */

/** What one look sees of a stream of a site. Counts are messages. */
export interface Positions {
  /** When it was looked at, in UTC. */
  at: string;
  atSite: StreamInfo;
  onHub: StreamInfo;
  /** Whether the hub's stream took nothing for a moment: its positions and its last sequence are of one moment then. */
  isStill: boolean;
  /** A message that each end holds, of an application where there is one. */
  marks: { site: Mark | undefined; hub: Mark | undefined };
  history: { site: History; hub: History };
  /** Last sequence that the hub took of the stream that the site has now. */
  position: number;
  /** Which stream of the site the hub's newest copy is of, and which its copies are of that are of an earlier one. */
  ident: string | undefined;
  earlier: string | undefined;
  /** The site's source, as `positions` names it. */
  source: string;
  /** Positions of all the stream's sources, by API; those of sources that say none are 0. */
  positions: Record<string, number>;
  /** Stored at the site behind the position, and no longer held there. */
  gap: number;
  /** Held at the site, and not taken yet. */
  waiting: number;
  /** Sequences that the site gave away a second time since the last look. */
  repeated: { first: number; last: number } | undefined;
  /** What the site's earlier stream of this name had stored; undefined when it is no new one. */
  storedByEarlier: number | undefined;
  /** Sources of the site's stream besides the declared one. */
  otherSources: number;
}

/** Names the source of a site, even if it was altered by hand. */
const keyOf = (site: string): string => siteApi(site);

/**
 * Positions of all sources that bring what no other brings: of a site, the declared one; what a second one of it brings is
 * there twice.
 */
function positionsIn(info: StreamInfo, stream: StreamSettings, known: readonly string[]): Record<string, number> {
  const positions: Record<string, number> = {};
  for (const site of known) {
    const source = declaredSource(info, stream, site);
    if (source !== undefined) positions[keyOf(site)] = source.seq ?? 0;
  }
  for (const source of info.sources ?? []) {
    const api = source.external?.api ?? "";
    if (known.some((site) => api === siteApi(site))) continue;
    positions[api] = Math.max(positions[api] ?? 0, source.seq ?? 0);
  }
  return positions;
}

/** The declared source of the site; where there is none such, the one that reaches the site. */
export function declaredSource(info: StreamInfo, stream: StreamSettings, site: string): SourceInfo | undefined {
  const ofSite = (info.sources ?? []).filter((source) => isSourceOfSite(asConfig(source), site));
  return ofSite.find((source) => isDeclared(source, stream, site)) ?? ofSite[0];
}

const isDeclared = (source: SourceInfo, stream: StreamSettings, site: string): boolean =>
  sourceIdentity(asConfig(source)) === sourceIdentity(sourceOf(stream, site));

const asConfig = (source: SourceInfo) => ({
  ...source,
  external: { api: "", ...source.external, deliver: source.external?.deliver ?? "" },
});

/** The newest message of an application's; probes are soon gone. */
async function newestOf(js: JetStream, name: string, subjects: readonly string[]): Promise<StoredMessage | undefined> {
  const found = await Promise.all(subjects.map((subject) => js.lastMessage(name, subject)));
  return found.reduce((newest, one) => (one !== undefined && one.seq > (newest?.seq ?? 0) ? one : newest), undefined);
}

export const identOf = (copy: StoredMessage | undefined): string | undefined =>
  copy?.headers[SOURCE_HEADER]?.split(" ")[5];

/** Between a message and its copy on the hub, in milliseconds, beside what the clocks are off. */
const WITHIN_MS = 250;

function skewOf(atSite: StreamInfo, onHub: StreamInfo): Skew {
  const { ms, within } = clockSkew({ atSite, onHub });
  return { ms, within: within + WITHIN_MS };
}

/** The messages behind the position: gone from the stream, and still waiting. */
export function behind({ state }: StreamInfo, position: number): { gap: number; waiting: number } {
  const { first_seq: first, last_seq: last, deleted } = state;
  if (last <= position) return { gap: 0, waiting: 0 };
  const next = position + 1;
  const inside = (deleted ?? []).filter((seq) => seq >= Math.max(next, first)).length;
  const gap = Math.min(last - position, Math.max(0, first - next) + inside);
  return { gap, waiting: last - position - gap };
}

const STILL_MS = 5;
const MOST_STILL_LOOKS = 20;

/**
 * The stream, of several sources at a moment at which it takes nothing, where there is one: the server reads positions and
 * last sequence one after the other.
 */
async function stillOf(
  js: JetStream,
  name: string,
  first: StreamInfo | undefined,
): Promise<{ info: StreamInfo | undefined; isStill: boolean }> {
  const standing = ({ state, sources = [] }: StreamInfo) =>
    JSON.stringify([state.last_seq, ...sources.map(({ seq }) => seq)]);
  let info = first ?? (await js.stream(name));
  if (info === undefined || (info.sources ?? []).length < 2) return { info, isStill: true };
  for (let looks = 0; looks < MOST_STILL_LOOKS; looks++) {
    await sleep(STILL_MS);
    const next = await js.stream(name);
    if (next === undefined || standing(next) === standing(info)) return { info: next, isStill: true };
    info = next;
  }
  return { info, isStill: false };
}

/** Both streams, read one after the other; undefined for one that is missing. */
export interface EndsRead {
  onHub: StreamInfo | undefined;
  atSite: StreamInfo | undefined;
}

export async function readEnds(access: SiteAccess, stream: StreamSettings): Promise<EndsRead> {
  const [hub, site] = await Promise.all([atHub(access, stream), atSite(access)]);
  const onHub = await hub.stream(stream.name, true);
  return { onHub, atSite: await site.stream(siteStreamName(stream, access.site), true) };
}

/** Undefined when a stream or the site's source is missing. `read`: what was read a moment ago. `overrun`: what a lost tail is known to have skipped. */
export async function positionsOf(
  access: SiteAccess,
  stream: StreamSettings,
  record: Collection | undefined,
  { overrun, read }: { overrun: Overrun | undefined; read: EndsRead | undefined },
): Promise<Positions | undefined> {
  const { site } = access;
  const name = siteStreamName(stream, site);
  const before = record?.sites[site];
  const [hub, local] = await Promise.all([atHub(access, stream), atSite(access)]);
  const { info: onHub, isStill } = await stillOf(hub, stream.name, read?.onHub);
  // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
  const atTheSite = (onHub === read?.onHub ? read?.atSite : undefined) ?? (await local.stream(name, true));
  if (onHub === undefined || atTheSite === undefined) return undefined;
  const source = declaredSource(onHub, stream, site);
  if (source === undefined) return undefined;
  const [ofSite, ofHub, newest, copy] = await Promise.all([
    historyOf(local, atTheSite, before?.stream),
    historyOf(hub, onHub, record?.hub),
    newestOf(local, name, stream.subjects),
    hub.lastMessage(stream.name, collectedSubject(stream, site, ">")),
  ]);
  const ends: Ends = { name, site: local, hub, atSite: atTheSite, onHub };
  const history = { site: ofSite, hub: ofHub };
  const earlier = ofSite === "made anew" ? before?.ident : before?.earlier;
  const skew = skewOf(atTheSite, onHub);
  const ident = identOf(copy);
  const isOfEarlier = earlier !== undefined && ident !== undefined ? ident === earlier : isRecreated(ends, skew, copy);
  // What a message of this source carries that stands at the last sequence is of the same moment as that.
  const isAlone = (onHub.sources ?? []).length === 1 && onHub.state.last_seq > 0;
  const newestOnHub = isAlone ? await hub.messageAt(stream.name, onHub.state.last_seq) : undefined;
  const brought = originIn(newestOnHub?.headers[SOURCE_HEADER]);
  const origin = brought?.identity === sourceIdentity(asConfig(source)) ? brought.seq : undefined;
  // Another source than the declared one takes anew what the hub has already.
  const taken = isDeclared(source, stream, site) || copy?.headers[SOURCE_HEADER] === undefined ? 0 : originOf(copy);
  const raw = isOfEarlier ? 0 : Math.max(taken, Math.min(origin ?? Infinity, source.seq ?? 0));
  // Without a message of the site, a source that was restarted says no position.
  const stays = ofSite === "same" && ofHub === "same" && !isOfEarlier;
  const position = stays ? Math.max(raw, before?.position ?? 0) : raw;
  const known = [...new Set([...Object.keys(record?.sites ?? {}), site])];
  const positions = { ...positionsIn(onHub, stream, known), [keyOf(site)]: position };
  return {
    at: new Date().toISOString(),
    atSite: atTheSite,
    onHub,
    isStill,
    marks: { site: markOf(newest), hub: markOf((await lastOfAll(hub, onHub)) ?? copy) },
    history,
    position,
    ident: isOfEarlier ? undefined : ident,
    earlier: isOfEarlier ? ident : earlier,
    source: keyOf(site),
    positions,
    ...behind(atTheSite, position),
    repeated:
      ofSite === "made anew" || isOfEarlier
        ? undefined
        : await repeatedIn(ends, stream, { site, skew, copy, before, isBack: ofSite === "went back", raw, overrun }),
    storedByEarlier:
      ofSite === "made anew" && before !== undefined
        ? Math.max(
            before.stream.last,
            before.position,
            await lastOfEarlier(ends, stream, site, { earlier, newest: ident, skew }),
          )
        : undefined,
    otherSources: (onHub.sources ?? []).filter((one) => one !== source && isSourceOfSite(asConfig(one), site)).length,
  };
}

/** The site's end alone; undefined when its stream is missing. */
export async function siteEndOf(
  access: SiteAccess,
  stream: StreamSettings,
  record: SiteRecord,
): Promise<{ info: StreamInfo; history: History; mark: Mark | undefined } | undefined> {
  const name = siteStreamName(stream, access.site);
  const js = await atSite(access);
  const info = await js.stream(name, true);
  if (info === undefined) return undefined;
  const [history, newest] = await Promise.all([
    historyOf(js, info, record.stream),
    newestOf(js, name, stream.subjects),
  ]);
  return { info, history, mark: markOf(newest) };
}

/** The last sequence that the hub holds a copy of, of the site's earlier stream; 0 without any. */
async function lastOfEarlier(
  { hub, onHub, atSite: { created } }: Ends,
  stream: StreamSettings,
  site: string,
  { earlier, newest, skew }: { earlier: string | undefined; newest: string | undefined; skew: Skew },
): Promise<number> {
  const isKnown = earlier !== undefined && newest !== undefined;
  // Copies of still earlier streams come first: only those of the newest stream end the search.
  const isBefore = (copy: StoredMessage): boolean =>
    isKnown ? newest === earlier || identOf(copy) !== newest : copy.storedAt + skew.ms < Date.parse(created);
  const copies = { stream: onHub.config.name, filter: collectedSubject(stream, site, ">") };
  const { last } = await divide(hub, copies, { low: onHub.state.first_seq, high: onHub.state.last_seq }, isBefore);
  return last === undefined || (isKnown && identOf(last) !== earlier) ? 0 : originOf(last);
}

interface Seen {
  site: string;
  skew: Skew;
  /** The hub's newest copy. */
  copy: StoredMessage | undefined;
  before: SiteRecord | undefined;
  isBack: boolean;
  /** The position as the source says it. */
  raw: number;
  overrun: Overrun | undefined;
}

/** The sequences that the site lost, and gives away a second time; undefined when it lost none that are not booked yet. */
async function repeatedIn(
  ends: Ends,
  stream: StreamSettings,
  { site, skew, copy, before, isBack, raw, overrun }: Seen,
): Promise<Positions["repeated"]> {
  const { last_seq: last } = ends.atSite.state;
  const isBooked = ({ first, last: upTo }: Overrun): boolean =>
    !isBack && (before?.repeated ?? []).some((one) => one.first <= first && one.last >= upTo);
  if (!isBack && raw <= last) return overrun === undefined || isBooked(overrun) ? undefined : overrun;
  const upTo = Math.max(isBack ? (before?.stream.last ?? 0) : 0, raw > last ? raw : 0, overrun?.last ?? 0);
  // Older messages may differ from the hub's copies too: the store went back before.
  const mark = await sameUpTo(ends.site, ends.atSite, before?.stream.marks ?? []);
  const least = (mark?.seq ?? 0) + 1;
  const found = await firstNew(ends, stream, site, skew, copy, upTo);
  const first = Math.max(least, Math.min(found?.first ?? last + 1, overrun?.first ?? Infinity));
  const repeated = { first, last: upTo };
  return first > upTo || isBooked(repeated) ? undefined : repeated;
}
