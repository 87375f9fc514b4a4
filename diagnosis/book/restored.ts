import { present } from "../../configs/values";
import { Collection, Difference, SiteRecord, reportedCount, withDifference, withoutMissing } from "./ledger";
import { missingOf } from "./missing";

/** The account book of a hub's stream that was restored from a backup. */

/** The stream as it is after the restore. */
export interface Restored {
  created: string;
  first: number;
  last: number;
  held: number;
  /** When it was restored, in UTC. */
  at: string;
}

/** A site's stream while the restored stream does not source it yet: what is counted then is of one moment. */
export interface SiteEnd {
  created: string;
  first: number;
  last: number;
  held: number;
  /** Up to where the restored stream has the site's stream. */
  position: number;
  /** Behind that position, and held at the site no more. */
  gap: number;
  /** Probes of the site that the restored stream holds. */
  probesOnHub: number;
}

const CAUSE = "the hub's store was restored from a backup, and the site no longer held them";

/** The record with what is missing now: neither in the backup nor at the site. */
function withMissing(record: SiteRecord, end: SiteEnd | undefined, to: string): SiteRecord {
  const { stream } = record;
  // Of a site's stream that was recreated or went back, the next look tells more.
  if (end?.created !== stream.created || end.last < stream.last || end.position > end.last) return record;
  const { first, last, held, position, gap } = end;
  const seen = { ...record, stream: { ...stream, first, last, held }, position, gap };
  const news = missingOf(seen, end.probesOnHub) - reportedCount(record.differences);
  const added: Difference = { kind: "missing", count: news, from: record.at, to, cause: CAUSE };
  const differences = news > 0 ? withDifference(record.differences, added) : withoutMissing(record.differences, -news);
  return { ...seen, differences };
}

const isSame = (a: Difference, b: Difference): boolean => a.kind === b.kind && a.from === b.from;

/** The differences of the backup, with acknowledgements that were given since. */
const acknowledged = (differences: readonly Difference[], since: readonly Difference[]): Difference[] =>
  differences.map((one) => {
    const accepted = one.accepted ?? since.find((other) => isSame(one, other))?.accepted;
    return accepted === undefined ? one : { ...one, accepted };
  });

/** The site's record: what concerns the hub's store as the backup has it, what concerns the site as it is now. */
function siteAfter(saved: SiteRecord, now: SiteRecord | undefined): SiteRecord {
  // Another book of this site began since: it knows nothing of the time before.
  if (now === undefined || now.since !== saved.since) return saved;
  const { ident, earlier, ...rest } = saved;
  const isRecreated = now.stream.created !== saved.stream.created;
  const known = acknowledged(saved.differences, now.differences);
  // What was doubled since went with the hub's store.
  const later = now.differences.filter(
    (one) => one.kind === "missing" && !saved.differences.some((other) => isSame(one, other)),
  );
  return {
    ...rest,
    stream: now.stream,
    before: now.before,
    repeated: now.repeated,
    // The hub has none of the probes that were purged at the site since, and never will.
    absent: Math.max(saved.own.purgedAtSite, now.own.purgedAtSite),
    own: {
      purgedAtSite: Math.max(saved.own.purgedAtSite, now.own.purgedAtSite),
      purgedOnHub: saved.own.purgedOnHub,
      fillers: now.own.fillers,
    },
    pending: [...saved.pending.filter(({ end }) => end === "hub"), ...now.pending.filter(({ end }) => end === "site")],
    ...(isRecreated ? { position: 0, gap: 0 } : {}),
    // The copies on the hub are of the site's earlier stream then.
    ...present(isRecreated ? { earlier: ident ?? earlier } : { ident, earlier }),
    differences: [...known, ...later],
  };
}

/**
 * The book to go on with. `now`: the book of the stream that the restored one replaces; it may have been looked at since the
 * hub was lost, and then reports as missing what the restored stream holds.
 */
export function afterRestore(
  saved: Collection,
  now: Collection | undefined,
  { created, first, last, held, at }: Restored,
  ends: Readonly<Record<string, SiteEnd>> = {},
): Collection {
  const sites = Object.entries(saved.sites).map(([name, record]): [string, SiteRecord] => [
    name,
    siteAfter(record, now?.sites[name]),
  ]);
  const positions = { ...saved.positions };
  for (const [name, { source, stream }] of sites) {
    const end = ends[name];
    if (end?.created === stream.created) positions[source] = end.position;
  }
  return {
    ...saved,
    positions,
    hub: {
      ...saved.hub,
      created,
      first,
      last,
      held,
      turned: { how: "went back", at },
      differences: acknowledged(saved.hub.differences, now?.hub.differences ?? []),
    },
    sites: Object.fromEntries(sites.map(([name, record]) => [name, withMissing(record, ends[name], at)])),
  };
}
