import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Collection } from "../../diagnosis/book/ledger";
import { Look } from "../../diagnosis/book/look";
import { Past, Run } from "../../diagnosis/book/runs";
import { behindSecond } from "../../diagnosis/book/second-copies";
import { SiteAccess, atHub } from "../sourcing/collected";
import { originOf } from "../sourcing/lost-tail";
import { JetStream } from "../../servers/nats/jetstream";
import { declaredSource, identOf } from "./positions";

/** What the hub held of a site at its oldest end: what is older had left the hub's stream before. */

interface Seen {
  first: number;
  ident: string | undefined;
  second: readonly Run[];
}

/** The oldest copy of a site that the hub holds, but for second copies. */
interface Oldest {
  /** Its sequence at the site; 0 when it is of an earlier stream of this name at the site, or nobody can tell. */
  origin: number;
  /** Of a copy of an earlier stream: which one. */
  past?: Past;
}

/** Undefined when the hub holds none. `first`: of the hub's stream. */
export async function oldestCopy(
  hub: JetStream,
  stream: StreamSettings,
  site: string,
  { first, ident, second }: Seen,
): Promise<Oldest | undefined> {
  const next = (seq: number) => hub.nextMessage(stream.name, collectedSubject(stream, site, ">"), seq);
  let copy = await next(behindSecond(second, first));
  while (copy !== undefined && behindSecond(second, copy.seq) > copy.seq)
    copy = await next(behindSecond(second, copy.seq));
  if (copy === undefined) return undefined;
  const identFound = identOf(copy);
  if (identFound === undefined) return { origin: 0 };
  const origin = originOf(copy);
  return identFound === ident ? { origin } : { origin: 0, past: { ident: identFound, origin } };
}

/**
 * The book with the number of messages of the site that left a merged stream. The sequences of its copies do not show it:
 * the hub passed some, and some are of earlier streams of the site.
 */
export async function withLeft(
  access: SiteAccess,
  stream: StreamSettings,
  { book, last: { site, onHub } }: { book: Collection; last: Look },
): Promise<Collection> {
  const record = book.sites[site];
  if (record === undefined) return book;
  const { leftSoFar: _before, ...rest } = record;
  const isShown = Object.keys(book.positions).length < 2 || onHub.last === onHub.held;
  const all = isShown
    ? undefined
    : await (await atHub(access, stream)).streamWithCount(stream.name, collectedSubject(stream, site, ">"));
  if (all === undefined) return { ...book, sites: { ...book.sites, [site]: rest } };
  // A source of which the newest copy is of an earlier stream still says the position there.
  const now = record.ident === undefined ? 0 : (declaredSource(all.info, stream, site)?.seq ?? 0);
  const position = Math.max(record.position, now);
  const left = position - record.skipped - all.count;
  return { ...book, sites: { ...book.sites, [site]: { ...rest, leftSoFar: left } } };
}
