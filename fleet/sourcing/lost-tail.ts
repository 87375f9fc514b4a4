import { resolve } from "node:path";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { SiteAccess, systemAccess } from "./collected";
import { readJson, makeFolder, writePrivate } from "../../machine/folders";
import { shared } from "../../servers/nats/connection";
import { JetStream, SOURCE_HEADER, StoredMessage, StreamInfo } from "../../servers/nats/jetstream";
import { varz } from "../../servers/nats/system";
import { originIn, streamIdent } from "./source-identity";

/**
 * What a site stored since it lost its last messages, on sequences that the hub had taken before: the hub skips it, and
 * nothing in the servers shows that. Read-only, except for the note of what was left as it is.
 */

/** A stream of a site, and the hub's of it. */
export interface Ends {
  name: string;
  site: JetStream;
  hub: JetStream;
  atSite: StreamInfo;
  onHub: StreamInfo;
}

/** The site's clock minus the hub's, and how exact that is, in milliseconds. */
export interface Skew {
  ms: number;
  within: number;
}

/** The clocks, and when the site's server started, by its own, in milliseconds since 1970. */
export interface Clocks extends Skew {
  startedAt: number;
}

const NARROW_MS = 50;
const MOST_LOOKS = 4;

/** Looked at again while the answers take long: what happened within that time of the site's start is uncertain. */
export async function clocksOf(access: SiteAccess, system: string): Promise<Clocks> {
  let best = await lookAtClocks(access, system);
  for (let looks = 1; looks < MOST_LOOKS && best.within > NARROW_MS; looks++) {
    const again = await lookAtClocks(access, system);
    if (again.within < best.within) best = again;
  }
  return best;
}

async function lookAtClocks(access: SiteAccess, system: string): Promise<Clocks> {
  const asked = Date.now();
  const { hub, leaf } = systemAccess(access, system);
  const [atHub, atSite] = await Promise.all([shared(hub).then(varz), shared(leaf).then(varz)]);
  return {
    ms: Date.parse(atSite.now) - Date.parse(atHub.now),
    within: Date.now() - asked + 20,
    startedAt: Date.parse(atSite.start),
  };
}

/** The sequence that a message of the hub's stream had at the site. */
export const originOf = ({ headers }: StoredMessage): number => Number(headers[SOURCE_HEADER]?.split(" ")[1]);

/**
 * Where the messages of a stream from sequence `low` to `high` divide, found by halves: the last for which `isBefore`
 * holds, and the first for which it does not any more.
 */
export async function divide(
  js: JetStream,
  { stream, filter }: { stream: string; filter: string },
  { low, high }: { low: number; high: number },
  isBefore: (message: StoredMessage) => boolean | Promise<boolean>,
): Promise<{ last?: StoredMessage; first?: StoredMessage }> {
  const found: { last?: StoredMessage; first?: StoredMessage } = {};
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const message = await js.nextMessage(stream, filter, middle);
    if (message === undefined || message.seq > high) high = middle - 1;
    else if (await isBefore(message)) {
      found.last = message;
      low = message.seq + 1;
    } else {
      found.first = message;
      high = middle - 1;
    }
  }
  return found;
}

const rangeOf = ({ state }: StreamInfo) => ({ low: state.first_seq, high: state.last_seq });

/** What the hub holds of one site. */
const copiesOf = ({ onHub }: Pick<Ends, "onHub">, stream: StreamSettings, site: string) => ({
  stream: onHub.config.name,
  filter: collectedSubject(stream, site, ">"),
});

/**
 * The hub's copy of what the site stored as `seq`. Copies of earlier streams of that name come first; those of the stream of
 * now stand in the order of the site.
 */
async function copyOf(ends: Ends, stream: StreamSettings, site: string, seq: number) {
  const now = streamIdent(ends.atSite.created);
  const isOfEarlier = ({ headers }: StoredMessage) => (originIn(headers[SOURCE_HEADER])?.ident ?? now) !== now;
  const isBefore = (message: StoredMessage) => isOfEarlier(message) || originOf(message) < seq;
  const { first } = await divide(ends.hub, copiesOf(ends, stream, site), rangeOf(ends.onHub), isBefore);
  return first !== undefined && originOf(first) === seq ? first : undefined;
}

const isCopy = (copy: StoredMessage, message: StoredMessage, stream: StreamSettings, site: string): boolean =>
  copy.subject === collectedSubject(stream, site, message.subject) &&
  Buffer.compare(copy.payload, message.payload) === 0;

/**
 * The first message at the site that was stored after the site lost its tail. Old messages are those of which the hub
 * has an equal copy. If content does not decide, time does: what the site stored after the hub had taken its last
 * message is new. `upTo`: what the hub had taken before; behind it everything is new, and the hub has it all the same.
 */
export async function firstNew(
  ends: Ends,
  stream: StreamSettings,
  site: string,
  skew: Skew,
  last: StoredMessage | undefined,
  upTo = Infinity,
): Promise<{ first: number; count: number } | undefined> {
  const isAfter = (message: StoredMessage, copy: StoredMessage) =>
    message.storedAt - skew.ms > copy.storedAt + skew.within;
  const isOld = async (message: StoredMessage): Promise<boolean> => {
    const copy = await copyOf(ends, stream, site, message.seq);
    if (copy === undefined) return last !== undefined && !isAfter(message, last);
    return isCopy(copy, message, stream, site) && !isAfter(message, copy);
  };
  const { low, high } = rangeOf(ends.atSite);
  const range = { low, high: Math.min(high, upTo) };
  const { first } = await divide(ends.site, { stream: ends.name, filter: ">" }, range, isOld);
  return first === undefined ? undefined : { first: first.seq, count: await countOf(ends, first.seq) };
}

/** Messages that the site holds from one sequence to another; of very many, how many there are at most. */
export async function countOf(
  { site, name, atSite: { state } }: Pick<Ends, "site" | "name" | "atSite">,
  first: number,
  last = state.last_seq,
): Promise<number> {
  const span = last - first + 1;
  if (state.messages === 0 || span > COUNTED_ONE_BY_ONE) return Math.min(state.messages, span);
  let count = 0;
  for (let seq = first; ; count++) {
    const message = await site.nextMessage(name, ">", seq);
    if (message === undefined || message.seq > last) return count;
    seq = message.seq + 1;
  }
}

const COUNTED_ONE_BY_ONE = 10_000;

/**
 * Whether the site's stream was recreated since the hub last read from it: nats-server 2.15 notices that and starts
 * over. A stream that lost its tail is still the same stream, and the servers do not notice the loss.
 */
export const isRecreated = (
  { atSite: { created } }: Pick<Ends, "atSite">,
  skew: Pick<Skew, "ms">,
  last: StoredMessage | undefined,
): boolean => last !== undefined && Date.parse(created) - skew.ms > last.storedAt;

/** By how much the site's clock is ahead of the hub's, as far as two looks show that are not made at the same moment. */
export function clockSkew({ onHub, atSite }: Pick<Ends, "onHub" | "atSite">): Skew {
  const [hub, site] = [onHub.clock, atSite.clock];
  if (hub === undefined || site === undefined) return { ms: 0, within: 0 };
  return { ms: site.aheadMs - hub.aheadMs, within: site.offByMs + hub.offByMs };
}

/**
 * Like `isRecreated`, for a hub's source that is ahead or does not report its position, by the clocks that come with
 * the streams; undefined when it is not ahead, or that is unknown. `subjects`: under which the hub stores what it takes
 * of the site.
 */
export async function isRemade(
  hub: JetStream,
  { onHub, atSite }: Pick<Ends, "onHub" | "atSite">,
  seq: number | undefined,
  subjects: readonly string[],
): Promise<boolean | undefined> {
  if ((seq !== undefined && seq <= atSite.state.last_seq) || onHub.ts === undefined || atSite.ts === undefined)
    return undefined;
  const skew = clockSkew({ onHub, atSite });
  const taken = await Promise.all(subjects.map((subject) => hub.lastMessage(onHub.config.name, subject)));
  const stored = taken.filter((message) => message !== undefined);
  return stored.length > 0 && stored.every((message) => isRecreated({ atSite }, skew, message));
}

/** Sequences at the site, both included, with messages of which the hub has none. */
export interface Overrun {
  first: number;
  last: number;
}

/**
 * What the hub skipped of a site that lost its tail and has since stored as much: it is no longer behind the hub. What
 * the hub had taken before the site's server started, the site stored before that too; so a message there that is
 * younger than the start, and another than the hub's, stands in the place of a lost one. An earlier start is not looked
 * at.
 */
export async function overrunOf(
  ends: Ends,
  stream: StreamSettings,
  site: string,
  clocks: Clocks,
): Promise<Overrun | undefined> {
  const { startedAt } = clocks;
  const startOnHub = startedAt - clocks.ms - clocks.within;
  const copies = copiesOf(ends, stream, site);
  const { last: copy } = await divide(ends.hub, copies, rangeOf(ends.onHub), ({ storedAt }) => storedAt < startOnHub);
  if (copy === undefined || isRecreated(ends, clocks, copy)) return undefined;
  const last = originOf(copy);
  const { first_seq, last_seq } = ends.atSite.state;
  if (last > last_seq || last < first_seq) return undefined;
  const at = await ends.site.nextMessage(ends.name, ">", last);
  // The usual case, decided by one message of the site.
  if (at?.seq === last && (at.storedAt < startedAt || isCopy(copy, at, stream, site))) return undefined;
  const range = { low: first_seq, high: last };
  const { first } = await divide(
    ends.site,
    { stream: ends.name, filter: ">" },
    range,
    ({ storedAt }) => storedAt < startedAt,
  );
  if (first === undefined) return undefined;
  const other = await copyOf(ends, stream, site, first.seq);
  return other !== undefined && isCopy(other, first, stream, site) ? undefined : { first: first.seq, last };
}

// --- what was left as it is by decision

interface Left {
  /** Of the site's stream. */
  created: string;
  last: number;
}

const leftFile = (root: string, site: string, stream: string): string =>
  `${resolve(root)}/repair/${site}.${stream}.left.json`;

/** Notes that the hub need never have what it skipped of this stream up to that sequence. */
export function leave(root: string, site: string, { name, atSite }: Ends, last: number): void {
  makeFolder(`${resolve(root)}/repair`);
  writePrivate(leftFile(root, site, name), JSON.stringify({ created: atSite.created, last } satisfies Left));
}

export function isLeft(root: string, site: string, { name, atSite }: Ends, { last }: Overrun): boolean {
  const left = readJson<Left>(leftFile(root, site, name));
  return left !== undefined && left.created === atSite.created && left.last >= last;
}
