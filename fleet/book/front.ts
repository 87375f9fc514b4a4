import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { SiteRecord } from "../../diagnosis/book/ledger";
import { Look } from "../../diagnosis/book/look";
import { originOf } from "../sourcing/lost-tail";
import { JetStream, SOURCE_HEADER, StreamInfo } from "../../servers/nats/jetstream";
import { identOf } from "./positions";

/** What the hub held of a site at its oldest end: what is older had left the hub's stream before. */

/**
 * The site's sequence of the oldest copy that the hub holds. `position` + 1 when it holds none; 0 when the copy is of
 * an earlier stream of this name at the site, or unknown.
 */
export async function oldestCopy(
  hub: JetStream,
  stream: StreamSettings,
  site: string,
  { onHub, position, ident }: { onHub: StreamInfo; position: number; ident: string | undefined },
): Promise<number> {
  const copy = await hub.nextMessage(stream.name, collectedSubject(stream, site, ">"), onHub.state.first_seq);
  if (copy === undefined) return position + 1;
  const isOfThis = ident !== undefined && identOf(copy) === ident;
  return isOfThis && copy.headers[SOURCE_HEADER] !== undefined ? originOf(copy) : 0;
}

/** Messages that the site still held of what had left the hub's stream before it was recreated, and delivered again. */
export function deliveredAgain(
  { oldest = 0, leftBelow = oldest }: SiteRecord,
  { state }: StreamInfo,
  oldestNow: number,
): Look["deliveredAgain"] {
  const first = Math.max(1, Math.min(state.first_seq, oldestNow));
  const heldBelow = (end: number): number => {
    const deleted = (state.deleted ?? []).filter((seq) => seq >= first && seq < end).length;
    return Math.max(0, end - first - deleted);
  };
  return { ofFront: heldBelow(oldest), ofLeft: heldBelow(Math.min(oldest, leftBelow)) };
}
