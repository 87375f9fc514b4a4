import { setTimeout as sleep } from "node:timers/promises";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { collectedName, collectedSubject } from "../../configs/streams";
import { StreamFacts } from "../../diagnosis/facts/facts";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../sourcing/collected";
import {
  Clocks,
  Ends,
  Overrun,
  clocksOf,
  countOf,
  firstNew,
  isLeft,
  isRecreated,
  overrunOf,
} from "../sourcing/lost-tail";
import type { Observed } from "./observed";
import { isActive, SILENT_AFTER_MS } from "../sourcing/source";

/** The condition of one stream of a site and of the hub's source of it. Read-only. */

export interface Pair extends Ends {
  collectedAs: string;
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
  /** Like "rolledBack", but the site has since stored as much: it is no longer behind the hub. */
  | { kind: "overrun"; pair: Pair; skipped: { first: number; count: number }; last: number }
  | {
      kind: "hubBehind";
      pair: Pair;
      how: "lost" | "rolled back";
      /** Messages that the site still holds and the hub has not. */
      toCome: number;
      /** Messages that the hub had at the last proof and that neither end holds any more. */
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
 * What has become of the stream. A message on its way into the hub's store is counted at neither end, so messages on
 * their way seem gone: the least of several looks counts.
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
  const { access, before, system } = observed;
  const { site } = access;
  const pair = await pairOf(access, stream);
  if ("kind" in pair) return pair;
  const clocks = await clocksOf(access, system);
  if (isAhead(pair)) {
    const last = await pair.hub.lastMessage(stream.name, collectedSubject(stream, site, ">"));
    if (isRecreated(pair, clocks, last)) return { kind: "recreated", pair };
    return { kind: "rolledBack", pair, skipped: await firstNew(pair, stream, site, clocks, last) };
  }
  const overrun = await overrunIn(pair, observed, stream, clocks);
  if (overrun !== undefined) {
    const { first, last } = overrun;
    return { kind: "overrun", pair, skipped: { first, count: await countOf(pair, first, last) }, last };
  }
  const toCome = await countOf(pair, pair.position + 1);
  const seen = before[pair.name];
  const how = lossOnHub(pair, seen);
  if (how !== undefined) {
    const gone = Math.max(0, (seen?.hubMessages ?? 0) - pair.onHub.state.messages - toCome);
    return { kind: "hubBehind", pair, how, toCome, gone };
  }
  return { kind: toCome > 0 || !isActive(pair.onHub, site, SILENT_AFTER_MS) ? "stuck" : "good", pair };
}

/** What the hub skipped of a site that lost its tail and is not behind it any more; undefined when nothing, or it is left. */
async function overrunIn(
  pair: Pair,
  { access: { site }, root }: Observed,
  stream: StreamSettings,
  clocks: Clocks,
): Promise<Overrun | undefined> {
  const overrun = await overrunOf(pair, stream, site, clocks);
  return overrun === undefined || isLeft(root, site, pair, overrun) ? undefined : overrun;
}

/** Like `overrunIn`, for a stream without an earlier look. */
export async function overrunAt(
  observed: Observed,
  stream: StreamSettings,
  clocks: Clocks | undefined,
): Promise<Overrun | undefined> {
  const pair = await pairOf(observed.access, stream);
  if (clocks === undefined || "kind" in pair || isAhead(pair)) return undefined;
  return overrunIn(pair, observed, stream, clocks);
}

/** What a preview and `refresh` say of a site that is behind the hub; undefined when it is not. */
export async function behindHub(access: SiteAccess, stream: StreamSettings): Promise<string | undefined> {
  const pair = await pairOf(access, stream);
  if ("kind" in pair || !isAhead(pair)) return undefined;
  const { collectedAs, name, position, atSite } = pair;
  return (
    `hub stream ${collectedAs} took sequence ${position} of stream ${name}, but the site's last is ${atSite.state.last_seq}: ` +
    `the hub skips what the site stores until it passes that sequence; 'make repair SITE=${access.site}' shows what was lost and what can be done`
  );
}
