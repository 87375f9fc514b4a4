import { relabelled } from "../../configs/monitor/metadata";
import { siteStreamName } from "../../configs/names";
import { probeSubjects } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { collectedName, collectedSubject, isSourceOfSite } from "../../configs/streams";
import { Leaving, Loss, lossWords, lossesOf } from "./at-stake";
import { lookAtBook } from "../book/look";
import { bookLastPosition, readBook } from "../book/record";
import { SiteAccess, atHub, atSite, sourceInfoOf } from "../sourcing/collected";
import { mayDiscard, mayDiscardCollected } from "../sourcing/discard";
import { StreamInfo, isNoStorage } from "../../servers/nats/jetstream";
import { monitoredWithout } from "../sourcing/monitored";
import { Refusal, messageOf, passUnlessRefusal } from "../../machine/refusal";
import { report } from "../../machine/report";
import { tryAgain } from "../../machine/until";
import { SILENT_AFTER_MS, isActive, onHubStream, rearm } from "../sourcing/source";
import { otherOwner } from "../sourcing/stream-owner";

/**
 * How streams of a site are removed: only those that carry this stack's mark, and never with messages that the hub
 * lacks, unless permitted.
 */

export interface Removal extends Leaving {
  stack: string;
  /** The stack's folder. */
  root: string;
  /** Whether the site's own streams were ever made. */
  made: boolean;
}

/** Refuses to take streams away with messages that would be lost. */
export async function refuseLosses(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  removal: Leaving & { made: boolean },
  patienceMs?: number,
): Promise<void> {
  const { site, expect } = access;
  // A site that was never there has nothing; one that should be there may have streams of others.
  const isNever = !removal.made && expect === "offline";
  if (streams.length === 0 || isNever || mayDiscard(site)) return;
  const losses = await lossesOf(access, streams, removal, patienceMs).catch((error: unknown): Loss[] =>
    removal.made ? [{ words: `its streams cannot be read (${messageOf(error)})` }] : [],
  );
  if (losses.length === 0) return;
  throw new Refusal(`site ${site}: ${lossWords(losses, site)}`);
}

/**
 * Removes streams at the site, and the site's source from the hub's streams, whose messages stay unless
 * `DISCARD_COLLECTED` permits their loss. A stream of others stays as it is. A server that is removed with its streams
 * and does not answer has nothing left to remove. Resolves with how many messages were purged out of hub streams that
 * stay, by stream.
 */
export async function removeStreams(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  removal: Removal,
): Promise<Record<string, number>> {
  const purged: Record<string, number> = {};
  // If no stream leaves, no login is needed: the site may have another operator by now.
  if (streams.length === 0) return purged;
  const { made, withServer } = removal;
  if (!mayDiscard(access.site)) {
    if (made) await drain(access, streams, removal);
    else await refuseLosses(access, streams, removal);
  }
  const failed = (error: unknown): void => {
    if (!withServer) throw error;
    passUnlessRefusal(error);
  };
  for (const stream of streams) {
    if (made) await closeBook(access, stream, removal);
    // At the site first: without its source it would be unknown which of its messages the hub has.
    if (made) await removeAtSite(access, stream, removal).catch(failed);
    await onHubStream(access, stream, async () => {
      purged[stream.name] = await releaseSource(access, stream, removal);
    }).catch(failed);
  }
  return purged;
}

/** The last look at a stream that accepts no more messages: what is missing of it is reported now, because its book ends. */
async function closeBook(access: SiteAccess, stream: StreamSettings, { root }: Removal): Promise<void> {
  if (readBook(root, stream, access.site) === undefined) return;
  const facts = await lookAtBook({ root, access, stream });
  for (const { kind, count, from, to, cause } of facts?.open ?? [])
    report(
      `site ${access.site}: stream ${siteStreamName(stream, access.site)} is removed, and its account book ends; ` +
        `messages ${kind}: ${count}, between ${from} and ${to}${cause === undefined ? "" : `: ${cause}`}`,
    );
}

async function removeAtSite(access: SiteAccess, stream: StreamSettings, { stack, withServer }: Removal): Promise<void> {
  const { site } = access;
  const name = siteStreamName(stream, site);
  const js = await atSite(access);
  const info = await js.stream(name);
  if (info === undefined) return;
  const owner = otherOwner(info, stack);
  if (owner === undefined) return js.deleteStream(name);
  const fate = withServer
    ? `it goes with the site's server, and ${info.state.messages} messages with it`
    : `it is left as it is; delete it with 'nats stream rm ${name}' (as operator of ${site}, at the site) if it is not needed`;
  report(`site ${site}: stream ${name} at the site ${owner}: ${fate}`);
}

/** Time in which the hub takes what a site's stream holds; and after which a source that is silent is restarted. */
const CATCH_UP_MS = 20_000;
const SOURCE_STARTS_MS = 3_000;
const STARTED = { within: 3_000, every: 100 };

/**
 * Waits until the hub has all that the site's streams hold. A source that lost its site (the hub was restarted) looks for
 * it for up to 40 s, and one that is started while the link comes back may miss it again. Errors: a Refusal when the hub
 * lacks some after that time.
 */
async function catchUp(access: SiteAccess, streams: readonly StreamSettings[], removal: Removal): Promise<void> {
  const look = () => lossesOf(access, streams, removal, SOURCE_STARTS_MS);
  for (const deadline = Date.now() + CATCH_UP_MS; ;) {
    // Servers that have only just started refuse some requests, and end connections.
    const losses = await tryAgain(look, () => true, STARTED).catch(() => undefined);
    if (losses?.length === 0) return;
    const isLacking = losses?.some(({ isOthers = false }) => !isOthers) ?? false;
    if (!isLacking || Date.now() >= deadline) return refuseLosses(access, streams, removal);
    for (const stream of streams)
      await atHub(access, stream)
        .then((js) => js.stream(stream.name))
        .then((info) =>
          isActive(info, access.site, SILENT_AFTER_MS) ? undefined : rearm(access, stream, removal.stack),
        )
        .catch(() => undefined);
  }
}

/**
 * Lets the site's streams take no more messages, and waits until the hub has all that they hold: what an application
 * publishes from then on is refused, and not lost. Errors: a Refusal when the hub lacks some; the streams are as before.
 */
async function drain(access: SiteAccess, streams: readonly StreamSettings[], removal: Removal): Promise<void> {
  const { stack } = removal;
  // Most refusals need no stream to be closed.
  await catchUp(access, streams, removal);
  const js = await atSite(access);
  const closed: StreamInfo[] = [];
  try {
    for (const stream of streams) {
      const info = await js.stream(siteStreamName(stream, access.site));
      if (info === undefined || otherOwner(info, stack) !== undefined) continue;
      const { config } = info;
      await js.updateStream({ ...config, subjects: [probeSubjects(config.name)] });
      closed.push(info);
    }
    await catchUp(access, streams, removal);
  } catch (error) {
    for (const { config } of closed) await js.updateStream(config);
    throw error;
  }
}

/** Resolves with how many messages were purged out of a stream that stays. */
async function releaseSource(
  access: SiteAccess,
  stream: StreamSettings,
  { stack, withServer, root }: Removal,
): Promise<number> {
  const js = await atHub(access, stream);
  const info = await js.stream(stream.name);
  if (info === undefined) return 0;
  const owner = otherOwner(info, stack);
  if (owner !== undefined) {
    const where = `hub stream ${collectedName(stream, access.site)}`;
    const account = stream.collect.mode === "merged" ? "the hub" : access.site;
    const cure = `delete it with 'nats stream rm ${stream.name}' (as operator of ${account}, on the hub) if it is not needed`;
    report(`site ${access.site}: ${where} ${owner}: it is left as it is, with its messages and sources; ${cure}`);
    return 0;
  }
  const others = (info.config.sources ?? []).filter((source) => !isSourceOfSite(source, access.site));
  let purged = 0;
  if (mayDiscardCollected(access.site)) {
    if (stream.collect.mode === "perSite") return js.deleteStream(stream.name).then(() => 0);
    purged = await js.purge(stream.name, collectedSubject(stream, access.site, ">"));
  }
  await bookLastPosition(root, stream, access.site, sourceInfoOf(info, access.site)?.seq ?? 0);
  // What is kept reserves what it holds: its account has no more room than the declared streams need.
  const isKept = others.length === 0 && !withServer;
  const room = isKept ? { max_bytes: Math.max(1, info.state.bytes) } : {};
  const monitored = monitoredWithout(access.site, info.config, others, stream.collect.replicas);
  const config = { ...info.config, ...room, metadata: relabelled(info.config.metadata, monitored) };
  await js.setSources({ ...info, config }, others).catch((error: unknown) => {
    // An account without any room takes no change; a source whose stream at the site is gone takes nothing.
    if (!isNoStorage(error)) throw error;
  });
  return purged;
}
