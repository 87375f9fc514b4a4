import { siteStreamName } from "../../configs/names";
import { probeSubjects } from "../../configs/permissions";
import { StreamSettings } from "../../configs/settings";
import { collectedSubject } from "../../configs/streams";
import { Collection, OwnMessages, PendingRemoval, SiteRecord, withoutMissing } from "../../diagnosis/book/ledger";
import { withPurge } from "../../diagnosis/book/news";
import { without } from "../../diagnosis/book/runs";
import { SiteAccess, atHub, atSite } from "../sourcing/collected";
import { changeBook } from "./record";

/**
 * Books the probes that the program takes out of its streams. Written down before and after: a run that is killed between
 * the two leaves a note, and the next look counts what of it still stands.
 */

/** Probes that are about to be taken out of one stream. */
export interface Removal {
  site: string;
  /** Name of the stream at the site. */
  stream: string;
  end: "site" | "hub";
  /** How many probes, and the highest sequence that one of them has in the stream at this end. */
  count: number;
  last: number;
}

/** Called before probes are removed, and afterwards with the number removed. */
export interface RemovalBook {
  before(removal: Removal): void | Promise<void>;
  after(removal: Removal, removed: number): void | Promise<void>;
}

interface Ends {
  root: string;
  access: SiteAccess;
  stream: StreamSettings;
}

const COLUMNS = { site: "purgedAtSite", hub: "purgedOnHub" } as const;

/** Changes the record of the site's stream; does nothing where its book has not begun. */
const changeSite = (
  { root, access: { site }, stream }: Ends,
  change: (record: SiteRecord) => Promise<SiteRecord> | SiteRecord,
): Promise<void> =>
  changeBook(root, stream, site, async (book, write) => {
    const record = book?.sites[site];
    if (book === undefined || record === undefined) return;
    write({ ...book, sites: { ...book.sites, [site]: await change(record) } });
  });

/** How many probes of a removal that was begun still stand. `site`: whose they are. */
async function standingOf(
  { access, stream }: Omit<Ends, "root">,
  site: string,
  { end, last }: PendingRemoval,
): Promise<number> {
  const name = siteStreamName(stream, site);
  const subjects = probeSubjects(name);
  const [js, where, filter] =
    end === "site"
      ? [await atSite(access), name, subjects]
      : [await atHub(access, stream), stream.name, collectedSubject(stream, site, subjects)];
  for (let count = 0, seq = 1; ; count++) {
    const message = await js.nextMessage(where, filter, seq);
    if (message === undefined || message.seq > last) return count;
    seq = message.seq + 1;
  }
}

type Pending = Pick<SiteRecord, "own" | "pending">;

/** What the program took out, with what removals that were only begun took out so far. */
async function ownWith(
  ends: Omit<Ends, "root">,
  site: string,
  { own, pending }: Pending,
  isSeen: (one: PendingRemoval) => boolean = () => true,
): Promise<OwnMessages> {
  let all = own;
  for (const one of pending.filter(isSeen)) {
    const column = COLUMNS[one.end];
    all = { ...all, [column]: all[column] + Math.max(0, one.count - (await standingOf(ends, site, one))) };
  }
  return all;
}

/** The book with what removals that were only begun took out so far; of other sites only what left the hub. */
export async function withBegun(
  ends: Omit<Ends, "root">,
  book: Collection | undefined,
): Promise<Collection | undefined> {
  if (book === undefined) return undefined;
  const sites = { ...book.sites };
  for (const [name, record] of Object.entries(book.sites)) {
    const isSeen = ({ end }: PendingRemoval) => end === "hub" || name === ends.access.site;
    sites[name] = { ...record, own: await ownWith(ends, name, record, isSeen) };
  }
  return { ...book, sites };
}

/** The book as it is written: a removal that has only begun is booked when it ends. */
export const withoutBegun = (book: Collection, before: Collection | undefined): Collection => ({
  ...book,
  sites: Object.fromEntries(
    Object.entries(book.sites).map(([name, record]) => {
      const own = record.pending.length === 0 ? undefined : before?.sites[name]?.own;
      return [name, own === undefined ? record : { ...record, own }];
    }),
  ),
});

/** Books the removals of probes of one stream. */
export function removalBook(ends: Ends): RemovalBook {
  return {
    before: ({ end, count, last }: Removal) =>
      changeSite(ends, async (record) => {
        const own = await ownWith(ends, ends.access.site, record);
        const [earlier] = record.pending.filter((one) => one.end === "hub");
        const ended = { last: earlier?.last ?? 0, count: own.purgedOnHub - record.own.purgedOnHub };
        const purges = withPurge(record.purges ?? [], ended);
        // These are about to be purged again.
        const { back = [], backAtSite = [] } = record;
        const left = without(end === "hub" ? back : backAtSite, [{ first: 1, last }]);
        return {
          ...record,
          own,
          purges,
          pending: [{ end, count, last }],
          [end === "hub" ? "back" : "backAtSite"]: left,
        };
      }),
    after: ({ end, last }: Removal, removed: number) =>
      changeSite(ends, (record) => {
        const column = COLUMNS[end];
        const purges = withPurge(record.purges ?? [], { last, count: end === "hub" ? removed : 0 });
        return { ...record, pending: [], purges, own: { ...record.own, [column]: record.own[column] + removed } };
      }),
  };
}

/** Books messages that the hub had skipped, and that a repair stored again at the site: they are no longer missing. */
export const bookRedelivered = (ends: Ends, count: number): Promise<void> =>
  changeSite(ends, (record) => ({
    ...record,
    own: { ...record.own, fillers: record.own.fillers + count },
    differences: withoutMissing(record.differences, count),
  }));

/** Books messages that a repair stored at the site, and that the hub need never have. */
export const bookFillers = (ends: Ends, count: number): Promise<void> =>
  changeSite(ends, (record) => ({ ...record, own: { ...record.own, fillers: record.own.fillers + count } }));
