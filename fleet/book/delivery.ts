import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Collection } from "../../diagnosis/book/ledger";
import { Delivery } from "../../diagnosis/book/runs";
import { SiteAccess, atHub } from "../sourcing/collected";
import { originOf } from "../sourcing/lost-tail";
import { StreamInfo } from "../../servers/nats/jetstream";
import { Copies } from "./holes";
import { passedBehind } from "./merged";
import { Positions, identOf } from "./positions";

/** What a site delivers once more to a hub whose store is another one. */

/** Maximum number of requests for the newest copy that a store that went back still has. */
const MOST_REQUESTS = 100;

/** What the site delivers to a hub's stream that was made anew: the hub may have it already, and the site no more. */
export const deliveryOf = ({ state }: StreamInfo, oldestNow = Infinity): Delivery => ({
  from: Math.max(1, Math.min(state.first_seq, oldestNow)),
  deleted: state.deleted ?? [],
});

/**
 * What the site delivers to a hub's store that went back, behind the message that stands; undefined when that cannot be
 * read.
 */
export async function deliveryBehind(
  access: SiteAccess,
  stream: StreamSettings,
  seen: Positions,
  { before, behind }: { before: Collection; behind: number },
): Promise<Delivery | undefined> {
  const { onHub, atSite, position, ident } = seen;
  const record = before.sites[access.site] ?? {};
  const js = await atHub(access, stream);
  const copies = new Copies(js, stream.name, collectedSubject(stream, access.site, ">"), record, {
    left: MOST_REQUESTS,
  });
  const newest = await copies.upTo(onHub.state.first_seq, behind);
  const origin = newest === undefined || identOf(newest) !== ident ? 0 : originOf(newest);
  const passed = await passedBehind(access, stream, seen, { before, behind, origin });
  if (passed === undefined) return undefined;
  const { first_seq: first } = atSite.state;
  const deleted = atSite.state.deleted ?? [];
  const gone = first > position + 1 ? [{ first: position + 1, last: first - 1 }] : [];
  return { from: origin + 1, deleted: deleted.filter((seq) => seq > position), passed: [...passed, ...gone] };
}
