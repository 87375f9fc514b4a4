import { present } from "../../configs/values";
import { StreamSettings } from "../../configs/settings";
import { Collection, countOf } from "../../diagnosis/book/ledger";
import { Look } from "../../diagnosis/book/look";
import { secondOf, withCopies } from "../../diagnosis/book/second-copies";
import { SiteAccess, atHub } from "../sourcing/collected";
import { originIn } from "../sourcing/source-identity";
import { JetStream, SOURCE_HEADER } from "../../servers/nats/jetstream";
import { oldestCopy } from "./front";

/** Which messages the hub has twice: read where a look tells that there are such. */

/** The newest messages of the hub's stream that are read. */
const MOST_READ = 10_000;
const AT_ONCE = 100;

/** Messages of the hub's stream that are copies of one stream of a site, in order. */
async function copiesOf(
  js: JetStream,
  stream: string,
  ident: string,
  { first, last }: { first: number; last: number },
): Promise<{ seq: number; origin: number }[]> {
  const copies: { seq: number; origin: number }[] = [];
  for (let from = first; from <= last; from += AT_ONCE) {
    const length = Math.min(AT_ONCE, last - from + 1);
    const read = await Promise.all(Array.from({ length }, (_, i) => js.messageAt(stream, from + i)));
    for (const message of read) {
      const origin = originIn(message?.headers[SOURCE_HEADER]);
      if (message !== undefined && origin?.ident === ident) copies.push({ seq: message.seq, origin: origin.seq });
    }
  }
  return copies;
}

/** The book with the second copies that the look tells of. */
export async function withSecondCopies(
  access: SiteAccess,
  stream: StreamSettings,
  { book, last: { site, atSite, onHub, ident, position } }: { book: Collection; last: Look },
  before: Collection | undefined,
): Promise<Collection> {
  const [record, earlier] = [book.sites[site], before?.sites[site]];
  if (record === undefined || earlier?.hubLast === undefined || ident === undefined || onHub.history !== "same")
    return book;
  if (countOf(record.differences, "doubled") <= countOf(earlier.differences, "doubled")) return book;
  const isAnew = atSite.history === "made anew" || (earlier.ident !== undefined && earlier.ident !== ident);
  const js = await atHub(access, stream);
  const first = Math.max(onHub.first, earlier.hubLast + 1, onHub.last - MOST_READ + 1);
  const copies = await copiesOf(js, stream.name, ident, { first, last: onHub.last });
  const second = withCopies(record.second ?? [], secondOf(copies, isAnew ? 0 : earlier.position));
  const oldest = await oldestCopy(js, stream, site, { first: onHub.first, ident, second });
  const { oldestPast: _past, ...rest } = record;
  const now = { ...rest, second, oldest: oldest?.origin ?? position + 1, ...present({ oldestPast: oldest?.past }) };
  return { ...book, sites: { ...book.sites, [site]: now } };
}
