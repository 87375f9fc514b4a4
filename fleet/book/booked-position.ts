import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject, isSourceOfSite } from "../../configs/streams";
import { readBook } from "./record";
import { SiteAccess, atHub, atSite } from "../sourcing/collected";
import { StreamInfo } from "../../servers/nats/jetstream";

/** The position up to which the hub took a site's stream, when only the account book still knows it. */

/** The site's stream, with the list of its deleted sequences; "unknown" where the site does not answer. */
export type Local = StreamInfo | "missing" | "unknown";

export async function localStream(access: SiteAccess, stream: StreamSettings): Promise<Local> {
  if (access.expect === "offline") return "unknown";
  try {
    return (await (await atSite(access)).stream(siteStreamName(stream, access.site), true)) ?? "missing";
  } catch {
    return "unknown";
  }
}

/** 0 if nothing was booked of these two streams, or if one of them was recreated or went back in time since. */
export function bookedPosition(
  root: string,
  stream: StreamSettings,
  site: string,
  onHub: StreamInfo,
  local: Local,
): number {
  const book = readBook(root, stream, site);
  const record = book?.sites[site];
  if (book === undefined || record === undefined || local === "missing") return 0;
  const isHubs = book.hub.created === onHub.created && book.hub.last <= onHub.state.last_seq;
  const isSites =
    local === "unknown" || (record.stream.created === local.created && record.position <= local.state.last_seq);
  return isHubs && isSites ? record.position : 0;
}

/** Whether the hub's stream has no source of the site any more, and no message either by which a new one could go on. */
export async function isForgotten(access: SiteAccess, stream: StreamSettings, onHub: StreamInfo): Promise<boolean> {
  if ((onHub.config.sources ?? []).some((source) => isSourceOfSite(source, access.site))) return false;
  const js = await atHub(access, stream);
  return (await js.lastMessage(stream.name, collectedSubject(stream, access.site, ">"))) === undefined;
}
