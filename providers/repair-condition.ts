import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../configs/names";
import { StreamSettings } from "../configs/settings";
import { collectedName, collectedSubject } from "../configs/streams";
import { StreamFacts } from "../diagnosis/facts";
import { SiteAccess, atHub, atSite, sourceInfoOf, systemAccess } from "./collected";
import { shared } from "./nats/connection";
import { JetStream, StoredMessage, StreamInfo } from "./nats/jetstream";
import { Varz, varz } from "./nats/system";
import { Observed } from "./smoke-test/observe";
import { isActive, SILENT_AFTER_MS } from "./source";

/** What has become of one stream of a site and the hub's source of it. Read-only. */

export interface Pair {
  name: string;
  collectedAs: string;
  site: JetStream;
  hub: JetStream;
  atSite: StreamInfo;
  onHub: StreamInfo;
  /** The last sequence that the hub took. */
  position: number;
}

export type Condition =
  | { kind: "good" | "stuck" | "recreated"; pair: Pair }
  | { kind: "missing"; where: string }
  | {
      kind: "rolledBack";
      pair: Pair;
      /** What the site stored since, on sequences that the hub skips. */
      skipped: { first: number; count: number } | undefined;
    }
  | {
      kind: "hubBehind";
      pair: Pair;
      how: "lost" | "rolled back";
      /** Messages that the site still holds and the hub has not. */
      toCome: number;
      /** Messages that the hub had at the last proof and that nobody holds any more. */
      gone: number;
    };

async function pairOf(access: SiteAccess, stream: StreamSettings): Promise<Pair | { kind: "missing"; where: string }> {
  const name = siteStreamName(stream, access.site);
  const collectedAs = collectedName(stream, access.site);
  const [hub, site] = await Promise.all([atHub(access, stream), atSite(access)]);
  // The hub first: what it took is never more than what the site shows afterwards, however fast data flows.
  const onHub = await hub.stream(stream.name);
  const local = await site.stream(name);
  if (onHub === undefined) return { kind: "missing", where: `hub stream ${collectedAs}` };
  if (local === undefined) return { kind: "missing", where: `stream ${name} at the site` };
  const source = sourceInfoOf(onHub, access.site);
  if (source === undefined) return { kind: "missing", where: `the site's source in hub stream ${collectedAs}` };
  return { name, collectedAs, site, hub, atSite: local, onHub, position: source.seq ?? 0 };
}

/** Whether the hub took sequences that the site does not have, which it lost then. */
const isAhead = ({ position, atSite: { state } }: Pair): boolean => position > state.last_seq;

/** The site's clock minus the hub's, and how exact that is, in milliseconds. */
export interface Skew {
  ms: number;
  within: number;
}

async function skewOf({ access, system }: Observed): Promise<Skew> {
  const asked = Date.now();
  const { hub: atTheHub, leaf } = systemAccess(access, system);
  const of = async (who: Parameters<typeof shared>[0]): Promise<Varz> => varz(await shared(who));
  const [hub, site] = await Promise.all([of(atTheHub), of(leaf)]);
  return { ms: Date.parse(site.now) - Date.parse(hub.now), within: Date.now() - asked + 20 };
}

/** The sequence that a message of the hub's stream had at the site. */
const originOf = ({ headers }: StoredMessage): number => Number(headers["Nats-Stream-Source"]?.split(" ")[1]);

/** The hub's copy of what the site stored as `seq`, found by halves: a site's copies stand in the order of the site. */
async function copyOf(
  { hub, onHub }: Pick<Pair, "hub" | "onHub">,
  filter: string,
  seq: number,
): Promise<StoredMessage | undefined> {
  let { first_seq: low, last_seq: high } = onHub.state;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const message = await hub.nextMessage(onHub.config.name, filter, middle);
    if (message === undefined || message.seq > high) high = middle - 1;
    else if (originOf(message) === seq) return message;
    else if (originOf(message) < seq) low = message.seq + 1;
    else high = middle - 1;
  }
  return undefined;
}

/**
 * The first message at the site that was stored after the site lost its tail, found by halves. Old messages are those
 * that the hub has the same of. Where it cannot tell by content, by time: what the site stored after the hub had taken
 * its last message is new.
 */
export async function firstNew(
  pair: Pick<Pair, "name" | "site" | "hub" | "atSite" | "onHub">,
  stream: StreamSettings,
  site: string,
  skew: Skew,
  last: StoredMessage | undefined,
): Promise<{ first: number; count: number } | undefined> {
  const filter = collectedSubject(stream, site, ">");
  const isAfter = (message: StoredMessage, copy: StoredMessage) =>
    message.storedAt - skew.ms > copy.storedAt + skew.within;
  const isNew = async (message: StoredMessage): Promise<boolean> => {
    const copy = await copyOf(pair, filter, message.seq);
    if (copy === undefined) return last === undefined || isAfter(message, last);
    const isSame =
      copy.subject === collectedSubject(stream, site, message.subject) &&
      Buffer.compare(copy.payload, message.payload) === 0;
    return !isSame || isAfter(message, copy);
  };
  let { first_seq: low, last_seq: high } = pair.atSite.state;
  let first: number | undefined;
  while (low <= high) {
    const middle = Math.floor((low + high) / 2);
    const message = await pair.site.nextMessage(pair.name, ">", middle);
    if (message === undefined || message.seq > high) high = middle - 1;
    else if (await isNew(message)) {
      first = message.seq;
      high = middle - 1;
    } else low = message.seq + 1;
  }
  return first === undefined ? undefined : { first, count: await countFrom(pair, first) };
}

/** Messages that the site holds from `first` on; of very many, how many there are at most. */
async function countFrom(
  { site, name, atSite: { state } }: Pick<Pair, "site" | "name" | "atSite">,
  first: number,
): Promise<number> {
  const span = state.last_seq - first + 1;
  if (state.messages === 0 || span > COUNTED_ONE_BY_ONE) return Math.min(state.messages, span);
  let count = 0;
  for (let seq = first; ; count++) {
    const message = await site.nextMessage(name, ">", seq);
    if (message === undefined || message.seq > state.last_seq) return count;
    seq = message.seq + 1;
  }
}

const COUNTED_ONE_BY_ONE = 10_000;

/**
 * Whether the site has another stream than the one that the hub took its last message from: nats-server 2.15 sees that
 * and starts again by itself. A stream that lost its tail is the same one, and nothing in the servers sees it.
 */
const isRecreated = ({ atSite: { created } }: Pair, skew: Skew, last: StoredMessage | undefined): boolean =>
  last !== undefined && Date.parse(created) - skew.ms > last.storedAt;

type Before = NonNullable<StreamFacts["before"]>;

function lossOnHub(
  { onHub: { created, state } }: Pair,
  before: Before | undefined,
): "lost" | "rolled back" | undefined {
  if (before === undefined) return undefined;
  if (created !== before.hubCreated) return "lost";
  return state.last_seq < before.hubLastSeq ? "rolled back" : undefined;
}

const LOOKS = 5;
const BETWEEN_LOOKS_MS = 200;

/**
 * What has become of the stream. A message on its way into the hub's store is counted by nobody, so that as many as are
 * on their way seem gone: the least of some looks is believed.
 */
export async function conditionOf(observed: Observed, stream: StreamSettings): Promise<Condition> {
  let least = await look(observed, stream);
  for (let looks = 1; looks < LOOKS && least.kind === "hubBehind" && least.gone > 0; looks++) {
    await sleep(BETWEEN_LOOKS_MS);
    const next = await look(observed, stream);
    if (next.kind !== "hubBehind" || next.gone <= least.gone) least = next;
  }
  return least;
}

async function look(observed: Observed, stream: StreamSettings): Promise<Condition> {
  const { access, before } = observed;
  const { site } = access;
  const pair = await pairOf(access, stream);
  if ("kind" in pair) return pair;
  if (isAhead(pair)) {
    const skew = await skewOf(observed);
    const last = await pair.hub.lastMessage(stream.name, collectedSubject(stream, site, ">"));
    if (isRecreated(pair, skew, last)) return { kind: "recreated", pair };
    return { kind: "rolledBack", pair, skipped: await firstNew(pair, stream, site, skew, last) };
  }
  const toCome = await countFrom(pair, pair.position + 1);
  const seen = before[pair.name];
  const how = lossOnHub(pair, seen);
  if (how !== undefined) {
    const gone = Math.max(0, (seen?.hubMessages ?? 0) - pair.onHub.state.messages - toCome);
    return { kind: "hubBehind", pair, how, toCome, gone };
  }
  return { kind: toCome > 0 || !isActive(pair.onHub, site, SILENT_AFTER_MS) ? "stuck" : "good", pair };
}

/** What a preview and `refresh` say of a site that is behind the hub; undefined when it is not. */
export async function behindHub(access: SiteAccess, stream: StreamSettings): Promise<string | undefined> {
  const pair = await pairOf(access, stream);
  if ("kind" in pair || !isAhead(pair)) return undefined;
  const { collectedAs, name, position, atSite } = pair;
  return (
    `hub stream ${collectedAs} took sequence ${position} of stream ${name}, and the site's last is ${atSite.state.last_seq}: ` +
    `the hub skips what the site stores until it is there; 'make repair SITE=${access.site}' says what was lost and what can be done`
  );
}
