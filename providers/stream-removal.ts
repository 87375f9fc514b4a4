import { siteStreamName } from "../configs/names";
import { probeSubjects } from "../configs/permissions";
import { StreamSettings } from "../configs/settings";
import { collectedSubject, isSourceOfSite } from "../configs/streams";
import { SiteAccess, atHub, atSite, undelivered } from "./collected";
import { mayDiscard, mayDiscardCollected } from "./discard";
import { StreamInfo, isNoStorage } from "./nats/jetstream";
import { Refusal, messageOf, passUnlessRefusal } from "./refusal";
import { onHubStream, rearm } from "./source";

/** How streams of a site are taken away: never with messages that the hub lacks, unless told so. */

/**
 * Refuses to take streams away while the hub lacks some of their messages. `made`: whether the site's own streams were ever
 * made.
 */
export async function refuseUndelivered(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  made: boolean,
  patienceMs?: number,
): Promise<void> {
  const { site } = access;
  if (streams.length === 0 || !made || mayDiscard(site)) return;
  const lost = await undelivered(access, streams, patienceMs).catch((error: unknown) => [
    `its streams cannot be read (${messageOf(error)})`,
  ]);
  if (lost.length === 0) return;
  throw new Refusal(`site ${site}: ${lost.join("; ")}; wait until they did, or allow the loss with DISCARD=${site}`);
}

/**
 * Takes streams away at the site, and the site's source off the hub's, whose messages stay unless told otherwise.
 * `withServer`: the site's server goes too, and one that does not answer has nothing left to take away.
 */
export async function removeStreams(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  { made, withServer }: { made: boolean; withServer: boolean },
): Promise<void> {
  // Without a stream that leaves nobody logs in: the site may have another operator by now.
  if (streams.length === 0) return;
  if (made && !mayDiscard(access.site)) await drain(access, streams);
  const failed = (error: unknown): void => {
    if (!withServer) throw error;
    passUnlessRefusal(error);
  };
  for (const stream of streams) {
    // At the site first: without its source nobody could tell what of it the hub has.
    if (made)
      await atSite(access)
        .then((js) => js.deleteStream(siteStreamName(stream, access.site)))
        .catch(failed);
    await onHubStream(access, stream, () => releaseSource(access, stream, withServer)).catch(failed);
  }
}

/** Time in which the hub takes what a site's stream holds, once the stream takes no more. */
const DRAIN_MS = 10_000;

/**
 * Lets the site's streams take no more messages, and waits until the hub has all that they hold: what an application
 * publishes from then on is refused, and not lost. Errors: a Refusal when the hub lacks some; the streams are as before.
 */
async function drain(access: SiteAccess, streams: readonly StreamSettings[]): Promise<void> {
  // A source that lost its site (the hub restarted) looks for it for 40 s; and most refusals need no stream to be closed.
  const isLacking = await undelivered(access, streams).then(
    (lost) => lost.length > 0,
    () => false,
  );
  if (isLacking) for (const stream of streams) await rearm(access, stream).catch(() => undefined);
  await refuseUndelivered(access, streams, true, isLacking ? DRAIN_MS : undefined);
  const js = await atSite(access);
  const closed: StreamInfo[] = [];
  try {
    for (const stream of streams) {
      const info = await js.stream(siteStreamName(stream, access.site));
      if (info === undefined) continue;
      const { config } = info;
      await js.updateStream({ ...config, subjects: [probeSubjects(config.name)] });
      closed.push(info);
    }
    await refuseUndelivered(access, streams, true, DRAIN_MS);
  } catch (error) {
    for (const { config } of closed) await js.updateStream(config);
    throw error;
  }
}

async function releaseSource(access: SiteAccess, stream: StreamSettings, withServer: boolean): Promise<void> {
  const js = await atHub(access, stream);
  const info = await js.stream(stream.name);
  if (info === undefined) return;
  const others = (info.config.sources ?? []).filter((source) => !isSourceOfSite(source, access.site));
  if (mayDiscardCollected(access.site)) {
    if (stream.collect.mode === "perSite") return js.deleteStream(stream.name);
    await js.purge(stream.name, collectedSubject(stream, access.site, ">"));
  }
  // What is kept reserves what it holds: its account has no more room than the declared streams need.
  const isKept = others.length === 0 && !withServer;
  const kept = isKept ? { ...info, config: { ...info.config, max_bytes: Math.max(1, info.state.bytes) } } : info;
  await js.setSources(kept, others).catch((error: unknown) => {
    // An account without any room takes no change; a source whose stream at the site is gone takes nothing.
    if (!isNoStorage(error)) throw error;
  });
}
