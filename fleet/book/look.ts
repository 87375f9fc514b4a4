import { setTimeout as sleep } from "node:timers/promises";
import { probeSubjects } from "../../configs/permissions";
import { siteStreamName } from "../../configs/names";
import { StreamSettings } from "../../configs/settings";
import { present } from "../../configs/values";
import { collectedSubject } from "../../configs/streams";
import { advance, withSiteSeen } from "../../diagnosis/book/advance";
import { EndSeen, Look } from "../../diagnosis/book/look";
import { BookFacts, factsOf } from "../../diagnosis/book/facts";
import { deliveredAgain, isQuiet, newsIn } from "../../diagnosis/book/news";
import { Collection, SiteRecord } from "../../diagnosis/book/ledger";
import { lostProbes } from "../../diagnosis/book/missing";
import { upTo } from "../../diagnosis/book/runs";
import { SiteAccess, atHub, atSite } from "../sourcing/collected";
import { Overrun } from "../sourcing/lost-tail";
import { StreamInfo } from "../../servers/nats/jetstream";
import { causesOf } from "./causes";
import { withHoles } from "./holes";
import { deliveryBehind, deliveryOf } from "./delivery";
import { oldestCopy, withLeft } from "./front";
import { jumpsOf } from "./merged";
import { EndsRead, positionsOf, readEnds, siteEndOf } from "./positions";
import { withBegun, withoutBegun } from "./own";
import { Standing, emptyIn, listedIn, standingOf, withReturned, withReturnedAtSite } from "./stands";
import { withSecondCopies } from "./second";
import { changeBook, readBook, reportsHub } from "./record";

/** One look at a stream of a site: books its positions, and returns what the book then says. */

const LOOKS = 8;
const BETWEEN_LOOKS_MS = 150;

export interface BookLook {
  /** The stack's folder. */
  root: string;
  access: SiteAccess;
  stream: StreamSettings;
  /** What a lost tail is known to have skipped. */
  overrun?: Overrun | undefined;
  /** The book as the stack's state has it, for when the one beside the servers is lost. */
  copy?: Collection | undefined;
}

/**
 * Looks, and writes down what is new. A message on its way into a store is counted at neither end for an instant. So a
 * new difference counts only if it persists, and then as the least of what several looks saw. Undefined when the
 * streams cannot be read and nothing was booked before.
 */
export async function lookAtBook(look: BookLook): Promise<BookFacts | undefined> {
  const { root, access, stream } = look;
  try {
    return await changeBook(root, stream, access.site, async (found, write) => {
      const read = await readEnds(access, stream);
      const before = await withReturned(access, stream, found ?? look.copy, read);
      const seen = await settledLook(look, before, read);
      if (seen === undefined) return factsIn(before, access.site);
      const twice = await withSecondCopies(access, stream, seen, before);
      const all = await withHoles(access, stream, { ...seen, book: twice }, before);
      const book = await withLeft(access, stream, { ...seen, book: all });
      const written = withoutBegun(book, before);
      if (JSON.stringify(written) !== JSON.stringify(found)) write(written);
      return factsOf(book, access.site, { ...seen.last, tellsOfHub: reportsHub(book, access.site) });
    });
  } catch {
    await recordSite(look).catch(() => undefined);
    return reportedBook(root, stream, access.site);
  }
}

/** Where the hub does not answer: what the site has stored is known all the same. */
const recordSite = ({ root, access, stream }: BookLook): Promise<void> =>
  changeBook(root, stream, access.site, async (book, write) => {
    const record = book?.sites[access.site];
    if (book === undefined || record === undefined) return;
    const info = await (await atSite(access)).stream(siteStreamName(stream, access.site), true);
    const before = await withReturnedAtSite(access, stream, book, info);
    const seen = await siteEndOf(access, stream, record);
    if (seen !== undefined) write(withSiteSeen(before, access.site, endOf(seen.info, seen.history, seen.mark)));
  });

/** What was reported before, even if it cannot be read now; undefined where the book has not begun. */
export const reportedBook = (root: string, stream: StreamSettings, site: string): BookFacts | undefined =>
  factsIn(readBook(root, stream, site), site);

const factsIn = (book: Collection | undefined, site: string): BookFacts | undefined =>
  book === undefined ? undefined : factsOf(book, site, { tellsOfHub: reportsHub(book, site) });

interface Settled {
  book: Collection;
  last: Look;
  isStill: boolean;
}

/** How often news must stand: seen once more at a still moment, or four times. */
const WHOLE = 1;

/** Looks until nothing is new, or what is new stands; undefined when it goes on changing. */
async function settledLook(
  look: BookLook,
  before: Collection | undefined,
  read: EndsRead,
): Promise<Settled | undefined> {
  let [news, stood] = ["", 0];
  for (let looks = 0; looks < LOOKS; looks++) {
    if (looks > 0) await sleep(BETWEEN_LOOKS_MS);
    const seen = await lookOnce(look, await withBegun(look, before), looks === 0 ? read : undefined);
    if (seen === undefined || isQuiet(seen, before)) return seen;
    const now = newsIn(seen, before);
    const isAlone = Object.keys(seen.book.positions).length < 2;
    // While a merged stream takes messages, its last sequence and the positions are not of one moment.
    stood = now === news ? stood + (isAlone || seen.isStill ? WHOLE : WHOLE / 4) : 0;
    if (stood >= WHOLE) return seen;
    news = now;
  }
  return undefined;
}

const NOTHING_STANDS: Partial<Standing> = {};

async function lookOnce(
  { access, stream, overrun }: BookLook,
  before: Collection | undefined,
  read: EndsRead | undefined,
): Promise<Settled | undefined> {
  const { site } = access;
  const seen = await positionsOf(access, stream, before, { overrun, read });
  if (seen === undefined) return undefined;
  const record = before?.sites[site];
  const isAnew = seen.history.hub === "made anew" || record?.front !== undefined;
  const hub = await atHub(access, stream);
  const { stands, stillTwice } =
    seen.history.hub === "went back" && before !== undefined
      ? await standingOf(hub, seen.onHub, before)
      : NOTHING_STANDS;
  const known = seen.history.hub === "made anew" ? [] : (record?.second ?? []);
  const second =
    seen.history.hub === "went back" ? [...upTo(known, stands?.seq ?? 0), ...(stillTwice?.[site] ?? [])] : known;
  const held = await oldestCopy(hub, stream, site, { ...seen, first: seen.onHub.state.first_seq, second });
  // A store that went back has its older messages still: what the site delivers comes behind those.
  const behind = record?.gone?.behind ?? stands?.seq ?? 0;
  const again = behind === 0 ? held : await oldestCopy(hub, stream, site, { ...seen, first: behind + 1, second });
  const delivery =
    (before !== undefined && (behind > 0 || stands !== undefined || record?.gone?.front !== undefined)
      ? await deliveryBehind(access, stream, seen, { before, behind }).catch(() => undefined)
      : undefined) ?? deliveryOf(seen.atSite, again?.origin);
  const look: Look = {
    ...seen,
    site,
    oldest: held?.origin ?? seen.position + 1,
    oldestPast: held?.past,
    delivery,
    deliveredAgain: record !== undefined && isAnew ? deliveredAgain(record, delivery) : { ofFront: 0, ofLeft: 0 },
    stands,
    stillTwice,
    hubNow: seen.onHub.ts === undefined ? Date.now() : Date.parse(seen.onHub.ts),
    atSite: endOf(seen.atSite, seen.history.site, seen.marks.site),
    onHub: {
      ...endOf(seen.onHub, seen.history.hub, seen.marks.hub),
      ...present({ empty: await emptyIn(hub, seen.onHub) }),
    },
    probesOnHub: await probesOnHub(access, stream, record),
    jumps: undefined,
    limits: limitsOf(stream, seen.onHub),
    causes: causesOf(seen, before, stream, site),
  };
  const book = advance(before, look);
  const isAlone = Object.keys(book.positions).length < 2;
  const { isStill } = seen;
  // Which messages were passed is read where some were, and, of a merged stream, also whose they were.
  const isPassing = before !== undefined && seen.history.hub === "same" && isStill && hasPassedMore(book, before);
  const isUsual = record !== undefined && seen.history.hub === "same" && isQuiet({ book, last: look }, before);
  if ((isAlone || isUsual) && !isPassing) return { book, last: look, isStill };
  const jumps = await jumpsOf(access, stream, seen, before, stands).catch(() => undefined);
  const whole = { ...look, jumps };
  return { book: advance(before, whole), last: whole, isStill };
}

const hasPassedMore = (book: Collection, before: Collection): boolean =>
  Object.entries(before.sites).some(([name, { skipped }]) => (book.sites[name]?.skipped ?? skipped) > skipped);

const endOf = ({ created, state }: StreamInfo, history: EndSeen["history"], mark: EndSeen["mark"]): EndSeen => ({
  ...present({ empty: listedIn(state) }),
  created,
  first: state.first_seq,
  last: state.last_seq,
  held: state.messages,
  deleted: state.num_deleted ?? 0,
  bytes: state.bytes,
  history,
  mark,
});

/** Probes that the hub still holds and the site does not; asked only when some are purged at the site and not on the hub. */
async function probesOnHub(
  access: SiteAccess,
  stream: StreamSettings,
  record: SiteRecord | undefined,
): Promise<number> {
  if (record === undefined || lostProbes(record, 0) === 0) return 0;
  const name = siteStreamName(stream, access.site);
  const [hub, site] = [await atHub(access, stream), await atSite(access)];
  const held = await hub.subjects(stream.name, collectedSubject(stream, access.site, probeSubjects(name)));
  const there = Object.entries(await site.subjects(name, probeSubjects(name)));
  // Probes of a run that was killed may stand at both ends.
  for (const [subject, count] of there) {
    const collected = collectedSubject(stream, access.site, subject);
    held[collected] = Math.max(0, (held[collected] ?? 0) - count);
  }
  return Object.values(held).reduce((sum, count) => sum + count, 0);
}

/** What the settings let leave the hub's stream; a stream that was taken over may have other limits of its own. */
function limitsOf({ collect, adopt }: StreamSettings, { config }: StreamInfo): Look["limits"] {
  const { max_msgs = -1, max_msgs_per_subject = -1 } = config as { max_msgs?: number; max_msgs_per_subject?: number };
  const isRead = (config.retention as string) !== "limits";
  return {
    maxAge: collect.maxAge,
    maxBytes: collect.discard === "old" && collect.maxBytes > 0 ? collect.maxBytes : 0,
    others: adopt && (isRead || max_msgs > 0 || max_msgs_per_subject > 0),
  };
}
