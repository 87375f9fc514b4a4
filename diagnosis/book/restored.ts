import { present } from "../../configs/values";
import { Collection, Difference, SiteRecord } from "./ledger";

/** The account book of a hub's stream that was restored from a backup. */

/** The stream as it is after the restore. */
export interface Restored {
  created: string;
  /** When it was restored, in UTC. */
  at: string;
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
export function afterRestore(saved: Collection, now: Collection | undefined, { created, at }: Restored): Collection {
  const sites = Object.entries(saved.sites).map(([name, record]) => [name, siteAfter(record, now?.sites[name])]);
  return {
    ...saved,
    hub: {
      ...saved.hub,
      created,
      turned: { how: "went back", at },
      differences: acknowledged(saved.hub.differences, now?.hub.differences ?? []),
    },
    sites: Object.fromEntries(sites) as Collection["sites"],
  };
}
