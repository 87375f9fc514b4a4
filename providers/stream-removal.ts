import { siteStreamName } from "../configs/names";
import { StreamSettings } from "../configs/settings";
import { collectedSubject, isSourceOfSite } from "../configs/streams";
import { SiteAccess, atHub, atSite, undelivered } from "./collected";
import { mayDiscard, mayDiscardCollected } from "./discard";
import { Refusal, messageOf, passUnlessRefusal } from "./refusal";
import { onHubStream } from "./source";

/** How streams of a site are taken away: never with messages that the hub lacks, unless told so. */

/**
 * Refuses to take streams away while the hub lacks some of their messages. `made`: whether the site's own streams were ever
 * made.
 */
export async function refuseUndelivered(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  made: boolean,
): Promise<void> {
  const { site } = access;
  if (streams.length === 0 || !made || mayDiscard(site)) return;
  const lost = await undelivered(access, streams).catch((error: unknown) => [
    `its streams cannot be read (${messageOf(error)})`,
  ]);
  if (lost.length === 0) return;
  throw new Refusal(`site ${site}: ${lost.join("; ")}; wait until they did, or allow the loss with DISCARD=${site}`);
}

/** Takes streams away at the site, and the site's source off the hub's, whose messages stay unless told otherwise. */
export async function removeStreams(
  access: SiteAccess,
  streams: readonly StreamSettings[],
  made: boolean,
): Promise<void> {
  await refuseUndelivered(access, streams, made);
  for (const stream of streams) {
    // A hub or a site that is gone has nothing left to take away.
    await onHubStream(access, stream, () => releaseSource(access, stream)).catch(passUnlessRefusal);
    if (made)
      await atSite(access)
        .then((js) => js.deleteStream(siteStreamName(stream, access.site)))
        .catch(passUnlessRefusal);
  }
}

async function releaseSource(access: SiteAccess, stream: StreamSettings): Promise<void> {
  const js = await atHub(access, stream);
  const info = await js.stream(stream.name);
  if (info === undefined) return;
  const others = (info.config.sources ?? []).filter((source) => !isSourceOfSite(source, access.site));
  if (mayDiscardCollected(access.site)) {
    if (stream.collect.mode === "perSite") return js.deleteStream(stream.name);
    await js.purge(stream.name, collectedSubject(stream, access.site, ">"));
  }
  await js.setSources(info, others);
}
